import { withEtag } from '../../http/etag.ts';
import { decodeCursor, nextCursor, page, pageQuery } from '../../http/pagination.ts';
import { createRouter, defineRoute, jsonBody, jsonResponse, problems } from '../../http/route.ts';
import {
  authorParams,
  createPostBody,
  likeSchema,
  postPageSchema,
  postParams,
  postPositionSchema,
  postSchema,
} from './posts.schemas.ts';
import {
  createPost,
  deletePost,
  getPost,
  getProfileTimeline,
  type LikeState,
  likePost,
  unlikePost,
} from './posts.usecases.ts';
import { presentPost } from './posts.views.ts';

const tags = ['Posts'];

/** Mounted at `/v1`. */
export const postsRoutes = createRouter();

postsRoutes.use('/posts/:post_id', withEtag());

postsRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/posts',
    request: jsonBody(createPostBody),
    responses: { 201: jsonResponse(postSchema, 'The new post'), ...problems(400, 401, 403, 422) },
    summary: 'Post text, a video of your own, or both',
    description: 'Mentions, hashtags and links in the text are found by the server and returned as facets.',
    operationId: 'createPost',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const { text, video_id } = c.req.valid('json');
    const post = await createPost(ctx, { text, videoId: video_id ?? undefined });
    return c.json(presentPost(post, ctx.config.aws.cdnBaseUrl), 201);
  },
);

postsRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/posts/{post_id}',
    request: { params: postParams },
    responses: { 200: jsonResponse(postSchema, 'The post'), ...problems(401, 404) },
    summary: 'Get a post',
    operationId: 'getPost',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const post = await getPost(ctx, c.req.valid('param').post_id);
    return c.json(presentPost(post, ctx.config.aws.cdnBaseUrl), 200);
  },
);

postsRoutes.openapi(
  defineRoute({
    method: 'delete',
    path: '/posts/{post_id}',
    request: { params: postParams },
    responses: { 204: { description: 'The post is deleted' }, ...problems(401, 404) },
    summary: 'Delete a post of your own',
    operationId: 'deletePost',
    tags,
  }),
  async (c) => {
    await deletePost(c.var.ctx, c.req.valid('param').post_id);
    return c.body(null, 204);
  },
);

const presentLike = ({ liked, likes }: LikeState) => ({ liked, like_count: likes });

postsRoutes.openapi(
  defineRoute({
    method: 'put',
    path: '/posts/{post_id}/like',
    request: { params: postParams },
    responses: { 200: jsonResponse(likeSchema, 'The post is liked'), ...problems(401, 404) },
    summary: 'Like a post',
    operationId: 'likePost',
    tags,
  }),
  async (c) => c.json(presentLike(await likePost(c.var.ctx, c.req.valid('param').post_id)), 200),
);

postsRoutes.openapi(
  defineRoute({
    method: 'delete',
    path: '/posts/{post_id}/like',
    request: { params: postParams },
    responses: { 200: jsonResponse(likeSchema, 'The post is not liked'), ...problems(401, 404) },
    summary: 'Take a like back',
    operationId: 'unlikePost',
    tags,
  }),
  async (c) => c.json(presentLike(await unlikePost(c.var.ctx, c.req.valid('param').post_id)), 200),
);

postsRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/users/{user_id}/posts',
    request: { params: authorParams, query: pageQuery },
    responses: {
      200: jsonResponse(postPageSchema, 'Posts of the user, newest first'),
      ...problems(400, 401, 404),
    },
    summary: 'List the posts of a user',
    operationId: 'listUserPosts',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const { user_id: authorId } = c.req.valid('param');
    const { limit, cursor } = c.req.valid('query');
    const { cursorSecret } = ctx.config.http;
    const scope = { list: 'user:posts', filters: { author: authorId } };
    const before = await decodeCursor(cursorSecret, cursor, scope, postPositionSchema);
    const rows = await getProfileTimeline(ctx, authorId, { before, limit: limit + 1 });
    const { items, nextPosition } = page(rows, limit, (post) => post.id);
    return c.json(
      {
        data: items.map((post) => presentPost(post, ctx.config.aws.cdnBaseUrl)),
        next_cursor: await nextCursor(cursorSecret, scope, nextPosition),
      },
      200,
    );
  },
);
