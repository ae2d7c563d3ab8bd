import type { RequestContext } from '../../context.ts';
import { type CursorScope, decodeCursor, nextCursor, page, pageQuery } from '../../http/pagination.ts';
import { createRouter, defineRoute, jsonResponse, problems } from '../../http/route.ts';
import { requireViewerId } from '../../http/viewer.ts';
import { presentUserSummary } from '../users/index.ts';
import type { ListedUser, ListRequest } from './graph.repository.ts';
import {
  blockSchema,
  followSchema,
  listPositionSchema,
  userPageSchema,
  userParams,
} from './graph.schemas.ts';
import {
  blockUser,
  followUser,
  getBlocked,
  getConnections,
  unblockUser,
  unfollowUser,
} from './graph.usecases.ts';

const tags = ['Graph'];

/** Mounted at `/v1`. */
export const graphRoutes = createRouter();

graphRoutes.openapi(
  defineRoute({
    method: 'put',
    path: '/users/{user_id}/follow',
    request: { params: userParams },
    responses: {
      200: jsonResponse(followSchema, 'The caller follows the user'),
      ...problems(401, 403, 404, 422),
    },
    summary: 'Follow a user',
    operationId: 'followUser',
    tags,
  }),
  async (c) => {
    await followUser(c.var.ctx, c.req.valid('param').user_id);
    return c.json({ following: true }, 200);
  },
);

graphRoutes.openapi(
  defineRoute({
    method: 'delete',
    path: '/users/{user_id}/follow',
    request: { params: userParams },
    responses: {
      200: jsonResponse(followSchema, 'The caller does not follow the user'),
      ...problems(401, 404, 422),
    },
    summary: 'Stop following a user',
    operationId: 'unfollowUser',
    tags,
  }),
  async (c) => {
    await unfollowUser(c.var.ctx, c.req.valid('param').user_id);
    return c.json({ following: false }, 200);
  },
);

graphRoutes.openapi(
  defineRoute({
    method: 'put',
    path: '/users/{user_id}/block',
    request: { params: userParams },
    responses: {
      200: jsonResponse(blockSchema, 'The caller blocks the user'),
      ...problems(401, 404, 422),
    },
    summary: 'Block a user',
    description: 'Neither sees the posts of the other from now on. Follows between the two end, both ways.',
    operationId: 'blockUser',
    tags,
  }),
  async (c) => {
    await blockUser(c.var.ctx, c.req.valid('param').user_id);
    return c.json({ blocking: true }, 200);
  },
);

graphRoutes.openapi(
  defineRoute({
    method: 'delete',
    path: '/users/{user_id}/block',
    request: { params: userParams },
    responses: {
      200: jsonResponse(blockSchema, 'The caller does not block the user'),
      ...problems(401, 404, 422),
    },
    summary: 'Unblock a user',
    operationId: 'unblockUser',
    tags,
  }),
  async (c) => {
    await unblockUser(c.var.ctx, c.req.valid('param').user_id);
    return c.json({ blocking: false }, 200);
  },
);

for (const { which, summary, operationId } of [
  { which: 'followers', summary: 'List who follows a user', operationId: 'listFollowers' },
  { which: 'following', summary: 'List whom a user follows', operationId: 'listFollowing' },
] as const)
  graphRoutes.openapi(
    defineRoute({
      method: 'get',
      path: `/users/{user_id}/${which}`,
      request: { params: userParams, query: pageQuery },
      responses: { 200: jsonResponse(userPageSchema, 'Users, latest first'), ...problems(400, 401, 404) },
      summary,
      operationId,
      tags,
    }),
    async (c) => {
      const { ctx } = c.var;
      const { user_id: userId } = c.req.valid('param');
      const scope = { list: `user:${which}`, filters: { user: userId } };
      const list = await userPage(ctx, scope, c.req.valid('query'), (request) =>
        getConnections(ctx, which, userId, request),
      );
      return c.json(list, 200);
    },
  );

graphRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/me/blocks',
    request: { query: pageQuery },
    responses: { 200: jsonResponse(userPageSchema, 'Users, latest first'), ...problems(400, 401) },
    summary: 'List whom I block',
    operationId: 'listBlocks',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const scope = { list: 'me:blocks', userId: requireViewerId(ctx) };
    const list = await userPage(ctx, scope, c.req.valid('query'), (request) => getBlocked(ctx, request));
    return c.json(list, 200);
  },
);

async function userPage(
  ctx: RequestContext,
  scope: CursorScope,
  query: { readonly limit: number; readonly cursor?: string | undefined },
  load: (request: ListRequest) => Promise<ListedUser[]>,
) {
  const { cursorSecret } = ctx.config.http;
  const after = await decodeCursor(cursorSecret, query.cursor, scope, listPositionSchema);
  const rows = await load({ after, limit: query.limit + 1 });
  const { items, nextPosition } = page(rows, query.limit, ({ since, user }) => ({ since, id: user.id }));
  return {
    data: items.map(({ user }) => presentUserSummary(user, ctx.config.aws.cdnBaseUrl)),
    next_cursor: await nextCursor(cursorSecret, scope, nextPosition),
  };
}
