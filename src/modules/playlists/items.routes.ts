import type { RequestContext } from '../../context.ts';
import { type CursorScope, decodeCursor, nextCursor, page, pageQuery } from '../../http/pagination.ts';
import { createRouter, defineRoute, jsonBody, jsonResponse, problems } from '../../http/route.ts';
import { requireViewerId, viewerIdOf } from '../../http/viewer.ts';
import {
  addItemBody,
  type ItemPosition,
  itemPositionSchema,
  laterVideoParams,
  moveItemBody,
  playlistItemPageSchema,
  playlistItemParams,
  playlistItemSchema,
  playlistParams,
} from './playlists.schemas.ts';
import { type PlaylistItemRow, presentPlaylistItem } from './playlists.views.ts';
import {
  addItem,
  dropFromLater,
  keepForLater,
  listItems,
  listWatchLater,
  moveItem,
  removeItem,
} from './usecases/manage-items.ts';

const tags = ['Playlists'];

/** Mounted at `/v1`. */
export const playlistItemsRoutes = createRouter();

playlistItemsRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/playlists/{playlist_id}/items',
    request: { params: playlistParams, query: pageQuery },
    responses: {
      200: jsonResponse(playlistItemPageSchema, 'The items of the playlist, in order'),
      ...problems(400, 401, 404),
    },
    summary: 'List what is in a playlist',
    operationId: 'listPlaylistItems',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const playlistId = c.req.valid('param').playlist_id;
    const scope = { list: 'playlists:items', filters: { playlistId }, userId: viewerIdOf(ctx) };
    const load = (after: ItemPosition | undefined, limit: number) =>
      listItems(ctx, playlistId, { after, limit });
    return c.json(await pageOfItems(ctx, scope, c.req.valid('query'), load), 200);
  },
);

playlistItemsRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/playlists/{playlist_id}/items',
    request: { params: playlistParams, ...jsonBody(addItemBody) },
    responses: {
      201: jsonResponse(playlistItemSchema, 'The new item'),
      ...problems(400, 401, 404, 409, 422),
    },
    summary: 'Put a video into a playlist of your own',
    operationId: 'addPlaylistItem',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const { video_id: videoId, after_item_id: place } = c.req.valid('json');
    const item = await addItem(ctx, { playlistId: c.req.valid('param').playlist_id, videoId, place });
    return c.json(presentPlaylistItem(item, ctx.config.aws.cdnBaseUrl), 201);
  },
);

playlistItemsRoutes.openapi(
  defineRoute({
    method: 'patch',
    path: '/playlist-items/{playlist_item_id}',
    request: { params: playlistItemParams, ...jsonBody(moveItemBody) },
    responses: {
      200: jsonResponse(playlistItemSchema, 'The item in its new place'),
      ...problems(400, 401, 404, 422),
    },
    summary: 'Move an item within a playlist of your own',
    operationId: 'movePlaylistItem',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const { after_item_id: place } = c.req.valid('json');
    const item = await moveItem(ctx, c.req.valid('param').playlist_item_id, place);
    return c.json(presentPlaylistItem(item, ctx.config.aws.cdnBaseUrl), 200);
  },
);

playlistItemsRoutes.openapi(
  defineRoute({
    method: 'delete',
    path: '/playlist-items/{playlist_item_id}',
    request: { params: playlistItemParams },
    responses: { 204: { description: 'The item is out of the playlist' }, ...problems(401, 404) },
    summary: 'Take an item out of a playlist of your own',
    operationId: 'removePlaylistItem',
    tags,
  }),
  async (c) => {
    await removeItem(c.var.ctx, c.req.valid('param').playlist_item_id);
    return c.body(null, 204);
  },
);

playlistItemsRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/me/watch-later',
    request: { query: pageQuery },
    responses: {
      200: jsonResponse(playlistItemPageSchema, 'What I keep to watch later, in order'),
      ...problems(400, 401),
    },
    summary: 'List what I keep to watch later',
    operationId: 'listWatchLater',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const scope = { list: 'playlists:watch_later', userId: requireViewerId(ctx) };
    const load = (after: ItemPosition | undefined, limit: number) => listWatchLater(ctx, { after, limit });
    return c.json(await pageOfItems(ctx, scope, c.req.valid('query'), load), 200);
  },
);

playlistItemsRoutes.openapi(
  defineRoute({
    method: 'put',
    path: '/me/watch-later/{video_id}',
    request: { params: laterVideoParams },
    responses: { 204: { description: 'The video is kept' }, ...problems(401, 404, 409) },
    summary: 'Keep a video to watch later',
    operationId: 'keepForLater',
    tags,
  }),
  async (c) => {
    await keepForLater(c.var.ctx, c.req.valid('param').video_id);
    return c.body(null, 204);
  },
);

playlistItemsRoutes.openapi(
  defineRoute({
    method: 'delete',
    path: '/me/watch-later/{video_id}',
    request: { params: laterVideoParams },
    responses: { 204: { description: 'The video is not kept' }, ...problems(401, 404) },
    summary: 'Keep a video no longer to watch later',
    operationId: 'dropFromLater',
    tags,
  }),
  async (c) => {
    await dropFromLater(c.var.ctx, c.req.valid('param').video_id);
    return c.body(null, 204);
  },
);

const positionOf = ({ id, rank, numbering }: PlaylistItemRow): ItemPosition => ({ id, rank, numbering });

async function pageOfItems(
  ctx: RequestContext,
  scope: CursorScope,
  { limit, cursor }: { readonly limit: number; readonly cursor?: string | undefined },
  load: (after: ItemPosition | undefined, limit: number) => Promise<PlaylistItemRow[]>,
) {
  const { cursorSecret } = ctx.config.http;
  const after = await decodeCursor(cursorSecret, cursor, scope, itemPositionSchema);
  const { items, nextPosition } = page(await load(after, limit + 1), limit, positionOf);
  return {
    data: items.map((item) => presentPlaylistItem(item, ctx.config.aws.cdnBaseUrl)),
    next_cursor: await nextCursor(cursorSecret, scope, nextPosition),
  };
}
