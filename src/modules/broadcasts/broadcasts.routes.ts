import { createRouter, defineRoute, jsonBody, jsonResponse, problems } from '../../http/route.ts';
import { encodeId } from '../../shared/ids.ts';
import { streamParams } from '../streams/index.ts';
import {
  clipStreamBody,
  createMarkerBody,
  healthSchema,
  markerListSchema,
  markerSchema,
  sessionListSchema,
  streamClipSchema,
} from './broadcasts.schemas.ts';
import { presentHealth, presentSession } from './broadcasts.views.ts';
import { clipStream } from './usecases/clip-stream.ts';
import { getMarkers, markStream } from './usecases/mark-stream.ts';
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

broadcastsRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/streams/{stream_id}/markers',
    request: { params: streamParams, ...jsonBody(createMarkerBody) },
    responses: { 201: jsonResponse(markerSchema, 'The marked moment'), ...problems(400, 401, 404, 409, 422) },
    summary: 'Mark a moment of a live stream',
    description:
      'For its owner and their moderators. When the stream has become a video, its marked moments are its chapters: two of them are needed, and those less than ten seconds after another are left out.',
    operationId: 'markStream',
    tags,
  }),
  async (c) => {
    const { title, at } = c.req.valid('json');
    const { id, ...marker } = await markStream(c.var.ctx, c.req.valid('param').stream_id, { title, at });
    return c.json({ id: encodeId('marker', id), ...marker }, 201);
  },
);

broadcastsRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/streams/{stream_id}/markers',
    request: { params: streamParams },
    responses: {
      200: jsonResponse(markerListSchema, 'In the order of the stream'),
      ...problems(401, 404),
    },
    summary: 'List the marked moments of a stream you run',
    operationId: 'listStreamMarkers',
    tags,
  }),
  async (c) => {
    const markers = await getMarkers(c.var.ctx, c.req.valid('param').stream_id);
    return c.json(
      { data: markers.map(({ id, title, at }) => ({ id: encodeId('marker', id), title, at })) },
      200,
    );
  },
);

broadcastsRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/streams/{stream_id}/clips',
    request: { params: streamParams, ...jsonBody(clipStreamBody) },
    responses: {
      201: jsonResponse(streamClipSchema, 'The video it becomes once its moment is recorded'),
      ...problems(400, 401, 403, 404, 409, 422, 429),
    },
    summary: 'Make a video of the last seconds of a live stream',
    description:
      'The clip belongs to the owner of the stream and is as visible as that. It begins and ends with a segment: it is some seconds longer than what was asked for.',
    operationId: 'clipStream',
    tags,
  }),
  async (c) => {
    const { seconds, title } = c.req.valid('json');
    const videoId = await clipStream(c.var.ctx, c.req.valid('param').stream_id, { seconds, title });
    return c.json({ video_id: encodeId('video', videoId) }, 201);
  },
);
