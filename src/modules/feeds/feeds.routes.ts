import { decodeCursor, nextCursor, pageQuery } from '../../http/pagination.ts';
import { createRouter, defineRoute, jsonResponse, problems } from '../../http/route.ts';
import { requireViewerId } from '../../http/viewer.ts';
import { postPageSchema, postPositionSchema, presentPost } from '../posts/index.ts';
import { readHomeFeed } from './usecases/read-home-feed.ts';

/** Mounted at `/v1/feeds`. */
export const feedsRoutes = createRouter();

feedsRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/home',
    request: { query: pageQuery },
    responses: {
      200: jsonResponse(postPageSchema, 'Posts, newest first'),
      ...problems(400, 401),
    },
    summary: 'Read my home feed',
    description:
      'My own posts and those of the people I follow. A page may hold fewer posts than `limit`; the feed ends where `next_cursor` is null.',
    operationId: 'readHomeFeed',
    tags: ['Feeds'],
  }),
  async (c) => {
    const { ctx } = c.var;
    const { limit, cursor } = c.req.valid('query');
    const { cursorSecret } = ctx.config.http;
    const scope = { list: 'feed:home', userId: requireViewerId(ctx) };
    const before = await decodeCursor(cursorSecret, cursor, scope, postPositionSchema);
    const { posts, nextBefore } = await readHomeFeed(ctx, { before, limit });
    return c.json(
      {
        data: posts.map((post) => presentPost(post, ctx.config.aws.cdnBaseUrl)),
        next_cursor: await nextCursor(cursorSecret, scope, nextBefore),
      },
      200,
    );
  },
);
