import { globalEmotes } from '../../../durable-objects/chat-room/emotes.ts';
import { decodeCursor, nextCursor, page, pageQuery } from '../../http/pagination.ts';
import { createRouter, defineRoute, jsonBody, jsonResponse, problems } from '../../http/route.ts';
import { encodeId } from '../../shared/ids.ts';
import { streamParams } from '../streams/index.ts';
import {
  createEmoteBody,
  emoteListSchema,
  emoteParams,
  emoteSchema,
  rejectEmoteBody,
  roomEmotesSchema,
  waitingEmotesSchema,
  waitingPositionSchema,
} from './emotes.schemas.ts';
import { imagesOf, presentEmote } from './emotes.views.ts';
import { createEmote, listEmotes, removeEmote } from './usecases/own-emotes.ts';
import { approveEmote, listEmotesToReview, rejectEmote } from './usecases/review-emotes.ts';
import { emotesOfRoom } from './usecases/room-emotes.ts';

const tags = ['Emotes'];

/** Mounted at `/v1`. */
export const emotesRoutes = createRouter();

emotesRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/me/emotes',
    request: jsonBody(createEmoteBody),
    responses: {
      201: jsonResponse(emoteSchema, 'The emote, which waits for its review'),
      ...problems(400, 401, 409, 422, 503),
    },
    summary: 'Make an emote for my chat',
    description: 'Send its picture first (`POST /v1/me/side-files`). Moderators of the platform look at it.',
    operationId: 'createEmote',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const { name, file_id: fileId, members_only: membersOnly } = c.req.valid('json');
    const emote = await createEmote(ctx, { name, fileId, membersOnly });
    return c.json(presentEmote(emote, ctx.config.aws.cdnBaseUrl), 201);
  },
);

emotesRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/me/emotes',
    responses: { 200: jsonResponse(emoteListSchema, 'Your emotes, newest first'), ...problems(401) },
    summary: 'List the emotes of my chat',
    operationId: 'listEmotes',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const emotes = await listEmotes(ctx);
    return c.json({ data: emotes.map((emote) => presentEmote(emote, ctx.config.aws.cdnBaseUrl)) }, 200);
  },
);

emotesRoutes.openapi(
  defineRoute({
    method: 'delete',
    path: '/me/emotes/{emote_id}',
    request: { params: emoteParams },
    responses: { 204: { description: 'It cannot be used any more' }, ...problems(401, 404) },
    summary: 'Delete an emote of my chat',
    description: 'What was said with it goes on showing it. Its name is free again.',
    operationId: 'deleteEmote',
    tags,
  }),
  async (c) => {
    await removeEmote(c.var.ctx, c.req.valid('param').emote_id);
    return c.body(null, 204);
  },
);

emotesRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/streams/{stream_id}/chat/emotes',
    request: { params: streamParams },
    responses: {
      200: jsonResponse(roomEmotesSchema, 'Emotes of every chat, and of the channel'),
      ...problems(401, 404),
    },
    summary: 'Emotes that can be used in the chat room of a stream',
    operationId: 'listRoomEmotes',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const { cdnBaseUrl } = ctx.config.aws;
    const emotes = await emotesOfRoom(ctx, c.req.valid('param').stream_id);
    return c.json(
      {
        global: Object.entries(globalEmotes).map(([name, emoji]) => ({ name, emoji })),
        channel: emotes.map(({ id, name, format, membersOnly }) => ({
          id: encodeId('emote', id),
          name,
          format,
          members_only: membersOnly,
          images: imagesOf(id, format, cdnBaseUrl),
        })),
        template: `${cdnBaseUrl}/open/emotes/{emote_id}/{size}.{format}`,
      },
      200,
      { 'cache-control': 'private, max-age=60' },
    );
  },
);

emotesRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/admin/emotes',
    request: { query: pageQuery },
    responses: {
      200: jsonResponse(waitingEmotesSchema, 'Emotes that wait, the longest waiting first'),
      ...problems(400, 401, 403),
    },
    summary: 'List emotes to review',
    operationId: 'listEmotesToReview',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const { limit, cursor } = c.req.valid('query');
    const { cursorSecret } = ctx.config.http;
    const scope = { list: 'emotes:waiting', filters: {} };
    const after = await decodeCursor(cursorSecret, cursor, scope, waitingPositionSchema);
    const rows = await listEmotesToReview(ctx, { after, limit: limit + 1 });
    const { items, nextPosition } = page(rows, limit, ({ id }) => id);
    return c.json(
      {
        data: items.map((emote) => ({
          id: encodeId('emote', emote.id),
          name: emote.name,
          format: emote.format,
          members_only: emote.membersOnly,
          owner: { id: encodeId('user', emote.ownerId), username: emote.ownerName },
          preview_url: emote.previewUrl,
          created_at: emote.createdAt,
        })),
        next_cursor: await nextCursor(cursorSecret, scope, nextPosition),
      },
      200,
    );
  },
);

emotesRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/admin/emotes/{emote_id}/approve',
    request: { params: emoteParams },
    responses: {
      204: { description: 'It can be used' },
      ...problems(401, 403, 404, 409, 503),
    },
    summary: 'Approve an emote',
    operationId: 'approveEmote',
    tags,
  }),
  async (c) => {
    await approveEmote(c.var.ctx, c.req.valid('param').emote_id);
    return c.body(null, 204);
  },
);

emotesRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/admin/emotes/{emote_id}/reject',
    request: { params: emoteParams, ...jsonBody(rejectEmoteBody) },
    responses: {
      204: { description: 'Its pictures are gone, and it cannot be used' },
      ...problems(400, 401, 403, 404, 409, 422, 503),
    },
    summary: 'Reject an emote, or take one down',
    operationId: 'rejectEmote',
    tags,
  }),
  async (c) => {
    await rejectEmote(c.var.ctx, c.req.valid('param').emote_id, c.req.valid('json').reason);
    return c.body(null, 204);
  },
);
