import type { RequestContext } from '../../context.ts';
import { withEtag } from '../../http/etag.ts';
import { type CursorScope, decodeCursor, nextCursor, page, pageQuery } from '../../http/pagination.ts';
import { createRouter, defineRoute, jsonBody, jsonResponse, problems } from '../../http/route.ts';
import { requireViewerId } from '../../http/viewer.ts';
import {
  createPlaylistBody,
  playlistOwnerParams,
  playlistPageSchema,
  playlistParams,
  playlistPositionSchema,
  playlistSchema,
  updatePlaylistBody,
} from './playlists.schemas.ts';
import { type PlaylistRow, presentPlaylist } from './playlists.views.ts';
import {
  createPlaylist,
  deletePlaylist,
  getPlaylist,
  listMyPlaylists,
  listUserPlaylists,
  updatePlaylist,
} from './usecases/manage-playlists.ts';

const tags = ['Playlists'];

/** Mounted at `/v1`. */
export const playlistsRoutes = createRouter();

playlistsRoutes.use('/playlists/:playlist_id', withEtag());

playlistsRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/playlists',
    request: jsonBody(createPlaylistBody),
    responses: { 201: jsonResponse(playlistSchema, 'The new playlist'), ...problems(400, 401, 409, 422) },
    summary: 'Make a playlist',
    operationId: 'createPlaylist',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const { allow_duplicates: allowDuplicates, ...rest } = c.req.valid('json');
    const playlist = await createPlaylist(ctx, { ...rest, allowDuplicates });
    return c.json(presentPlaylist(playlist, ctx.config.aws.cdnBaseUrl), 201);
  },
);

playlistsRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/playlists/{playlist_id}',
    request: { params: playlistParams },
    responses: {
      200: jsonResponse(playlistSchema, 'The playlist'),
      304: { description: 'The client has this version already' },
      ...problems(401, 404),
    },
    summary: 'Get a playlist',
    operationId: 'getPlaylist',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const playlist = await getPlaylist(ctx, c.req.valid('param').playlist_id);
    return c.json(presentPlaylist(playlist, ctx.config.aws.cdnBaseUrl), 200);
  },
);

playlistsRoutes.openapi(
  defineRoute({
    method: 'patch',
    path: '/playlists/{playlist_id}',
    request: { params: playlistParams, ...jsonBody(updatePlaylistBody) },
    responses: {
      200: jsonResponse(playlistSchema, 'The changed playlist'),
      ...problems(400, 401, 404, 409, 422),
    },
    summary: 'Change a playlist of your own',
    operationId: 'updatePlaylist',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const playlist = await updatePlaylist(ctx, c.req.valid('param').playlist_id, c.req.valid('json'));
    return c.json(presentPlaylist(playlist, ctx.config.aws.cdnBaseUrl), 200);
  },
);

playlistsRoutes.openapi(
  defineRoute({
    method: 'delete',
    path: '/playlists/{playlist_id}',
    request: { params: playlistParams },
    responses: { 204: { description: 'The playlist is deleted' }, ...problems(401, 404, 409) },
    summary: 'Delete a playlist of your own',
    operationId: 'deletePlaylist',
    tags,
  }),
  async (c) => {
    await deletePlaylist(c.var.ctx, c.req.valid('param').playlist_id);
    return c.body(null, 204);
  },
);

playlistsRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/me/playlists',
    request: { query: pageQuery },
    responses: { 200: jsonResponse(playlistPageSchema, 'My playlists, newest first'), ...problems(400, 401) },
    summary: 'List my playlists',
    operationId: 'listMyPlaylists',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const scope = { list: 'playlists:own', userId: requireViewerId(ctx) };
    const load = (before: string | undefined, limit: number) => listMyPlaylists(ctx, { before, limit });
    return c.json(await pageOfLists(ctx, scope, c.req.valid('query'), load), 200);
  },
);

playlistsRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/users/{user_id}/playlists',
    request: { params: playlistOwnerParams, query: pageQuery },
    responses: {
      200: jsonResponse(playlistPageSchema, 'Public playlists of the user, newest first'),
      ...problems(400, 401, 404),
    },
    summary: 'List the public playlists of a user',
    operationId: 'listUserPlaylists',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const ownerId = c.req.valid('param').user_id;
    const scope = { list: 'playlists:user', filters: { ownerId } };
    const load = (before: string | undefined, limit: number) =>
      listUserPlaylists(ctx, ownerId, { before, limit });
    return c.json(await pageOfLists(ctx, scope, c.req.valid('query'), load), 200);
  },
);

async function pageOfLists(
  ctx: RequestContext,
  scope: CursorScope,
  { limit, cursor }: { readonly limit: number; readonly cursor?: string | undefined },
  load: (before: string | undefined, limit: number) => Promise<PlaylistRow[]>,
) {
  const { cursorSecret } = ctx.config.http;
  const before = await decodeCursor(cursorSecret, cursor, scope, playlistPositionSchema);
  const { items, nextPosition } = page(await load(before, limit + 1), limit, ({ id }) => id);
  return {
    data: items.map((playlist) => presentPlaylist(playlist, ctx.config.aws.cdnBaseUrl)),
    next_cursor: await nextCursor(cursorSecret, scope, nextPosition),
  };
}
