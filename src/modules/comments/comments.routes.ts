import { withEtag } from '../../http/etag.ts';
import { decodeCursor, nextCursor, page, pageQuery } from '../../http/pagination.ts';
import { createRouter, defineRoute, jsonBody, jsonResponse, problems } from '../../http/route.ts';
import {
  type CommentPosition,
  commentedVideoParams,
  commentIdPositionSchema,
  commentLikeSchema,
  commentPageSchema,
  commentParams,
  commentPositionSchema,
  commentSchema,
  commentsQuery,
  createCommentBody,
  updateCommentBody,
} from './comments.schemas.ts';
import { type CommentRow, presentComment } from './comments.views.ts';
import { getComment, listComments, listReplies } from './usecases/read-comments.ts';
import {
  createComment,
  deleteComment,
  editComment,
  type LikeState,
  likeComment,
  unlikeComment,
} from './usecases/write-comments.ts';

const tags = ['Comments'];

/** Mounted at `/v1`. */
export const commentsRoutes = createRouter();

commentsRoutes.use('/comments/:comment_id', withEtag());

commentsRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/videos/{video_id}/comments',
    request: { params: commentedVideoParams, ...jsonBody(createCommentBody) },
    responses: {
      201: jsonResponse(commentSchema, 'The new comment; others do not see it while it is `held`'),
      ...problems(400, 401, 403, 404, 422),
    },
    summary: 'Comment on a video, or answer a comment on it',
    description: 'Mentions, hashtags and links in the text are found by the server and returned as facets.',
    operationId: 'createComment',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const { text, parent_id } = c.req.valid('json');
    const videoId = c.req.valid('param').video_id;
    const comment = await createComment(ctx, { videoId, text, parentId: parent_id ?? undefined });
    return c.json(presentComment(comment, ctx.config.aws.cdnBaseUrl), 201);
  },
);

const positionOf = (comment: CommentRow): CommentPosition =>
  comment.pinned ? null : { likes: comment.rank, id: comment.id };

commentsRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/videos/{video_id}/comments',
    request: { params: commentedVideoParams, query: commentsQuery },
    responses: {
      200: jsonResponse(commentPageSchema, 'Comments that answer no other'),
      ...problems(400, 401, 404),
    },
    summary: 'List the comments of a video',
    description:
      'The pinned comment first, then by likes (`top`) or by time (`newest`). Likes change while a list is read: a comment may come twice or be missed at the seam of two pages.',
    operationId: 'listComments',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const videoId = c.req.valid('param').video_id;
    const { limit, cursor, order } = c.req.valid('query');
    const { cursorSecret } = ctx.config.http;
    const scope = { list: 'comments', filters: { videoId, order } };
    const after = await decodeCursor(cursorSecret, cursor, scope, commentPositionSchema);
    const rows = await listComments(ctx, { videoId, order, after, limit: limit + 1 });
    const { items, nextPosition } = page(rows, limit, positionOf);
    return c.json(
      {
        data: items.map((comment) => presentComment(comment, ctx.config.aws.cdnBaseUrl)),
        next_cursor: await nextCursor(cursorSecret, scope, nextPosition),
      },
      200,
    );
  },
);

commentsRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/comments/{comment_id}',
    request: { params: commentParams },
    responses: {
      200: jsonResponse(commentSchema, 'The comment'),
      304: { description: 'The client has this version already' },
      ...problems(401, 404),
    },
    summary: 'Get a comment',
    operationId: 'getComment',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const comment = await getComment(ctx, c.req.valid('param').comment_id);
    return c.json(presentComment(comment, ctx.config.aws.cdnBaseUrl), 200);
  },
);

commentsRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/comments/{comment_id}/replies',
    request: { params: commentParams, query: pageQuery },
    responses: {
      200: jsonResponse(commentPageSchema, 'The answers in the thread, oldest first'),
      ...problems(400, 401, 404),
    },
    summary: 'List the answers in the thread of a comment',
    description:
      'Of all depths; `parent_id` and `depth` say what each answers. Empty for a comment that is itself an answer.',
    operationId: 'listReplies',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const rootId = c.req.valid('param').comment_id;
    const { limit, cursor } = c.req.valid('query');
    const { cursorSecret } = ctx.config.http;
    const scope = { list: 'comments:replies', filters: { rootId } };
    const after = await decodeCursor(cursorSecret, cursor, scope, commentIdPositionSchema);
    const rows = await listReplies(ctx, { rootId, after, limit: limit + 1 });
    const { items, nextPosition } = page(rows, limit, ({ id }) => id);
    return c.json(
      {
        data: items.map((comment) => presentComment(comment, ctx.config.aws.cdnBaseUrl)),
        next_cursor: await nextCursor(cursorSecret, scope, nextPosition),
      },
      200,
    );
  },
);

commentsRoutes.openapi(
  defineRoute({
    method: 'patch',
    path: '/comments/{comment_id}',
    request: { params: commentParams, ...jsonBody(updateCommentBody) },
    responses: {
      200: jsonResponse(commentSchema, 'The changed comment; it may be `held` now'),
      ...problems(400, 401, 404, 409, 422),
    },
    summary: 'Change a comment of your own',
    operationId: 'updateComment',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const comment = await editComment(ctx, c.req.valid('param').comment_id, c.req.valid('json').text);
    return c.json(presentComment(comment, ctx.config.aws.cdnBaseUrl), 200);
  },
);

commentsRoutes.openapi(
  defineRoute({
    method: 'delete',
    path: '/comments/{comment_id}',
    request: { params: commentParams },
    responses: { 204: { description: 'The comment is deleted' }, ...problems(401, 404) },
    summary: 'Delete a comment of your own, or one on a video of your own',
    operationId: 'deleteComment',
    tags,
  }),
  async (c) => {
    await deleteComment(c.var.ctx, c.req.valid('param').comment_id);
    return c.body(null, 204);
  },
);

const presentLike = ({ liked, likes }: LikeState) => ({ liked, like_count: likes });

commentsRoutes.openapi(
  defineRoute({
    method: 'put',
    path: '/comments/{comment_id}/like',
    request: { params: commentParams },
    responses: {
      200: jsonResponse(commentLikeSchema, 'The comment is liked'),
      ...problems(401, 404, 409),
    },
    summary: 'Like a comment',
    operationId: 'likeComment',
    tags,
  }),
  async (c) => c.json(presentLike(await likeComment(c.var.ctx, c.req.valid('param').comment_id)), 200),
);

commentsRoutes.openapi(
  defineRoute({
    method: 'delete',
    path: '/comments/{comment_id}/like',
    request: { params: commentParams },
    responses: {
      200: jsonResponse(commentLikeSchema, 'The comment is not liked'),
      ...problems(401, 404),
    },
    summary: 'Take the like of a comment back',
    operationId: 'unlikeComment',
    tags,
  }),
  async (c) => c.json(presentLike(await unlikeComment(c.var.ctx, c.req.valid('param').comment_id)), 200),
);
