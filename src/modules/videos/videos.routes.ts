import { z } from '@hono/zod-openapi';
import type { RequestContext } from '../../context.ts';
import { withEtag } from '../../http/etag.ts';
import { decodeCursor, nextCursor, page, pageQuery } from '../../http/pagination.ts';
import { idSchema } from '../../http/params.ts';
import { createRouter, defineRoute, jsonBody, jsonResponse, problems } from '../../http/route.ts';
import { requireViewerId, viewerIdOf } from '../../http/viewer.ts';
import { deleteVideo, listVideos, updateVideo } from './usecases/manage-videos.ts';
import { retryVideo } from './usecases/retry-video.ts';
import { showVideo } from './usecases/show-video.ts';
import { viewVideo } from './usecases/view-video.ts';
import { updateVideoBody, videoPageSchema, videoParams, videoSchema } from './videos.schemas.ts';

const tags = ['Videos'];

/** Mounted at `/v1/videos`. */
export const videosRoutes = createRouter();

videosRoutes.use('/:video_id', withEtag());

videosRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/{video_id}',
    request: { params: videoParams },
    responses: {
      200: jsonResponse(videoSchema, 'The video'),
      304: { description: 'The client has this version already' },
      ...problems(401, 404),
    },
    summary: 'Get a video',
    description:
      'Published videos that are not private are everyone’s; the owner sees theirs in every state, with the progress of the conversion.',
    operationId: 'getVideo',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    return c.json(await viewVideo(ctx, c.req.valid('param').video_id), 200);
  },
);

videosRoutes.openapi(
  defineRoute({
    method: 'patch',
    path: '/{video_id}',
    request: { params: videoParams, ...jsonBody(updateVideoBody) },
    responses: { 200: jsonResponse(videoSchema, 'The changed video'), ...problems(400, 401, 404, 422) },
    summary: 'Change what a video of your own says and who may see it',
    operationId: 'updateVideo',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const video = await updateVideo(ctx, c.req.valid('param').video_id, c.req.valid('json'));
    return c.json(await showVideo(ctx, video), 200);
  },
);

videosRoutes.openapi(
  defineRoute({
    method: 'delete',
    path: '/{video_id}',
    request: { params: videoParams },
    responses: { 204: { description: 'The video is deleted' }, ...problems(401, 404) },
    summary: 'Delete a video of your own',
    operationId: 'deleteVideo',
    tags,
  }),
  async (c) => {
    await deleteVideo(c.var.ctx, c.req.valid('param').video_id);
    return c.body(null, 204);
  },
);

videosRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/{video_id}/retry',
    request: { params: videoParams },
    responses: {
      202: jsonResponse(videoSchema, 'The conversion runs again'),
      ...problems(401, 404, 409),
    },
    summary: 'Try a failed conversion again',
    operationId: 'retryVideo',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const video = await retryVideo(ctx, c.req.valid('param').video_id);
    return c.json(await showVideo(ctx, video), 202);
  },
);

/** Mounted at `/v1`. */
export const videoListsRoutes = createRouter();

videoListsRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/me/videos',
    request: { query: pageQuery },
    responses: { 200: jsonResponse(videoPageSchema, 'My videos, newest first'), ...problems(400, 401) },
    summary: 'List my videos in every state',
    operationId: 'listMyVideos',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    return c.json(await listPage(ctx, requireViewerId(ctx), c.req.valid('query')), 200);
  },
);

videoListsRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/users/{user_id}/videos',
    request: { params: z.strictObject({ user_id: idSchema('user') }), query: pageQuery },
    responses: {
      200: jsonResponse(videoPageSchema, 'Public videos of the user, newest first'),
      ...problems(400, 401, 404),
    },
    summary: "List a user's videos",
    operationId: 'listUserVideos',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    return c.json(await listPage(ctx, c.req.valid('param').user_id, c.req.valid('query')), 200);
  },
);

async function listPage(ctx: RequestContext, ownerId: string, query: z.output<typeof pageQuery>) {
  const { cursorSecret } = ctx.config.http;
  const scope = { list: 'videos:by_owner', filters: { ownerId }, userId: viewerIdOf(ctx) };
  const beforeId = await decodeCursor(cursorSecret, query.cursor, scope, z.uuid());
  const rows = await listVideos(ctx, { ownerId, beforeId, limit: query.limit });
  const { items, nextPosition } = page(rows, query.limit, (video) => video.id);
  return {
    data: await Promise.all(items.map((video) => showVideo(ctx, video))),
    next_cursor: await nextCursor(cursorSecret, scope, nextPosition),
  };
}
