import { hubHeaders, hubName, subprotocol } from '../../../durable-objects/user-hub/protocol.ts';
import type { RequestContext } from '../../context.ts';
import { unauthenticated, unavailable } from '../../http/errors.ts';
import { callDurableObject } from '../../shared/durable-object-call.ts';
import { originNotAllowed, upgradeRequired } from './realtime.errors.ts';
import { chosenProtocol, isOriginAllowed } from './realtime.policy.ts';

export interface Handshake {
  readonly upgrade: string | undefined;
  readonly origin: string | undefined;
  /** Unix seconds at which the token that named the actor, or had the ticket made, ends. */
  readonly expiresAt: number | undefined;
  readonly protocols: string | undefined;
  /** Sequence number to resume behind. */
  readonly after: string | undefined;
}

/**
 * Connects the calling user to their hub. The connection ends when the access token does.
 * @returns the 101 answer of the handshake.
 * @throws realtime.upgrade_required, realtime.origin_not_allowed, auth.unauthenticated, service.unavailable.
 */
export async function connect(ctx: RequestContext, handshake: Handshake): Promise<Response> {
  if (handshake.upgrade?.toLowerCase() !== 'websocket')
    throw upgradeRequired({ headers: { upgrade: 'websocket', connection: 'upgrade' } });
  if (!isOriginAllowed(handshake.origin, ctx.config.http.corsOrigins)) throw originNotAllowed();
  const { expiresAt } = handshake;
  if (ctx.actor.kind !== 'user' || expiresAt === undefined) throw unauthenticated();

  const forwarded = new Headers({
    upgrade: 'websocket',
    'sec-websocket-protocol': subprotocol,
    [hubHeaders.sessionId]: ctx.actor.sessionId,
    [hubHeaders.expiresAt]: String(expiresAt),
  });
  const query = handshake.after === undefined ? '' : `?after=${handshake.after}`;
  const answer = await callDurableObject(ctx.bindings.USER_HUB, hubName(ctx.actor.userId), (hub) =>
    hub.fetch(`https://hub.internal/${query}`, { headers: forwarded }),
  );
  const { webSocket } = answer;
  if (answer.status !== 101 || webSocket === null) throw unavailable();
  const protocol = chosenProtocol(handshake.protocols);
  return new Response(null, {
    status: 101,
    webSocket,
    headers: protocol === undefined ? {} : { 'sec-websocket-protocol': protocol },
  });
}
