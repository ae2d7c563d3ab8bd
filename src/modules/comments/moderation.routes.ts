import type { RequestContext } from '../../context.ts';
import { decodeCursor, nextCursor, page, pageQuery } from '../../http/pagination.ts';
import { createRouter, defineRoute, jsonBody, jsonResponse, problems } from '../../http/route.ts';
import { requireViewerId } from '../../http/viewer.ts';
import {
  commentIdPositionSchema,
  commentParams,
  commentSchema,
  commentSettingsSchema,
  heldCommentPageSchema,
} from './comments.schemas.ts';
import { type CommentRow, presentComment, presentHeldComment } from './comments.views.ts';
import {
  approveComment,
  getCommentSettings,
  heartComment,
  listHeldComments,
  pinComment,
  rejectComment,
  setCommentSettings,
  unheartComment,
  unpinComment,
} from './usecases/moderate-comments.ts';

const tags = ['Comments'];

/** Mounted at `/v1`: what owners do about the comments on their videos. */
export const commentModerationRoutes = createRouter();

type OnOwnVideo =
  | 'pinComment'
  | 'unpinComment'
  | 'heartComment'
  | 'unheartComment'
  | 'approveComment'
  | 'rejectComment';

function onOwnVideo<const O extends OnOwnVideo>(
  operationId: O,
  method: 'put' | 'delete' | 'post',
  word: string,
  summary: string,
  act: (ctx: RequestContext, id: string) => Promise<CommentRow>,
): void {
  commentModerationRoutes.openapi(
    defineRoute({
      method,
      path: `/comments/{comment_id}/${word}`,
      request: { params: commentParams },
      responses: { 200: jsonResponse(commentSchema, 'The comment as it is now'), ...problems(401, 404, 409) },
      summary,
      operationId,
      tags,
    }),
    async (c) => {
      const { ctx } = c.var;
      const comment = await act(ctx, c.req.valid('param').comment_id);
      return c.json(presentComment(comment, ctx.config.aws.cdnBaseUrl), 200);
    },
  );
}

onOwnVideo(
  'pinComment',
  'put',
  'pin',
  'Pin a comment on a video of your own, in place of another',
  pinComment,
);
onOwnVideo('unpinComment', 'delete', 'pin', 'Take the pin off a comment', unpinComment);
onOwnVideo('heartComment', 'put', 'heart', 'Give a comment on a video of your own a heart', heartComment);
onOwnVideo('unheartComment', 'delete', 'heart', 'Take the heart back', unheartComment);
onOwnVideo('approveComment', 'post', 'approve', 'Let others see a comment that was held', approveComment);
onOwnVideo('rejectComment', 'post', 'reject', 'Keep a comment from others', rejectComment);

commentModerationRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/me/held-comments',
    request: { query: pageQuery },
    responses: {
      200: jsonResponse(heldCommentPageSchema, 'Comments that wait for me, newest first'),
      ...problems(400, 401),
    },
    summary: 'List the comments on my videos that wait to be approved',
    operationId: 'listHeldComments',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const { limit, cursor } = c.req.valid('query');
    const { cursorSecret } = ctx.config.http;
    const scope = { list: 'comments:held', userId: requireViewerId(ctx) };
    const before = await decodeCursor(cursorSecret, cursor, scope, commentIdPositionSchema);
    const rows = await listHeldComments(ctx, { before, limit: limit + 1 });
    const { items, nextPosition } = page(rows, limit, ({ id }) => id);
    return c.json(
      {
        data: items.map((comment) => presentHeldComment(comment, ctx.config.aws.cdnBaseUrl)),
        next_cursor: await nextCursor(cursorSecret, scope, nextPosition),
      },
      200,
    );
  },
);

commentModerationRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/me/comment-settings',
    responses: { 200: jsonResponse(commentSettingsSchema, 'My settings'), ...problems(401) },
    summary: 'Get how comments on my videos are looked at',
    operationId: 'getCommentSettings',
    tags,
  }),
  async (c) => c.json(await getCommentSettings(c.var.ctx), 200),
);

commentModerationRoutes.openapi(
  defineRoute({
    method: 'put',
    path: '/me/comment-settings',
    request: jsonBody(commentSettingsSchema),
    responses: { 200: jsonResponse(commentSettingsSchema, 'My settings'), ...problems(400, 401, 422) },
    summary: 'Set how comments on my videos are looked at',
    description: 'For comments made from now on; those made before stay as they are.',
    operationId: 'setCommentSettings',
    tags,
  }),
  async (c) => c.json(await setCommentSettings(c.var.ctx, c.req.valid('json')), 200),
);
