import { decodeCursor, nextCursor, page, pageQuery } from '../../http/pagination.ts';
import { createRouter, defineRoute, jsonResponse, problems } from '../../http/route.ts';
import { requireSession } from '../../http/viewer.ts';
import { listSecurityEvents } from './security-events.repository.ts';
import { securityEventPage, securityEventPositionSchema } from './security-events.schemas.ts';
import { presentSecurityEvents } from './security-events.views.ts';

/** Mounted at `/v1/me/security-events`. */
export const securityEventsRoutes = createRouter();

securityEventsRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/',
    request: { query: pageQuery },
    responses: {
      200: jsonResponse(securityEventPage, 'What happened to the safety of the account'),
      ...problems(400, 401),
    },
    summary: 'Read the security history of my account',
    description:
      'Logins, failed attempts, and changes to passwords, second factors, keys and the account, latest first. A page may hold fewer than `limit` items and still have a next one.',
    operationId: 'listMySecurityEvents',
    tags: ['Authentication'],
  }),
  async (c) => {
    const { ctx } = c.var;
    const { userId } = requireSession(ctx);
    const { limit, cursor } = c.req.valid('query');
    const { cursorSecret } = ctx.config.http;
    const scope = { list: 'me:security-events', userId };
    const before = await decodeCursor(cursorSecret, cursor, scope, securityEventPositionSchema);
    const rows = await listSecurityEvents(ctx.readDb, userId, { limit: limit + 1, before });
    const { items, nextPosition } = page(rows, limit, ({ at, id }) => ({ at, id }));
    return c.json(
      {
        data: presentSecurityEvents(items, userId),
        next_cursor: await nextCursor(cursorSecret, scope, nextPosition),
      },
      200,
    );
  },
);
