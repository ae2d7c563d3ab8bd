import {
  createRouter,
  defineRoute,
  jsonBody,
  jsonResponse,
  optionalJsonBody,
  problems,
} from '../../http/route.ts';
import { botSignsOf } from './policy/clients.ts';
import { startSession } from './usecases/start-session.ts';
import { takeHeartbeat } from './usecases/take-heartbeat.ts';
import { watchCounts } from './usecases/watch-counts.ts';
import {
  heartbeatAnswerSchema,
  heartbeatBody,
  startSessionBody,
  watchParams,
  watchSessionSchema,
} from './views.schemas.ts';

const tags = ['Watching'];

/** Mounted at `/v1/videos`. */
export const viewsRoutes = createRouter();

viewsRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/{video_id}/watch-sessions',
    request: { params: watchParams, ...optionalJsonBody(startSessionBody) },
    responses: {
      201: jsonResponse(watchSessionSchema, 'The session has begun'),
      ...problems(400, 401, 403, 404, 409, 422),
    },
    summary: 'Start watching a video',
    description:
      'One session for each time a player is opened. A view is counted once three seconds, or the whole of a shorter film, were watched, and once for a viewer in a day; the owner’s own watching is not. Refused wherever `POST .../playback` would be: give what was given there.',
    operationId: 'startWatchSession',
    tags,
  }),
  async (c) => {
    const input = c.req.valid('json') ?? {};
    return c.json(
      await startSession(
        c.var.ctx,
        c.req.valid('param').video_id,
        input,
        botSignsOf(c.req.raw.cf),
        c.req.header('origin'),
      ),
      201,
    );
  },
);

viewsRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/{video_id}/watch',
    request: { params: watchParams, ...jsonBody(heartbeatBody) },
    responses: {
      200: jsonResponse(heartbeatAnswerSchema, 'Counted; nothing of it will be lost'),
      ...problems(400, 401, 403, 404, 409, 422),
    },
    summary: 'Report what was watched',
    description:
      'Every five seconds while playing, and once at the end. Repeat what was not answered, under the same `seq` or together with what is new. ' +
      'No stretch counts twice, and none faster than twice the time that went by.',
    operationId: 'sendHeartbeat',
    tags,
  }),
  async (c) =>
    c.json(await takeHeartbeat(c.var.ctx, c.req.valid('param').video_id, c.req.valid('json')), 200),
);

viewsRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/{video_id}/views/live',
    request: { params: watchParams },
    responses: {
      101: { description: 'The connection is open; messages are JSON text frames' },
      ...problems(401, 403, 404, 409, 426),
    },
    summary: 'Follow the views of a video live',
    description:
      'WebSocket. Sends `{"type":"views","views","watching"}` at once and after every change, at most every two seconds. ' +
      'For a video that is not everybody’s, offer the subprotocols `social-flow.v1, watch.<session_token>`, or authenticate. ' +
      'The only client message is the text `ping`, answered with `pong`. Closes with 4401 after an hour; connect again.',
    operationId: 'watchViewCount',
    tags,
  }),
  (c) =>
    watchCounts(c.var.ctx, c.req.valid('param').video_id, {
      // A HEAD request comes here too, but only GET opens a WebSocket (RFC 6455 §4.1).
      upgrade: c.req.method === 'GET' ? c.req.header('upgrade') : undefined,
      origin: c.req.header('origin'),
      protocols: c.req.header('sec-websocket-protocol'),
    }),
);
