import { hubHeaders, subprotocol } from '../../../durable-objects/user-hub/protocol.ts';
import type { RequestContext } from '../../context.ts';
import { unauthenticated, unavailable } from '../../http/errors.ts';
import { callDurableObject } from '../../shared/durable-object-call.ts';
import { hubName } from './push.ts';
import { originNotAllowed, upgradeRequired } from './realtime.errors.ts';
import { chosenProtocol, expiryOf, isOriginAllowed, offeredToken } from './realtime.policy.ts';

export interface Handshake {
  readonly upgrade: string | undefined;
  readonly origin: string | undefined;
  readonly authorization: string | undefined;
  readonly protocols: string | undefined;
  /** Sequence number to resume behind. */
  readonly after: string | undefined;
}

/**
 * Connects a client to the hub of the user its access token names. The connection ends when the token does.
 * @returns the 101 answer of the handshake.
 * @throws realtime.upgrade_required, realtime.origin_not_allowed, auth.unauthenticated, service.unavailable.
 */
export async function connect(ctx: RequestContext, handshake: Handshake): Promise<Response> {
  if (handshake.upgrade?.toLowerCase() !== 'websocket')
    throw upgradeRequired({ headers: { upgrade: 'websocket', connection: 'upgrade' } });
  if (!isOriginAllowed(handshake.origin, ctx.config.http.corsOrigins)) throw originNotAllowed();

  // An Authorization header was verified before; a bad one never gets here.
  const token = offeredToken(handshake.protocols) ?? handshake.authorization?.slice('Bearer '.length) ?? '';
  const user = token === '' ? undefined : await ctx.accessTokens.verify(token);
  const expiresAt = user === undefined ? undefined : expiryOf(token);
  if (user === undefined || expiresAt === undefined)
    throw unauthenticated({ headers: { 'www-authenticate': 'Bearer realm="social-flow"' } });

  const forwarded = new Headers({
    upgrade: 'websocket',
    'sec-websocket-protocol': subprotocol,
    [hubHeaders.sessionId]: user.sessionId,
    [hubHeaders.expiresAt]: String(expiresAt),
  });
  const query = handshake.after === undefined ? '' : `?after=${handshake.after}`;
  const answer = await callDurableObject(ctx.bindings.USER_HUB, hubName(user.userId), (hub) =>
    hub.fetch(`https://hub.internal/${query}`, { headers: forwarded }),
  );
  const { webSocket } = answer;
  const protocol = chosenProtocol(handshake.protocols);
  if (answer.status !== 101 || webSocket === null) throw unavailable();
  return new Response(null, {
    status: 101,
    webSocket,
    headers: protocol === undefined ? {} : { 'sec-websocket-protocol': protocol },
  });
}
