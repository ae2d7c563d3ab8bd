import { hubName } from '../../durable-objects/user-hub/protocol.ts';
import type { RequestContext, TokenHolder } from '../context.ts';
import { hmacSha256, randomBytes, secretsEqual, sha256 } from '../shared/crypto.ts';
import { withinDeadline } from '../shared/deadline.ts';
import { callDurableObject } from '../shared/durable-object-call.ts';
import { base64Url, fromBase64Url, hex } from '../shared/encoding.ts';
import { decodeId, encodeId } from '../shared/ids.ts';
import type { AppContext } from './env.ts';
import { ticketInvalid, unavailable } from './errors.ts';

type TicketScope = Pick<RequestContext, 'bindings' | 'clock' | 'config'>;

export const ticketSeconds = 30;
const deadlineMs = 2_000;
const offeredTicket = /^ticket\.(usr_[0-9a-z]{26})\.([A-Za-z0-9_-]{64})$/;

const randomLength = 32;
const sealLength = 16;

// Every hub that is asked comes into being and stays: strangers must not have one made for each id they invent.
const sealOf = async (ctx: TicketScope, userId: string, random: Uint8Array): Promise<Uint8Array> =>
  (await hmacSha256(ctx.config.http.cursorSecret, `ticket\n${userId}\n${hex(random)}`)).subarray(
    0,
    sealLength,
  );

/**
 * Makes a ticket for a page, whose WebSocket can set no header: 256 random bits that open `purpose` once within 30 seconds, for
 * the session and as long as the token that asked. The name of the hub that keeps its SHA-256 is part of it, and 128 bits by
 * which it is known as ours before that hub is asked.
 * @throws service.unavailable.
 */
export async function issueTicket(ctx: TicketScope, holder: TokenHolder, purpose: string): Promise<string> {
  const { userId, ...rest } = holder;
  const random = randomBytes(randomLength);
  const secret = base64Url(new Uint8Array([...random, ...(await sealOf(ctx, userId, random))]));
  const ticket = {
    hash: hex(await sha256(secret)),
    purpose,
    holder: JSON.stringify(rest),
    expiresAtMs: ctx.clock.now() + ticketSeconds * 1000,
  };
  const kept = await withinDeadline(
    callDurableObject(ctx.bindings.USER_HUB, hubName(userId), (hub) => hub.keepTicket(ticket), 1),
    deadlineMs,
  );
  if (kept !== true) throw unavailable({ headers: { 'retry-after': '2' } });
  return `${encodeId('user', userId)}.${secret}`;
}

/** The ticket among the subprotocols of a WebSocket handshake; undefined when none is offered. */
export function offeredTicketOf(c: AppContext): string | undefined {
  if (c.req.method !== 'GET' || c.req.header('upgrade')?.toLowerCase() !== 'websocket') return undefined;
  return (c.req.header('sec-websocket-protocol') ?? '')
    .split(',')
    .map((offer) => offer.trim())
    .find((offer) => offer.startsWith('ticket.'));
}

/**
 * Uses a ticket up and yields who asked for it. Of several who show it at once, one gets through.
 * @throws realtime.ticket_invalid when it is malformed, used, late or for something else; service.unavailable.
 */
export async function redeemTicket(ctx: TicketScope, offered: string, purpose: string): Promise<TokenHolder> {
  const [, publicId = '', secret = ''] = offeredTicket.exec(offered) ?? [];
  const userId = decodeId('user', publicId);
  const bytes = fromBase64Url(secret);
  if (userId === undefined || bytes === undefined) throw ticketInvalid();
  const expected = hex(await sealOf(ctx, userId, bytes.subarray(0, randomLength)));
  if (!(await secretsEqual(expected, hex(bytes.subarray(randomLength))))) throw ticketInvalid();
  const hash = hex(await sha256(secret));
  // Once: an answer that was lost must not be taken for a ticket nobody used.
  const burnt = await withinDeadline(
    callDurableObject(ctx.bindings.USER_HUB, hubName(userId), (hub) => hub.burnTicket(hash, purpose), 1),
    deadlineMs,
  );
  if (burnt === undefined) throw unavailable({ headers: { 'retry-after': '2' } });
  if (burnt.holder === undefined) throw ticketInvalid();
  // Written by `issueTicket` and kept where nobody else can write.
  const holder = { ...(JSON.parse(burnt.holder) as Omit<TokenHolder, 'userId'>), userId };
  if (holder.expiresAt * 1000 <= ctx.clock.now()) throw ticketInvalid();
  return holder;
}
