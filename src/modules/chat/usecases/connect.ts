import { chatSubprotocol, relayHeaders } from '../../../../durable-objects/chat-relay/protocol.ts';
import { type ChatterFacts, relayName, roomName } from '../../../../durable-objects/chat-room/protocol.ts';
import type { RequestContext } from '../../../context.ts';
import { unavailable } from '../../../http/errors.ts';
import { viewerIdOf } from '../../../http/viewer.ts';
import { callDurableObject } from '../../../shared/durable-object-call.ts';
import { isOriginAllowed, originNotAllowed, upgradeRequired } from '../../realtime/index.ts';
import { streamNotFound } from '../../streams/index.ts';
import { bannedFromChat } from '../chat.errors.ts';
import { findChatter } from '../chat.repository.ts';

/** Who comes, from where, and where they go on. */
export interface ChatVisit {
  /** When the caller's token was signed and when it ends, Unix seconds. */
  readonly token: { readonly issuedAt: number; readonly expiresAt: number } | undefined;
  /** Where on earth the client is; a code of Cloudflare's. */
  readonly continent: string | undefined;
  readonly after: number | undefined;
}

export interface ChatHandshake extends ChatVisit {
  readonly upgrade: string | undefined;
  readonly origin: string | undefined;
  readonly protocols: string | undefined;
}

const strangersSeconds = 4 * 3_600;
const placements = 3;

// Where a relay is put that is near the clients of a continent (https://developers.cloudflare.com/durable-objects/reference/data-location/).
const hints: Readonly<Record<string, DurableObjectLocationHint>> = {
  AF: 'afr',
  AS: 'apac',
  EU: 'weur',
  NA: 'enam',
  OC: 'oc',
  SA: 'sam',
};

/**
 * Connects a caller who may see a stream to its chat room.
 * @returns the 101 answer of the handshake.
 * @throws realtime.upgrade_required, realtime.origin_not_allowed, streams.not_found, service.unavailable.
 */
export async function connectToRoom(
  ctx: RequestContext,
  streamId: string,
  handshake: ChatHandshake,
): Promise<Response> {
  if (handshake.upgrade?.toLowerCase() !== 'websocket')
    throw upgradeRequired({ headers: { upgrade: 'websocket', connection: 'upgrade' } });
  if (!isOriginAllowed(handshake.origin, ctx.config.http.corsOrigins)) throw originNotAllowed();
  return upgraded(await socketOf(ctx, streamId, handshake), handshake.protocols);
}

/**
 * A socket of the room's, at a relay near the client that has room.
 * @throws streams.not_found, chat.banned, service.unavailable.
 */
export async function socketOf(ctx: RequestContext, streamId: string, visit: ChatVisit): Promise<WebSocket> {
  const found = await findChatter(ctx.readDb, streamId, viewerIdOf(ctx));
  if (found === undefined) throw streamNotFound();
  const { room, facts } = found;
  if (facts?.ban?.untilMs === null) throw bannedFromChat();
  const region = visit.continent ?? '';
  const now = ctx.clock.now();
  const endsAtMs = (visit.token?.expiresAt ?? now / 1_000 + strangersSeconds) * 1_000;
  for (let attempt = 1; attempt <= placements; attempt += 1) {
    const { relay, facts: known } = await callDurableObject(
      ctx.bindings.CHAT_ROOM,
      roomName(streamId),
      (object) => object.enter(room, { region, ...(facts === undefined ? {} : { facts }) }),
    );
    if (known?.ban?.untilMs === null) throw bannedFromChat();
    const locationHint = hints[region];
    const stub = ctx.bindings.CHAT_RELAY.getByName(
      relayName(streamId, relay),
      locationHint === undefined ? {} : { locationHint },
    );
    const { status, webSocket } = await stub.fetch('https://chat.internal/', {
      headers: {
        upgrade: 'websocket',
        [relayHeaders.streamId]: streamId,
        [relayHeaders.relay]: String(relay),
        [relayHeaders.region]: region,
        [relayHeaders.endsAtMs]: String(Math.floor(endsAtMs)),
        ...(known === undefined ? {} : identityOf(known)),
        ...sessionOf(ctx, visit),
        ...(visit.after === undefined ? {} : { [relayHeaders.after]: String(visit.after) }),
      },
    });
    if (status === 101 && webSocket !== null) return webSocket;
    if (status !== 503) break;
  }
  throw unavailable({ headers: { 'retry-after': '5' } });
}

function upgraded(webSocket: WebSocket, protocols: string | undefined): Response {
  const offers = (protocols ?? '').split(',').map((offer) => offer.trim());
  return new Response(null, {
    status: 101,
    webSocket,
    // Naming one that was not offered fails the handshake.
    headers: offers.includes(chatSubprotocol) ? { 'sec-websocket-protocol': chatSubprotocol } : {},
  });
}

const identityOf = (facts: ChatterFacts): Record<string, string> => ({
  [relayHeaders.userId]: facts.userId,
  [relayHeaders.username]: facts.username,
  [relayHeaders.keepsOrder]: facts.role === 'owner' || facts.role === 'moderator' ? '1' : '0',
});

function sessionOf({ actor }: RequestContext, { token }: ChatVisit): Record<string, string> {
  if (actor.kind !== 'user' || token === undefined) return {};
  return { [relayHeaders.session]: `${actor.sessionId} ${actor.epoch} ${token.issuedAt}` };
}
