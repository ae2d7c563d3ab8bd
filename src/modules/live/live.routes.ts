import { createRouter, defineRoute, jsonBody, jsonResponse, problems } from '../../http/route.ts';
import { liveChannelSchema, newStreamKeySchema, updateChannelBody } from './live.schemas.ts';
import { presentChannel } from './live.views.ts';
import { createMyChannel, getMyChannel, updateMyChannel } from './usecases/manage-channel.ts';
import { makeMyStreamKey, revokeMyStreamKey } from './usecases/stream-key.ts';

const tags = ['Live channels'];

/** Mounted at `/v1/me/live/channel`. Keys take no Idempotency-Key: a kept answer would be a store of keys. */
export const liveChannelRoutes = createRouter();

liveChannelRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/',
    responses: {
      200: jsonResponse(liveChannelSchema, 'The channel the caller had'),
      201: jsonResponse(liveChannelSchema, 'The new channel'),
      ...problems(401, 403),
    },
    summary: 'Create my live channel',
    description: 'Each account has one. Needs a verified e-mail address.',
    operationId: 'createLiveChannel',
    tags,
  }),
  async (c) => {
    const { channel, isNew } = await createMyChannel(c.var.ctx);
    return c.json(presentChannel(channel, c.var.ctx.config.live), isNew ? 201 : 200);
  },
);

liveChannelRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/',
    responses: { 200: jsonResponse(liveChannelSchema, 'The channel of the caller'), ...problems(401, 404) },
    summary: 'Get my live channel',
    operationId: 'getLiveChannel',
    tags,
  }),
  async (c) => c.json(presentChannel(await getMyChannel(c.var.ctx), c.var.ctx.config.live), 200),
);

liveChannelRoutes.openapi(
  defineRoute({
    method: 'patch',
    path: '/',
    request: jsonBody(updateChannelBody),
    responses: {
      200: jsonResponse(liveChannelSchema, 'The changed channel'),
      ...problems(400, 401, 404, 409, 422),
    },
    summary: 'Change my live channel',
    description: 'Not while it is live.',
    operationId: 'updateLiveChannel',
    tags,
  }),
  async (c) =>
    c.json(presentChannel(await updateMyChannel(c.var.ctx, c.req.valid('json')), c.var.ctx.config.live), 200),
);

liveChannelRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/stream-key',
    responses: {
      201: jsonResponse(newStreamKeySchema, 'The key, shown this once'),
      ...problems(401, 403, 404, 409),
    },
    summary: 'Make a new stream key for my live channel',
    description:
      'The key before it is good no more. A broadcast that began with it goes on until its encoder disconnects; revoke the key to end it.',
    operationId: 'createStreamKey',
    tags,
  }),
  async (c) => {
    const { value, fingerprint, madeAt, srt } = await makeMyStreamKey(c.var.ctx);
    return c.json(
      {
        stream_key: value,
        fingerprint,
        made_at: madeAt,
        srt: srt === null ? null : { url: srt.url, stream_id: value, passphrase: srt.passphrase },
      },
      201,
      { 'cache-control': 'no-store' },
    );
  },
);

liveChannelRoutes.openapi(
  defineRoute({
    method: 'delete',
    path: '/stream-key',
    responses: { 204: { description: 'The key is revoked' }, ...problems(401, 404) },
    summary: 'Revoke the stream key of my live channel',
    description:
      'What is on air ends. Without a key there is nothing to revoke, and what is on air ends, too.',
    operationId: 'revokeStreamKey',
    tags,
  }),
  async (c) => {
    await revokeMyStreamKey(c.var.ctx);
    return c.body(null, 204);
  },
);
