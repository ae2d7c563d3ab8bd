import { decodeCursor, nextCursor, page } from '../../http/pagination.ts';
import { createRouter, defineRoute, jsonBody, jsonResponse, problems } from '../../http/route.ts';
import { requireViewerId } from '../../http/viewer.ts';
import {
  addTermBody,
  autoModerationSchema,
  botBody,
  channelParams,
  positionSchema,
  shieldPresetSchema,
  shieldSchema,
  termPageSchema,
  termParams,
  termSchema,
  termsQuery,
} from './moderation.schemas.ts';
import { presentShield, presentTerm } from './moderation.views.ts';
import { endChatBot, verifyChatBot } from './usecases/bots.ts';
import {
  addTerm,
  changeAutoModeration,
  changeShieldPreset,
  getAutoModeration,
  getShield,
  readTerms,
  removeTerm,
} from './usecases/channel-rules.ts';

const tags = ['Chat'];

/** Mounted at `/v1`: what holds in all chats of a channel. */
export const chatChannelRoutes = createRouter();

chatChannelRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/users/{user_id}/chat/shield',
    request: { params: channelParams },
    responses: { 200: jsonResponse(shieldSchema, 'The shield'), ...problems(401, 403, 404) },
    summary: 'Get the shield of a channel’s chat',
    operationId: 'getChatShield',
    tags,
  }),
  async (c) => c.json(presentShield(await getShield(c.var.ctx, c.req.valid('param').user_id)), 200),
);

chatChannelRoutes.openapi(
  defineRoute({
    method: 'put',
    path: '/users/{user_id}/chat/shield',
    request: { params: channelParams, ...jsonBody(shieldPresetSchema) },
    responses: { 200: jsonResponse(shieldSchema, 'The shield'), ...problems(400, 401, 403, 404, 422) },
    summary: 'Choose what the shield of a channel’s chat does',
    description: 'Raise and lower it with `shield` of `moderateChat`.',
    operationId: 'setChatShieldPreset',
    tags,
  }),
  async (c) => {
    const preset = c.req.valid('json');
    return c.json(
      presentShield(await changeShieldPreset(c.var.ctx, c.req.valid('param').user_id, preset)),
      200,
    );
  },
);

chatChannelRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/users/{user_id}/chat/auto-moderation',
    request: { params: channelParams },
    responses: { 200: jsonResponse(autoModerationSchema, 'Levels by category'), ...problems(401, 403, 404) },
    summary: 'Get the auto-moderation of a channel’s chat',
    operationId: 'getChatAutoModeration',
    tags,
  }),
  async (c) => c.json(await getAutoModeration(c.var.ctx, c.req.valid('param').user_id), 200),
);

chatChannelRoutes.openapi(
  defineRoute({
    method: 'put',
    path: '/users/{user_id}/chat/auto-moderation',
    request: { params: channelParams, ...jsonBody(autoModerationSchema) },
    responses: {
      200: jsonResponse(autoModerationSchema, 'Levels by category'),
      ...problems(400, 401, 403, 404, 422),
    },
    summary: 'Change the auto-moderation of a channel’s chat',
    operationId: 'setChatAutoModeration',
    tags,
  }),
  async (c) =>
    c.json(await changeAutoModeration(c.var.ctx, c.req.valid('param').user_id, c.req.valid('json')), 200),
);

chatChannelRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/users/{user_id}/chat/terms',
    request: { params: channelParams, query: termsQuery },
    responses: {
      200: jsonResponse(termPageSchema, 'Terms, newest first'),
      ...problems(400, 401, 403, 404),
    },
    summary: 'List the blocked or permitted terms of a channel’s chat',
    operationId: 'listChatTerms',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const { limit, cursor, kind } = c.req.valid('query');
    const { cursorSecret } = ctx.config.http;
    const ownerId = c.req.valid('param').user_id;
    const scope = { list: 'chat:terms', filters: { ownerId, kind }, userId: requireViewerId(ctx) };
    const before = await decodeCursor(cursorSecret, cursor, scope, positionSchema);
    const rows = await readTerms(ctx, ownerId, { kind, before, limit: limit + 1 });
    const { items, nextPosition } = page(rows, limit, ({ id }) => id);
    const data = items.map(presentTerm);
    return c.json({ data, next_cursor: await nextCursor(cursorSecret, scope, nextPosition) }, 200);
  },
);

chatChannelRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/users/{user_id}/chat/terms',
    request: { params: channelParams, ...jsonBody(addTermBody) },
    responses: { 201: jsonResponse(termSchema, 'The term'), ...problems(400, 401, 403, 404, 409, 422) },
    summary: 'Block or permit a term in the chat of a channel',
    description: 'Up to 500 of each kind. One that is there already stays as it is.',
    operationId: 'addChatTerm',
    tags,
  }),
  async (c) => {
    const term = await addTerm(c.var.ctx, c.req.valid('param').user_id, c.req.valid('json'));
    return c.json(presentTerm(term), 201);
  },
);

chatChannelRoutes.openapi(
  defineRoute({
    method: 'delete',
    path: '/users/{user_id}/chat/terms/{term_id}',
    request: { params: termParams },
    responses: { 204: { description: 'It is gone' }, ...problems(401, 403, 404) },
    summary: 'Remove a term',
    operationId: 'removeChatTerm',
    tags,
  }),
  async (c) => {
    const { user_id: ownerId, term_id: id } = c.req.valid('param');
    await removeTerm(c.var.ctx, ownerId, id);
    return c.body(null, 204);
  },
);

chatChannelRoutes.openapi(
  defineRoute({
    method: 'put',
    path: '/admin/chat-bots/{user_id}',
    request: { params: channelParams, ...jsonBody(botBody) },
    responses: {
      204: { description: 'It is a verified bot' },
      ...problems(400, 401, 403, 404, 422),
    },
    summary: 'Verify the account of a program, and set how much it may write in chats',
    operationId: 'verifyChatBot',
    tags: ['Administration'],
  }),
  async (c) => {
    const { messages_per_30_seconds: messages } = c.req.valid('json');
    await verifyChatBot(c.var.ctx, c.req.valid('param').user_id, messages);
    return c.body(null, 204);
  },
);

chatChannelRoutes.openapi(
  defineRoute({
    method: 'delete',
    path: '/admin/chat-bots/{user_id}',
    request: { params: channelParams },
    responses: { 204: { description: 'It is none any more' }, ...problems(401, 403, 404) },
    summary: 'Treat the account of a program as everybody else’s again',
    operationId: 'endChatBot',
    tags: ['Administration'],
  }),
  async (c) => {
    await endChatBot(c.var.ctx, c.req.valid('param').user_id);
    return c.body(null, 204);
  },
);
