import { decodeCursor, nextCursor, page, pageQuery } from '../../http/pagination.ts';
import { createRouter, defineRoute, jsonBody, jsonResponse, problems } from '../../http/route.ts';
import { requireViewerId } from '../../http/viewer.ts';
import { presentUserSummary } from '../users/index.ts';
import {
  grantMembershipBody,
  memberPageSchema,
  memberParams,
  memberPositionSchema,
  membershipSchema,
} from './members.schemas.ts';
import { endMembership, grantMembership, listMembers } from './members.usecases.ts';

const tags = ['Members'];

/** Mounted at `/v1/me/members`. */
export const membersRoutes = createRouter();

membersRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/',
    request: { query: pageQuery },
    responses: {
      200: jsonResponse(memberPageSchema, 'Members of my channel, latest first'),
      ...problems(400, 401),
    },
    summary: 'List the members of my channel',
    operationId: 'listMembers',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const { cursorSecret } = ctx.config.http;
    const { limit, cursor } = c.req.valid('query');
    const scope = { list: 'me:members', userId: requireViewerId(ctx) };
    const after = await decodeCursor(cursorSecret, cursor, scope, memberPositionSchema);
    const rows = await listMembers(ctx, { after, limit: limit + 1 });
    const { items, nextPosition } = page(rows, limit, ({ grantedAt, user }) => ({ grantedAt, id: user.id }));
    return c.json(
      {
        data: items.map(({ user, grantedAt, expiresAt }) => ({
          user: presentUserSummary(user, ctx.config.aws.cdnBaseUrl),
          granted_at: new Date(grantedAt).toISOString(),
          expires_at: expiresAt === null ? null : new Date(expiresAt).toISOString(),
        })),
        next_cursor: await nextCursor(cursorSecret, scope, nextPosition),
      },
      200,
    );
  },
);

membersRoutes.openapi(
  defineRoute({
    method: 'put',
    path: '/{user_id}',
    request: { params: memberParams, ...jsonBody(grantMembershipBody) },
    responses: {
      200: jsonResponse(membershipSchema, 'The user is a member of my channel'),
      ...problems(400, 401, 404, 422),
    },
    summary: 'Make somebody a member of my channel',
    description: 'Members see videos whose visibility is `members`.',
    operationId: 'grantMembership',
    tags,
  }),
  async (c) => {
    const { expires_at: expiresAt = null } = c.req.valid('json');
    await grantMembership(c.var.ctx, c.req.valid('param').user_id, expiresAt);
    return c.json({ member: true, expires_at: expiresAt }, 200);
  },
);

membersRoutes.openapi(
  defineRoute({
    method: 'delete',
    path: '/{user_id}',
    request: { params: memberParams },
    responses: {
      200: jsonResponse(membershipSchema, 'The user is no member of my channel'),
      ...problems(401, 404, 422),
    },
    summary: 'End a membership of my channel',
    operationId: 'endMembership',
    tags,
  }),
  async (c) => {
    await endMembership(c.var.ctx, c.req.valid('param').user_id);
    return c.json({ member: false, expires_at: null }, 200);
  },
);
