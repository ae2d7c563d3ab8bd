import { decodeCursor, nextCursor, page, pageQuery } from '../../http/pagination.ts';
import { createRouter, defineRoute, jsonBody, jsonResponse, problems } from '../../http/route.ts';
import { requireViewerId } from '../../http/viewer.ts';
import {
  historyPageSchema,
  historyPositionSchema,
  historySettingsSchema,
  positionVideoParams,
  progressSchema,
  savePositionBody,
  watchedVideoParams,
} from './history.schemas.ts';
import { presentEntry, presentProgress } from './history.views.ts';
import {
  clearHistory,
  forgetProgress,
  getHistorySettings,
  readHistory,
  readProgress,
  savePosition,
  setHistorySettings,
} from './usecases/keep-history.ts';

const tags = ['Watch history'];

/** Mounted at `/v1`. */
export const historyRoutes = createRouter();

historyRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/me/history',
    request: { query: pageQuery },
    responses: {
      200: jsonResponse(historyPageSchema, 'What I watched, latest first'),
      ...problems(400, 401),
    },
    summary: 'Read my watch history',
    operationId: 'readHistory',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const { limit, cursor } = c.req.valid('query');
    const { cursorSecret } = ctx.config.http;
    const scope = { list: 'history', userId: requireViewerId(ctx) };
    const after = await decodeCursor(cursorSecret, cursor, scope, historyPositionSchema);
    const { entries, watched } = await readHistory(ctx, { after, limit: limit + 1 });
    const { items, nextPosition } = page(entries, limit, ({ watchedAt, videoId }) => ({
      since: watchedAt,
      id: videoId,
    }));
    return c.json(
      {
        data: items.map((entry) =>
          presentEntry(entry, watched.get(entry.videoId), ctx.config.aws.cdnBaseUrl),
        ),
        next_cursor: await nextCursor(cursorSecret, scope, nextPosition),
      },
      200,
    );
  },
);

historyRoutes.openapi(
  defineRoute({
    method: 'delete',
    path: '/me/history',
    responses: { 204: { description: 'The history is empty' }, ...problems(401) },
    summary: 'Clear my watch history',
    operationId: 'clearHistory',
    tags,
  }),
  async (c) => {
    await clearHistory(c.var.ctx);
    return c.body(null, 204);
  },
);

historyRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/me/history/settings',
    responses: { 200: jsonResponse(historySettingsSchema, 'My settings'), ...problems(401) },
    summary: 'See whether my watch history is paused',
    operationId: 'getHistorySettings',
    tags,
  }),
  async (c) => c.json(await getHistorySettings(c.var.ctx), 200),
);

historyRoutes.openapi(
  defineRoute({
    method: 'put',
    path: '/me/history/settings',
    request: jsonBody(historySettingsSchema),
    responses: { 200: jsonResponse(historySettingsSchema, 'My settings'), ...problems(400, 401, 422) },
    summary: 'Pause my watch history, or go on with it',
    description: 'What is watched while it is paused never enters it.',
    operationId: 'setHistorySettings',
    tags,
  }),
  async (c) => c.json(await setHistorySettings(c.var.ctx, c.req.valid('json')), 200),
);

historyRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/me/history/{watched_video_id}',
    request: { params: watchedVideoParams },
    responses: { 200: jsonResponse(progressSchema, 'Where I stopped'), ...problems(401, 404) },
    summary: 'See where I stopped watching a video',
    operationId: 'readProgress',
    tags,
  }),
  async (c) =>
    c.json(presentProgress(await readProgress(c.var.ctx, c.req.valid('param').watched_video_id)), 200),
);

historyRoutes.openapi(
  defineRoute({
    method: 'delete',
    path: '/me/history/{watched_video_id}',
    request: { params: watchedVideoParams },
    responses: { 204: { description: 'The video is out of the history' }, ...problems(401, 404) },
    summary: 'Take a video out of my watch history',
    operationId: 'forgetProgress',
    tags,
  }),
  async (c) => {
    await forgetProgress(c.var.ctx, c.req.valid('param').watched_video_id);
    return c.body(null, 204);
  },
);

historyRoutes.openapi(
  defineRoute({
    method: 'put',
    path: '/videos/{video_id}/position',
    request: { params: positionVideoParams, ...jsonBody(savePositionBody) },
    responses: {
      204: { description: 'The position is kept, unless the history is paused' },
      ...problems(400, 401, 404, 422),
    },
    summary: 'Keep where I am in a video',
    description:
      'For clients that do not report what they play. A position beyond the end counts as the end.',
    operationId: 'savePosition',
    tags,
  }),
  async (c) => {
    await savePosition(c.var.ctx, c.req.valid('param').video_id, c.req.valid('json').position_ms);
    return c.body(null, 204);
  },
);
