import { createRouter, defineRoute, jsonResponse, problems } from '../../http/route.ts';
import { streamParams } from '../streams/index.ts';
import { healthSchema, sessionListSchema } from './broadcasts.schemas.ts';
import { presentHealth, presentSession } from './broadcasts.views.ts';
import { stopAnyStream, stopOwnStream } from './usecases/stop-stream.ts';
import { getHealth, getSessions } from './usecases/watch-health.ts';

const tags = ['Streams'];

/** Mounted at `/v1`. */
export const broadcastsRoutes = createRouter();

const stopped = { 204: { description: 'The stream is over' }, ...problems(401, 404, 409, 503) };

broadcastsRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/streams/{stream_id}/stop',
    request: { params: streamParams },
    responses: stopped,
    summary: 'Stop a stream of your own',
    description:
      'Its encoder is disconnected, and again when it comes back: leave it off for as long as an encoder may be gone before you begin another stream.',
    operationId: 'stopStream',
    tags,
  }),
  async (c) => {
    await stopOwnStream(c.var.ctx, c.req.valid('param').stream_id);
    return c.body(null, 204);
  },
);

broadcastsRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/admin/streams/{stream_id}/stop',
    request: { params: streamParams },
    responses: { ...stopped, ...problems(403) },
    summary: 'Stop anybody’s stream',
    operationId: 'stopStreamAsStaff',
    tags: ['Administration'],
  }),
  async (c) => {
    await stopAnyStream(c.var.ctx, c.req.valid('param').stream_id);
    return c.body(null, 204);
  },
);

broadcastsRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/streams/{stream_id}/health',
    request: { params: streamParams },
    responses: {
      200: jsonResponse(healthSchema, 'What was measured of the last broadcast'),
      ...problems(401, 404, 409, 503),
    },
    summary: 'See how a stream of your own is fed',
    operationId: 'viewStreamHealth',
    tags,
  }),
  async (c) => {
    const { row, session } = await getHealth(c.var.ctx, c.req.valid('param').stream_id);
    return c.json(presentHealth(row, session), 200);
  },
);

broadcastsRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/streams/{stream_id}/sessions',
    request: { params: streamParams },
    responses: {
      200: jsonResponse(sessionListSchema, 'Newest first; an encoder that comes back begins another'),
      ...problems(401, 404),
    },
    summary: 'List the broadcasts a stream of your own consists of',
    operationId: 'listStreamSessions',
    tags,
  }),
  async (c) => {
    const sessions = await getSessions(c.var.ctx, c.req.valid('param').stream_id);
    return c.json({ data: sessions.map(presentSession) }, 200);
  },
);
