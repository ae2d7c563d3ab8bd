import type { AppMiddleware } from '../../http/env.ts';
import { unauthenticated } from '../../http/errors.ts';
import { createRouter, defineRoute, jsonResponse, optionalJsonBody, problems } from '../../http/route.ts';
import { issueTicket, ticketSeconds } from '../../http/tickets.ts';
import { requireSession } from '../../http/viewer.ts';
import { offeredToken } from './realtime.policy.ts';
import { connectQuery, ticketBody, ticketSchema } from './realtime.schemas.ts';
import { connect } from './realtime.usecases.ts';

/** Mounted at `/v1/realtime`. */
export const realtimeRoutes = createRouter();

// A browser's WebSocket cannot set Authorization, and a token in a URL would end up in logs; it comes as a subprotocol.
const tokenFromSubprotocol: AppMiddleware = (c, next) => {
  const token = offeredToken(c.req.header('sec-websocket-protocol'));
  if (token !== undefined && c.req.header('authorization') === undefined) {
    const headers = new Headers(c.req.raw.headers);
    headers.set('authorization', `Bearer ${token}`);
    c.req.raw = new Request(c.req.raw, { headers });
  }
  return next();
};

realtimeRoutes.use(tokenFromSubprotocol);

realtimeRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/',
    request: { query: connectQuery },
    responses: {
      101: { description: 'The connection is open; messages are JSON text frames' },
      ...problems(400, 401, 403, 426),
    },
    summary: 'Open a realtime connection',
    description:
      'WebSocket. Authenticate with an Authorization header, or from a browser with the subprotocols `social-flow.v1, ticket.<ticket>`, `social-flow.v1, bearer.<access token>`, or the cookie. ' +
      'The server sends `{"type":"event","seq","event":{"id","type","data"}}` for what happens to the caller, `{"type":"ready","seq"}` once missed events were sent, ' +
      '`{"type":"notice","event":{"type","data"}}` for what needs no catching up with, such as view counts (`video.views`), ' +
      'and `{"type":"resync","seq"}` when some are gone. The only client message is the text `ping`, answered with `pong`. ' +
      'Closes with 4401 when the access token ends and 4009 when the same account opens too many connections.',
    operationId: 'connectRealtime',
    tags: ['Realtime'],
  }),
  (c) =>
    connect(c.var.ctx, {
      // A HEAD request comes here too, but only GET opens a WebSocket (RFC 6455 §4.1).
      upgrade: c.req.method === 'GET' ? c.req.header('upgrade') : undefined,
      origin: c.req.header('origin'),
      expiresAt: c.var.token?.expiresAt,
      protocols: c.req.header('sec-websocket-protocol'),
      after: c.req.valid('query').after,
    }),
);

realtimeRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/tickets',
    request: optionalJsonBody(ticketBody),
    responses: {
      201: jsonResponse(ticketSchema, 'A ticket for one connection'),
      ...problems(400, 401, 403, 422),
    },
    summary: 'Get a ticket for a realtime connection',
    description:
      'For browsers: offer it as subprotocol `ticket.<ticket>`. It opens one connection, which lasts as long as the token that asked.',
    operationId: 'createTicket',
    tags: ['Realtime'],
  }),
  async (c) => {
    const { purpose = 'realtime' } = c.req.valid('json');
    const { token } = c.var;
    const actor = requireSession(c.var.ctx);
    if (token === undefined) throw unauthenticated();
    const ticket = await issueTicket(c.var.ctx, { ...actor, ...token }, purpose);
    return c.json({ ticket, expires_in: ticketSeconds }, 201);
  },
);
