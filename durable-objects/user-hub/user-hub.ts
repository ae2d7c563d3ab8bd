import { DurableObject } from 'cloudflare:workers';
import { systemClock } from '../../src/shared/clock.ts';
import { wakeBy } from '../alarms.ts';
import { migrate } from '../sqlite-migrations.ts';
import {
  answerFrame,
  canResume,
  closeCodes,
  encodeEvent,
  encodeNotice,
  encodeReady,
  encodeResync,
  type HubEvent,
  hubHeaders,
  keptEvents,
  keptMs,
  maxEventLength,
  maxSocketsPerUser,
  subprotocol,
} from './protocol.ts';
import { userHubMigrations } from './schema.ts';
import { attachmentOf, closeQuietly, type SocketAttachment, sendQuietly } from './sockets.ts';
import { createEventStore, type EventStore } from './store.ts';
import { createTicketStore, type Ticket, type TicketStore } from './tickets.ts';

export type PushResult =
  | { readonly ok: true; readonly seq: number; readonly delivered: number; readonly duplicate: boolean }
  | { readonly ok: false; readonly code: 'event_too_large' };

/** The open sockets of one user, and the events a returning client may have missed. Sleeps while nothing happens. */
export class UserHub extends DurableObject {
  clock = systemClock;
  readonly #events: EventStore;
  readonly #tickets: TicketStore;

  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env);
    migrate(ctx.storage, userHubMigrations);
    this.#events = createEventStore(ctx.storage.sql);
    this.#tickets = createTicketStore(ctx.storage.sql);
    // Answered without waking the object.
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair('ping', 'pong'));
  }

  /** Takes over an authenticated WebSocket upgrade. `?after=<seq>` resumes behind that event. */
  override async fetch(request: Request): Promise<Response> {
    const expiresAtMs = Number(request.headers.get(hubHeaders.expiresAt)) * 1_000;
    const sessionId = request.headers.get(hubHeaders.sessionId);
    if (
      request.headers.get('upgrade')?.toLowerCase() !== 'websocket' ||
      sessionId === null ||
      !(expiresAtMs > 0)
    )
      return new Response(null, { status: 400 });

    const open = this.#liveSockets();
    this.#closeOldest(open);
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    const order = 1 + Math.max(0, ...open.map((socket) => attachmentOf(socket)?.order ?? 0));
    server.serializeAttachment({ sessionId, expiresAtMs, order } satisfies SocketAttachment);
    this.#catchUp(server, new URL(request.url).searchParams.get('after'));
    await wakeBy(this.ctx.storage, expiresAtMs);

    const offered = (request.headers.get('sec-websocket-protocol') ?? '')
      .split(',')
      .map((item) => item.trim());
    return new Response(null, {
      status: 101,
      webSocket: client,
      headers: offered.includes(subprotocol) ? { 'sec-websocket-protocol': subprotocol } : {},
    });
  }

  /** Stores an event and sends it to every open socket. The same event id again changes nothing. */
  async push(event: HubEvent): Promise<PushResult> {
    if (JSON.stringify(event).length > maxEventLength) return { ok: false, code: 'event_too_large' };
    const now = this.clock.now();
    const stored = this.#events.append(event, now);
    if (stored === undefined)
      return { ok: true, seq: this.#events.seqOf(event.id) ?? 0, delivered: 0, duplicate: true };
    this.#events.prune(now - keptMs, keptEvents);
    const text = encodeEvent(stored);
    let delivered = 0;
    for (const socket of this.#liveSockets()) if (sendQuietly(socket, text)) delivered += 1;
    await wakeBy(this.ctx.storage, now + keptMs);
    return { ok: true, seq: stored.seq, delivered, duplicate: false };
  }

  /** Sends what the next news of its kind will replace to the open sockets, and keeps nothing. Returns to how many. */
  announce(event: { readonly type: string; readonly data: unknown }): number {
    const text = encodeNotice(event);
    if (text.length > maxEventLength) return 0;
    return this.#liveSockets().filter((socket) => sendQuietly(socket, text)).length;
  }

  /** Keeps a ticket until it is burnt or over. */
  keepTicket(ticket: Ticket): true {
    this.#tickets.keep(ticket, this.clock.now());
    return true;
  }

  /** Takes a ticket away, whatever it was for, and yields its holder if it was live and for `purpose`. */
  burnTicket(hash: string, purpose: string): { readonly holder: string | undefined } {
    const ticket = this.#tickets.burn(hash);
    const opens = ticket !== undefined && ticket.purpose === purpose && ticket.expiresAtMs > this.clock.now();
    return { holder: opens ? ticket.holder : undefined };
  }

  /** Closes the sockets of a session that ended and voids its tickets, or of all of them. Returns how many were closed. */
  disconnect(sessionId?: string): number {
    this.#tickets.forget(sessionId);
    const sockets = this.#liveSockets().filter(
      (socket) => sessionId === undefined || attachmentOf(socket)?.sessionId === sessionId,
    );
    for (const socket of sockets) closeQuietly(socket, closeCodes.tokenExpired, 'session ended');
    return sockets.length;
  }

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void {
    const answer = answerFrame(message);
    if ('reply' in answer) sendQuietly(socket, answer.reply);
    else closeQuietly(socket, answer.close, answer.reason);
  }

  // The hibernation API does not answer a Close frame by itself; without this the client sees 1006.
  override webSocketClose(socket: WebSocket, code: number, reason: string): void {
    closeQuietly(socket, code, reason);
  }

  override webSocketError(socket: WebSocket): void {
    closeQuietly(socket, closeCodes.internalError);
  }

  override async alarm(): Promise<void> {
    const now = this.clock.now();
    this.#events.prune(now - keptMs, keptEvents);
    const expiries = this.#liveSockets().map((socket) => attachmentOf(socket)?.expiresAtMs ?? now);
    const oldest = this.#events.oldestAt();
    const next = Math.min(...expiries, oldest === undefined ? Number.POSITIVE_INFINITY : oldest + keptMs);
    if (Number.isFinite(next)) await this.ctx.storage.setAlarm(Math.max(next, now + 1_000));
  }

  #catchUp(socket: WebSocket, after: string | null): void {
    const lastSeq = this.#events.lastSeq();
    if (after !== null) {
      const seq = /^\d{1,15}$/.test(after) ? Number(after) : -1;
      if (canResume(seq, this.#events.firstSeq(), lastSeq))
        for (const missed of this.#events.after(seq)) sendQuietly(socket, encodeEvent(missed));
      else sendQuietly(socket, encodeResync(lastSeq));
    }
    sendQuietly(socket, encodeReady(lastSeq));
  }

  /** Open sockets whose access token is still valid; the others are closed on the way. */
  #liveSockets(): WebSocket[] {
    const now = this.clock.now();
    return this.ctx.getWebSockets().filter((socket) => {
      if (socket.readyState !== WebSocket.OPEN) return false;
      if ((attachmentOf(socket)?.expiresAtMs ?? 0) > now) return true;
      closeQuietly(socket, closeCodes.tokenExpired, 'access token expired');
      return false;
    });
  }

  #closeOldest(open: readonly WebSocket[]): void {
    const surplus = open.length - (maxSocketsPerUser - 1);
    if (surplus <= 0) return;
    const byAge = [...open].sort((a, b) => (attachmentOf(a)?.order ?? 0) - (attachmentOf(b)?.order ?? 0));
    for (const socket of byAge.slice(0, surplus))
      closeQuietly(socket, closeCodes.tooManySockets, 'too many connections');
  }
}
