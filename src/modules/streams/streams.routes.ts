import { withEtag } from '../../http/etag.ts';
import { decodeCursor, nextCursor, page, pageQuery } from '../../http/pagination.ts';
import { createRouter, defineRoute, jsonBody, jsonResponse, problems } from '../../http/route.ts';
import {
  createStreamBody,
  directoryPositionSchema,
  directoryQuery,
  streamOwnerParams,
  streamPageSchema,
  streamParams,
  streamPositionSchema,
  streamSchema,
  updateStreamBody,
} from './streams.schemas.ts';
import {
  cancelStream,
  createStream,
  getStream,
  listLiveStreams,
  listStreams,
  updateStream,
} from './streams.usecases.ts';
import { presentStream } from './streams.views.ts';

const tags = ['Streams'];

/** Mounted at `/v1`. */
export const streamsRoutes = createRouter();

streamsRoutes.use('/streams/:stream_id', withEtag());

streamsRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/streams',
    request: jsonBody(createStreamBody),
    responses: { 201: jsonResponse(streamSchema, 'The announced stream'), ...problems(400, 401, 409, 422) },
    summary: 'Announce a stream',
    description: 'Its chat room is open from then on.',
    operationId: 'createStream',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const { scheduled_at: scheduledAt, ...rest } = c.req.valid('json');
    const stream = await createStream(ctx, { ...rest, scheduledAt });
    return c.json(presentStream(stream, ctx.config.aws.cdnBaseUrl), 201);
  },
);

streamsRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/streams',
    request: { query: directoryQuery },
    responses: {
      200: jsonResponse(streamPageSchema, 'Public streams that are live, the most watched first'),
      ...problems(400, 401),
    },
    summary: 'List live streams',
    description: 'Numbers of viewers change while a list is read: a stream may be left out, or come twice.',
    operationId: 'listLiveStreams',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const { limit, cursor } = c.req.valid('query');
    const { cursorSecret } = ctx.config.http;
    const scope = { list: 'streams:live' };
    const after = await decodeCursor(cursorSecret, cursor, scope, directoryPositionSchema);
    const rows = await listLiveStreams(ctx, { after, limit: limit + 1 });
    const { items, nextPosition } = page(rows, limit, ({ viewers, id }) => ({ viewers, id }));
    return c.json(
      {
        data: items.map((stream) => presentStream(stream, ctx.config.aws.cdnBaseUrl)),
        next_cursor: await nextCursor(cursorSecret, scope, nextPosition),
      },
      200,
    );
  },
);

streamsRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/streams/{stream_id}',
    request: { params: streamParams },
    responses: {
      200: jsonResponse(streamSchema, 'The stream'),
      304: { description: 'The client has this version already' },
      ...problems(401, 404),
    },
    summary: 'Get a stream',
    operationId: 'getStream',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const stream = await getStream(ctx, c.req.valid('param').stream_id);
    return c.json(presentStream(stream, ctx.config.aws.cdnBaseUrl), 200);
  },
);

streamsRoutes.openapi(
  defineRoute({
    method: 'patch',
    path: '/streams/{stream_id}',
    request: { params: streamParams, ...jsonBody(updateStreamBody) },
    responses: { 200: jsonResponse(streamSchema, 'The changed stream'), ...problems(400, 401, 404, 422) },
    summary: 'Change a stream of your own',
    operationId: 'updateStream',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const stream = await updateStream(ctx, c.req.valid('param').stream_id, c.req.valid('json'));
    return c.json(presentStream(stream, ctx.config.aws.cdnBaseUrl), 200);
  },
);

streamsRoutes.openapi(
  defineRoute({
    method: 'delete',
    path: '/streams/{stream_id}',
    request: { params: streamParams },
    responses: { 204: { description: 'The stream is canceled' }, ...problems(401, 404, 409) },
    summary: 'Cancel a stream of your own',
    operationId: 'cancelStream',
    tags,
  }),
  async (c) => {
    await cancelStream(c.var.ctx, c.req.valid('param').stream_id);
    return c.body(null, 204);
  },
);

streamsRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/users/{user_id}/streams',
    request: { params: streamOwnerParams, query: pageQuery },
    responses: {
      200: jsonResponse(streamPageSchema, 'Streams of the user, newest first'),
      ...problems(400, 401, 404),
    },
    summary: 'List the streams of a user',
    operationId: 'listUserStreams',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const { limit, cursor } = c.req.valid('query');
    const { cursorSecret } = ctx.config.http;
    const ownerId = c.req.valid('param').user_id;
    const scope = { list: 'streams:user', filters: { ownerId } };
    const before = await decodeCursor(cursorSecret, cursor, scope, streamPositionSchema);
    const rows = await listStreams(ctx, ownerId, { before, limit: limit + 1 });
    const { items, nextPosition } = page(rows, limit, ({ id }) => id);
    return c.json(
      {
        data: items.map((stream) => presentStream(stream, ctx.config.aws.cdnBaseUrl)),
        next_cursor: await nextCursor(cursorSecret, scope, nextPosition),
      },
      200,
    );
  },
);
