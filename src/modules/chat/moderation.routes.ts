import { decodeCursor, nextCursor, page, pageQuery } from '../../http/pagination.ts';
import { createRouter, defineRoute, jsonBody, jsonResponse, problems } from '../../http/route.ts';
import { requireViewerId } from '../../http/viewer.ts';
import { streamParams } from '../streams/index.ts';
import {
  actionPageSchema,
  actionsQuery,
  askUnbanBody,
  channelParams,
  decideUnbanBody,
  heldPageSchema,
  heldPositionSchema,
  myUnbanRequestSchema,
  positionSchema,
  standingSchema,
  unbanRequestPageSchema,
  unbanRequestParams,
  unbanRequestsQuery,
} from './moderation.schemas.ts';
import {
  presentAction,
  presentMyUnbanRequest,
  presentStanding,
  presentUnbanRequest,
} from './moderation.views.ts';
import { readActions } from './usecases/channel-rules.ts';
import { readHeld } from './usecases/held.ts';
import {
  askToBeUnbanned,
  decideUnbanRequest,
  getChatStanding,
  listUnbanRequests,
} from './usecases/unban-requests.ts';
import { acknowledgeChatWarning } from './usecases/warnings.ts';

const tags = ['Chat'];

/** Mounted at `/v1`: what people and those who keep order have to do with one another. */
export const chatModerationRoutes = createRouter();

chatModerationRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/streams/{stream_id}/chat/warnings/acknowledge',
    request: { params: streamParams },
    responses: { 204: { description: 'You may write again' }, ...problems(401, 404, 409) },
    summary: 'Acknowledge a warning of a channel',
    operationId: 'acknowledgeChatWarning',
    tags,
  }),
  async (c) => {
    await acknowledgeChatWarning(c.var.ctx, c.req.valid('param').stream_id);
    return c.body(null, 204);
  },
);

chatModerationRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/streams/{stream_id}/chat/held',
    request: { params: streamParams, query: pageQuery },
    responses: {
      200: jsonResponse(heldPageSchema, 'Messages that wait, the oldest first'),
      ...problems(400, 401, 403, 404),
    },
    summary: 'List the messages that wait for a moderator',
    description: 'Decide on each with `approve` or `deny` of `moderateChat`, within five minutes.',
    operationId: 'listHeldChatMessages',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const { limit, cursor } = c.req.valid('query');
    const { cursorSecret } = ctx.config.http;
    const streamId = c.req.valid('param').stream_id;
    const scope = { list: 'chat:held', filters: { streamId }, userId: requireViewerId(ctx) };
    const after = await decodeCursor(cursorSecret, cursor, scope, heldPositionSchema);
    const held = await readHeld(ctx, streamId, { after, limit: limit + 1 });
    const { items, nextPosition } = page(held, limit, ({ id }) => id);
    const data = items.map(({ fragments, ...rest }) => ({ ...rest, fragments: [...fragments] }));
    return c.json({ data, next_cursor: await nextCursor(cursorSecret, scope, nextPosition) }, 200);
  },
);

chatModerationRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/users/{user_id}/chat/standing',
    request: { params: channelParams },
    responses: { 200: jsonResponse(standingSchema, 'What you may do there'), ...problems(401, 404) },
    summary: 'Get my standing in the chat of a channel',
    operationId: 'getChatStanding',
    tags,
  }),
  async (c) => c.json(presentStanding(await getChatStanding(c.var.ctx, c.req.valid('param').user_id)), 200),
);

chatModerationRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/users/{user_id}/chat/unban-requests',
    request: { params: channelParams, ...jsonBody(askUnbanBody) },
    responses: {
      201: jsonResponse(myUnbanRequestSchema, 'The moderators of the channel are asked'),
      ...problems(400, 401, 404, 409, 422),
    },
    summary: 'Ask a channel to lift my ban',
    description: 'Once for each ban.',
    operationId: 'askToBeUnbanned',
    tags,
  }),
  async (c) => {
    const { text } = c.req.valid('json');
    const request = await askToBeUnbanned(c.var.ctx, c.req.valid('param').user_id, text);
    return c.json(presentMyUnbanRequest(request), 201);
  },
);

chatModerationRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/users/{user_id}/chat/unban-requests',
    request: { params: channelParams, query: unbanRequestsQuery },
    responses: {
      200: jsonResponse(unbanRequestPageSchema, 'Requests, newest first'),
      ...problems(400, 401, 403, 404),
    },
    summary: 'List the unban requests of a channel',
    operationId: 'listUnbanRequests',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const { limit, cursor, state } = c.req.valid('query');
    const { cursorSecret } = ctx.config.http;
    const ownerId = c.req.valid('param').user_id;
    const scope = { list: 'chat:unban-requests', filters: { ownerId, state }, userId: requireViewerId(ctx) };
    const before = await decodeCursor(cursorSecret, cursor, scope, positionSchema);
    const rows = await listUnbanRequests(ctx, ownerId, { state, before, limit: limit + 1 });
    const { items, nextPosition } = page(rows, limit, ({ id }) => id);
    return c.json(
      {
        data: items.map((row) => presentUnbanRequest(row, ctx.config.aws.cdnBaseUrl)),
        next_cursor: await nextCursor(cursorSecret, scope, nextPosition),
      },
      200,
    );
  },
);

chatModerationRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/users/{user_id}/chat/unban-requests/{unban_request_id}',
    request: { params: unbanRequestParams, ...jsonBody(decideUnbanBody) },
    responses: { 204: { description: 'Decided' }, ...problems(400, 401, 403, 404, 409, 422) },
    summary: 'Answer an unban request',
    description:
      'Approved, the ban ends in all rooms of the channel. Of two who answer, one gets `chat.nothing_to_do`.',
    operationId: 'decideUnbanRequest',
    tags,
  }),
  async (c) => {
    const { user_id: ownerId, unban_request_id: id } = c.req.valid('param');
    const { decision, note } = c.req.valid('json');
    const state = decision === 'approve' ? 'approved' : 'denied';
    await decideUnbanRequest(c.var.ctx, ownerId, { id, state, note });
    return c.body(null, 204);
  },
);

chatModerationRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/users/{user_id}/chat/actions',
    request: { params: channelParams, query: actionsQuery },
    responses: {
      200: jsonResponse(actionPageSchema, 'What was done, newest first'),
      ...problems(400, 401, 403, 404),
    },
    summary: 'List what was done to keep order in the chat of a channel',
    description: 'For its owner and moderators. Kept for twelve months.',
    operationId: 'listChatActions',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const { limit, cursor, kind, target_id: targetId } = c.req.valid('query');
    const { cursorSecret } = ctx.config.http;
    const ownerId = c.req.valid('param').user_id;
    const filters = { ownerId, kind, targetId };
    const scope = { list: 'chat:actions', filters, userId: requireViewerId(ctx) };
    const before = await decodeCursor(cursorSecret, cursor, scope, positionSchema);
    const rows = await readActions(ctx, ownerId, { kind, targetId, before, limit: limit + 1 });
    const { items, nextPosition } = page(rows, limit, ({ id }) => id);
    const data = items.map(presentAction);
    return c.json({ data, next_cursor: await nextCursor(cursorSecret, scope, nextPosition) }, 200);
  },
);
