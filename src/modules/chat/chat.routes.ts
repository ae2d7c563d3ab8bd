import { createRouter, defineRoute, jsonBody, jsonResponse, problems } from '../../http/route.ts';
import { requireViewerId } from '../../http/viewer.ts';
import { encodeId } from '../../shared/ids.ts';
import { streamNotFound, streamParams } from '../streams/index.ts';
import { chatAsyncApi } from './asyncapi.ts';
import {
  asyncApiSchema,
  chatLogSchema,
  chatRoleBody,
  chatRoleParams,
  connectChatQuery,
  followChatHeaders,
  moderateBody,
  readChatQuery,
  sendMessageBody,
  sendResultSchema,
  voteBody,
} from './chat.schemas.ts';
import { connectToRoom } from './usecases/connect.ts';
import { followRoom } from './usecases/follow.ts';
import { moderateRoom } from './usecases/moderate.ts';
import { readRoom } from './usecases/read.ts';
import { grantChatRole, takeChatRole } from './usecases/roles.ts';
import { sayInRoom } from './usecases/say.ts';
import { voteInRoom } from './usecases/vote.ts';

const tags = ['Chat'];

const continentOf = ({ cf }: Request): string | undefined => cf?.continent as string | undefined;

/** Mounted at `/v1`. */
export const chatRoutes = createRouter();

chatRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/chat/asyncapi.json',
    responses: { 200: jsonResponse(asyncApiSchema, 'An AsyncAPI 3.0 document') },
    summary: 'The wire protocol of chat rooms',
    operationId: 'getChatAsyncApi',
    tags,
  }),
  (c) => c.json(chatAsyncApi(c.req.url), 200, { 'cache-control': 'public, max-age=300' }),
);

chatRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/streams/{stream_id}/chat',
    request: { params: streamParams, query: connectChatQuery },
    responses: {
      101: { description: 'The connection is open; messages are JSON text frames' },
      ...problems(400, 401, 403, 404, 426),
    },
    summary: 'Enter the chat room of a stream',
    description:
      'WebSocket; the frames are described in docs/chat.md. From a browser, offer the subprotocols `social-flow.chat.v1, ticket.<ticket>` with a ticket made for the purpose `chat`. Strangers read only.',
    operationId: 'connectChat',
    tags,
  }),
  (c) =>
    connectToRoom(c.var.ctx, c.req.valid('param').stream_id, {
      // A HEAD request comes here too, but only GET opens a WebSocket (RFC 6455 §4.1).
      upgrade: c.req.method === 'GET' ? c.req.header('upgrade') : undefined,
      origin: c.req.header('origin'),
      protocols: c.req.header('sec-websocket-protocol'),
      token: c.var.token,
      continent: continentOf(c.req.raw),
      after: c.req.valid('query').after,
    }),
);

chatRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/streams/{stream_id}/chat/events',
    request: { params: streamParams, query: connectChatQuery, headers: followChatHeaders },
    responses: {
      200: { description: 'Frames as they come', content: { 'text/event-stream': {} } },
      ...problems(400, 401, 404),
    },
    summary: 'Follow the chat room of a stream by server-sent events',
    description:
      'The frames of the WebSocket, each as `data`; batches have an `id`, from which an `EventSource` goes on by itself. `event: closed` tells why the server ends it. To write, `POST .../messages`.',
    operationId: 'readChatEvents',
    tags,
  }),
  (c) => {
    const { 'last-event-id': last } = c.req.valid('header');
    return followRoom(c.var.ctx, c.req.valid('param').stream_id, {
      token: c.var.token,
      continent: continentOf(c.req.raw),
      after: last ?? c.req.valid('query').after,
    });
  },
);

chatRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/streams/{stream_id}/chat/messages',
    request: { params: streamParams, ...jsonBody(sendMessageBody) },
    responses: {
      200: jsonResponse(sendResultSchema, 'Sent, or dropped for the reason given'),
      ...problems(400, 401, 404, 422),
    },
    summary: 'Say something in the chat room of a stream',
    operationId: 'sendChatMessage',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const { client_id: clientId, text, reply_to: replyTo } = c.req.valid('json');
    const input = {
      clientId,
      text,
      replyTo: replyTo === undefined ? undefined : encodeId('chatMessage', replyTo),
    };
    const result = await sayInRoom(ctx, c.req.valid('param').stream_id, requireViewerId(ctx), input);
    if ('unknown' in result) throw streamNotFound();
    return c.json(result, 200);
  },
);

chatRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/streams/{stream_id}/chat/messages',
    request: { params: streamParams, query: readChatQuery },
    responses: {
      200: jsonResponse(chatLogSchema, 'A run of the log of the room'),
      ...problems(400, 401, 404, 409),
    },
    summary: 'Read the chat room of a stream, without a WebSocket',
    description: 'Ask again with `after` every few seconds.',
    operationId: 'readChat',
    tags,
  }),
  async (c) => {
    const { after, limit } = c.req.valid('query');
    const run = await readRoom(c.var.ctx, c.req.valid('param').stream_id, { after, limit });
    const to = run.items.at(-1)?.seq ?? run.after;
    const events = run.items.map(({ text }) => JSON.parse(text));
    return c.json({ after: run.after, to, events, viewers: run.viewers }, 200);
  },
);

chatRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/streams/{stream_id}/chat/moderation',
    request: { params: streamParams, ...jsonBody(moderateBody) },
    responses: { 204: { description: 'Done' }, ...problems(400, 401, 403, 404, 409, 422) },
    summary: 'Keep order in the chat room of a stream',
    description:
      'For the owner and moderators of the channel. Of two who do the same at once, one gets `chat.nothing_to_do`.',
    operationId: 'moderateChat',
    tags,
  }),
  async (c) => {
    await moderateRoom(c.var.ctx, c.req.valid('param').stream_id, c.req.valid('json'));
    return c.body(null, 204);
  },
);

chatRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/streams/{stream_id}/chat/votes',
    request: { params: streamParams, ...jsonBody(voteBody) },
    responses: { 204: { description: 'Counted' }, ...problems(400, 401, 403, 404, 409, 422) },
    summary: 'Vote in the poll of a chat room',
    description: 'Once for each person and poll.',
    operationId: 'voteInChat',
    tags,
  }),
  async (c) => {
    const { poll_id: pollId, choice } = c.req.valid('json');
    await voteInRoom(c.var.ctx, c.req.valid('param').stream_id, { pollId, choice });
    return c.body(null, 204);
  },
);

chatRoutes.openapi(
  defineRoute({
    method: 'put',
    path: '/me/chat-roles/{user_id}',
    request: { params: chatRoleParams, ...jsonBody(chatRoleBody) },
    responses: { 204: { description: 'They have the role' }, ...problems(400, 401, 404, 422) },
    summary: 'Make somebody a moderator or VIP of my chat',
    operationId: 'grantChatRole',
    tags,
  }),
  async (c) => {
    await grantChatRole(c.var.ctx, c.req.valid('param').user_id, c.req.valid('json').role);
    return c.body(null, 204);
  },
);

chatRoutes.openapi(
  defineRoute({
    method: 'delete',
    path: '/me/chat-roles/{user_id}',
    request: { params: chatRoleParams },
    responses: { 204: { description: 'They have no role' }, ...problems(401, 404) },
    summary: 'Take a role in my chat back',
    operationId: 'takeChatRole',
    tags,
  }),
  async (c) => {
    await takeChatRole(c.var.ctx, c.req.valid('param').user_id);
    return c.body(null, 204);
  },
);
