import { createRouter, defineRoute, jsonResponse, problems } from '../../http/route.ts';
import { streamParams } from '../streams/index.ts';
import { exportQuery, replayParams, replayQuery, replaySchema } from './replay.schemas.ts';
import { exportChat, isShared, replayChat, replaySeconds } from './usecases/replay.ts';

const tags = ['Chat'];

const contentTypes = {
  ndjson: 'application/x-ndjson; charset=utf-8',
  csv: 'text/csv; charset=utf-8; header=present',
} as const;

/** Mounted at `/v1`. */
export const chatReplayRoutes = createRouter();

chatReplayRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/videos/{video_id}/chat',
    request: { params: replayParams, query: replayQuery },
    responses: { 200: jsonResponse(replaySchema, 'What was said, in order'), ...problems(400, 401, 404) },
    summary: 'Read what was said in chat while a video was recorded',
    description:
      'For the recording of a stream; other videos have none. Ask for the windows that are played; whole minutes are shared by caches.',
    operationId: 'getVideoChat',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const view = await replayChat(ctx, c.req.valid('param').video_id, c.req.valid('query'));
    return c.json(view, 200, {
      'cache-control': isShared(ctx) ? `public, max-age=${replaySeconds}` : 'private, no-cache',
    });
  },
);

chatReplayRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/streams/{stream_id}/chat/export',
    request: { params: streamParams, query: exportQuery },
    responses: {
      200: {
        description: 'One event on each line',
        content: {
          'application/x-ndjson': { schema: { type: 'string' } },
          'text/csv': { schema: { type: 'string' } },
        },
      },
      ...problems(400, 401, 404),
    },
    summary: 'Download the chat of a stream of your own',
    description:
      'Up to now, without the words of what was deleted. What was said in the last seconds may not be there yet.',
    operationId: 'exportStreamChat',
    tags,
  }),
  async (c) => {
    const { format } = c.req.valid('query');
    const lines = await exportChat(c.var.ctx, c.req.valid('param').stream_id, format);
    return c.body(lines, 200, {
      'content-type': contentTypes[format],
      'content-disposition': `attachment; filename="chat.${format}"`,
    });
  },
);
