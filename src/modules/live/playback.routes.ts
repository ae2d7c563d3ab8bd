import { createRouter, defineRoute, jsonBody, jsonResponse, problems } from '../../http/route.ts';
import { streamParams } from '../streams/index.ts';
import {
  dvrPlaybackSchema,
  livePlaybackSchema,
  streamViewerParams,
  timedMetadataBody,
} from './playback.schemas.ts';
import { letViewerBack, requestLivePlayback, sendMetadata, sendViewerAway } from './usecases/watch.ts';
import { requestDvr } from './usecases/watch-back.ts';

const tags = ['Live streams'];

/** Mounted at `/v1/streams`. */
export const livePlaybackRoutes = createRouter();

livePlaybackRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/{stream_id}/playback',
    request: { params: streamParams },
    responses: {
      200: jsonResponse(livePlaybackSchema, 'Where the stream plays, for this viewer'),
      ...problems(401, 403, 404, 409),
    },
    summary: 'Watch a live stream',
    description:
      'A player begins with `hls_url` before it expires, and plays on afterwards. One that begins again asks again.',
    operationId: 'getLivePlayback',
    tags,
  }),
  async (c) => {
    const { hlsUrl, expiresAt, latencyMode } = await requestLivePlayback(
      c.var.ctx,
      c.req.valid('param').stream_id,
    );
    return c.json({ hls_url: hlsUrl, expires_at: expiresAt, latency_mode: latencyMode }, 200, {
      'cache-control': 'no-store',
    });
  },
);

livePlaybackRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/{stream_id}/dvr',
    request: { params: streamParams },
    responses: {
      200: jsonResponse(dvrPlaybackSchema, 'Where the stream plays from its beginning'),
      ...problems(401, 403, 404, 409),
    },
    summary: 'Go back in a live stream',
    description:
      'The recording while it is written: some half a minute behind what `.../playback` shows, and all before that.',
    operationId: 'getDvrPlayback',
    tags,
  }),
  async (c) => {
    const { hlsUrl, query, expiresAt, beganAt } = await requestDvr(c.var.ctx, c.req.valid('param').stream_id);
    return c.json({ hls_url: hlsUrl, query, expires_at: expiresAt, began_at: beganAt }, 200, {
      'cache-control': 'no-store',
    });
  },
);

livePlaybackRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/{stream_id}/metadata',
    request: { params: streamParams, ...jsonBody(timedMetadataBody) },
    responses: { 204: { description: 'It is on its way' }, ...problems(400, 401, 403, 404, 409, 422) },
    summary: 'Send timed metadata with a stream of your own',
    description:
      'Players get the text (ID3, `TXXX`) at the moment of the picture it was sent at. Five a second for a stream.',
    operationId: 'sendTimedMetadata',
    tags,
  }),
  async (c) => {
    await sendMetadata(c.var.ctx, c.req.valid('param').stream_id, c.req.valid('json').metadata);
    return c.body(null, 204);
  },
);

livePlaybackRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/{stream_id}/viewers/{user_id}/revoke',
    request: { params: streamViewerParams },
    responses: { 204: { description: 'They do not watch any more' }, ...problems(401, 404, 422) },
    summary: 'Send a viewer away from a stream of your own',
    description:
      'Their playback ends, and they get no other token for this stream. Block them to keep them from all your streams.',
    operationId: 'revokeViewer',
    tags,
  }),
  async (c) => {
    const { stream_id, user_id } = c.req.valid('param');
    await sendViewerAway(c.var.ctx, stream_id, user_id);
    return c.body(null, 204);
  },
);

livePlaybackRoutes.openapi(
  defineRoute({
    method: 'delete',
    path: '/{stream_id}/viewers/{user_id}/revoke',
    request: { params: streamViewerParams },
    responses: { 204: { description: 'They may watch again' }, ...problems(401, 404) },
    summary: 'Let a viewer back into a stream of your own',
    operationId: 'readmitViewer',
    tags,
  }),
  async (c) => {
    const { stream_id, user_id } = c.req.valid('param');
    await letViewerBack(c.var.ctx, stream_id, user_id);
    return c.body(null, 204);
  },
);
