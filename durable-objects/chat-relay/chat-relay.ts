import { DurableObject } from 'cloudflare:workers';
import type { Bindings } from '../../src/context.ts';
import { systemClock } from '../../src/shared/clock.ts';
import {
  type Counts,
  type LogItem,
  type LogRun,
  maxSocketsPerRelay,
  type Notice,
  type RoomNotes,
} from '../chat-room/protocol.ts';
import { migrate } from '../sqlite-migrations.ts';
import { closeQuietly, sendQuietly } from '../user-hub/sockets.ts';
import { type Audience, createAudience, greet, notesAfter } from './audience.ts';
import { createHoldback, type Holdback } from './holdback.ts';
import { type ApplyPresence, createPresence, type Presence } from './presence.ts';
import { applyPresenceOf } from './presence-flush.ts';
import {
  chatCloseCodes,
  chatSubprotocol,
  maxFrameLength,
  pollFrame,
  readFrame,
  relayHeaders,
  viewersFrame,
} from './protocol.ts';
import { createRelayLog, type RelayLog } from './relay-log.ts';
import { type Place, type RoomPort, roomOf, type SessionCheck, sessionCheckOf } from './room-port.ts';
import { chatRelayMigrations } from './schema.ts';
import { attach, attachmentOf, createConduct, youOf } from './sockets.ts';
import { createSessionRounds, say } from './visitors.ts';

/** How often a relay with sockets says that it is there. */
const renewMs = 10_000;
/** How long those who come and go are gathered. */
const reportMs = 500;

/**
 * Holds up to 2,000 sockets of one room and passes the room's log on to them, each number once and in order. It decides nothing.
 * A hole in what it is handed it fills from the room before it passes anything on.
 */
export class ChatRelay extends DurableObject {
  clock = systemClock;
  room: RoomPort;
  /** Replaced in tests, to make it fail. */
  applyPresence: ApplyPresence;
  readonly #isSessionLive: SessionCheck;
  readonly #checkSessions: (sockets: readonly WebSocket[]) => Promise<void>;
  #place: Place | undefined;
  #notes: RoomNotes | undefined;
  #advancing: Promise<unknown> = Promise.resolve();
  #subscribedAtMs = Number.NEGATIVE_INFINITY;
  #viewers = 0;
  #reporting: ReturnType<typeof setTimeout> | undefined;
  readonly #log: RelayLog;
  readonly #conduct = createConduct();
  readonly #audience: Audience;
  readonly #holdback: Holdback;
  #releasing: ReturnType<typeof setTimeout> | undefined;
  readonly #presence: Presence;

  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env);
    migrate(ctx.storage, chatRelayMigrations);
    const [row] = ctx.storage.sql
      .exec<{ place: string; last: number | null; shown: number | null }>(
        'SELECT place, last, shown FROM relay',
      )
      .toArray();
    this.#place = row === undefined ? undefined : (JSON.parse(row.place) as Place);
    this.room = roomOf(env as unknown as Bindings);
    const read = (after: number | undefined, limit: number): Promise<LogRun> => {
      if (this.#place === undefined) throw new Error('the relay has no room');
      return this.room.read(this.#place, after, limit);
    };
    this.#audience = createAudience((tag) => ctx.getWebSockets(tag), this.#conduct);
    const last = row?.last ?? undefined;
    this.#holdback = createHoldback(
      ctx.storage.sql,
      last === undefined ? undefined : { last, shown: row?.shown ?? null },
      { audience: this.#audience, read, now: () => this.clock.now(), releaseIn: (ms) => this.#releaseIn(ms) },
    );
    this.#log = createRelayLog(ctx.storage.sql, last, {
      read,
      passOn: (after, items) => this.#passOn(after, items),
      startAnew: (head) => this.#holdback.startAnew(head),
    });
    this.#presence = createPresence(ctx.storage.sql, (work) => ctx.storage.transactionSync(work));
    this.applyPresence = applyPresenceOf(env as unknown as Bindings);
    this.#isSessionLive = sessionCheckOf(env as unknown as Bindings);
    this.#checkSessions = createSessionRounds(this.#isSessionLive);
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair('ping', 'pong'));
  }

  /** Takes over the WebSocket upgrade of somebody the Worker has let in. */
  override async fetch(request: Request): Promise<Response> {
    const { headers } = request;
    const streamId = headers.get(relayHeaders.streamId);
    if (headers.get('upgrade')?.toLowerCase() !== 'websocket' || streamId === null)
      return new Response(null, { status: 400 });
    if (this.ctx.getWebSockets().length >= maxSocketsPerRelay) return new Response(null, { status: 503 });
    this.#settle({
      streamId,
      relay: Number(headers.get(relayHeaders.relay)),
      region: headers.get(relayHeaders.region) ?? '',
    });

    const userId = headers.get(relayHeaders.userId) ?? undefined;
    const username = headers.get(relayHeaders.username) ?? undefined;
    const endsAtMs = Number(headers.get(relayHeaders.endsAtMs));
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server, userId === undefined ? [] : [`u:${userId}`, `n:${username}`]);
    const session = headers.get(relayHeaders.session) ?? undefined;
    const keepsOrder = headers.get(relayHeaders.keepsOrder) === '1';
    attach(server, {
      userId,
      username,
      session,
      endsAtMs,
      keepsOrder,
      ahead: 0,
      isLive: false,
      visit: undefined,
    });
    try {
      await this.#subscribed();
    } catch (error) {
      closeQuietly(server, chatCloseCodes.internalError);
      throw error;
    }
    const after = headers.get(relayHeaders.after);
    await this.#inTurn(() => this.#welcome(server, after === null ? undefined : Number(after)));
    this.#reportSoon();
    return new Response(null, {
      status: 101,
      webSocket: client,
      headers: { 'sec-websocket-protocol': chatSubprotocol },
    });
  }

  /** Takes a batch of the room. @returns how far the relay has come; undefined when nobody listens here. */
  async deliver(run: LogRun): Promise<number | undefined> {
    if (this.#place === undefined || this.ctx.getWebSockets().length === 0) return undefined;
    await this.#inTurn(async () => {
      await this.#holdback.restore();
      await this.#log.advance(run);
    });
    return this.#log.last();
  }

  /** Takes frames for some of the sockets, which have no place in the log. */
  async notify(notices: readonly Notice[]): Promise<void> {
    await this.#inTurn(async () => {
      await this.#holdback.restore();
      for (const notice of notices) this.#notifyOne(notice);
    });
  }

  /** Takes numbers that change all the time, to tell the sockets. */
  tellCounts({ viewers, poll }: Counts): void {
    const frames: string[] = [];
    if (viewers !== this.#viewers) frames.push(viewersFrame(viewers));
    this.#viewers = viewers;
    if (this.#notes !== undefined && JSON.stringify(poll) !== JSON.stringify(this.#notes.poll)) {
      this.#notes = { ...this.#notes, poll };
      if (poll !== null) frames.push(pollFrame(poll));
    }
    this.#audience.tell(frames);
  }

  override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    if (typeof message !== 'string')
      return closeQuietly(socket, chatCloseCodes.unsupportedData, 'text frames only');
    if (message.length > maxFrameLength)
      return closeQuietly(socket, chatCloseCodes.messageTooBig, 'frame too big');
    if (this.#conduct.floods(socket, this.clock.now()))
      return closeQuietly(socket, chatCloseCodes.flood, 'too many frames');
    if (message === 'ping') return void sendQuietly(socket, 'pong');
    const frame = readFrame(message);
    if (frame === undefined) return closeQuietly(socket, chatCloseCodes.malformed, 'no such frame');
    if (frame.type === 'seen') this.#conduct.sees(socket, Math.min(frame.seq, this.#log.last() ?? 0));
    else
      await say(socket, frame, {
        place: this.#place,
        room: this.room,
        isSessionLive: this.#isSessionLive,
      });
  }

  // The hibernation API does not answer a Close frame by itself; without this the client sees 1006.
  override webSocketClose(socket: WebSocket, code: number, reason: string): void {
    closeQuietly(socket, code, reason);
    this.#gone(socket);
  }

  override webSocketError(socket: WebSocket): void {
    closeQuietly(socket, chatCloseCodes.internalError);
    this.#gone(socket);
  }

  /** Renews the lease, fills what was missed, and ends what is over. */
  override async alarm(): Promise<void> {
    const now = this.clock.now();
    for (const socket of this.ctx.getWebSockets())
      if (attachmentOf(socket).endsAtMs <= now)
        closeQuietly(socket, chatCloseCodes.tokenExpired, 'connect again');
    if (this.#place === undefined) return;
    if (this.ctx.getWebSockets().length === 0 && (await this.#end(this.#place, now))) return;
    await this.ctx.storage.setAlarm(now + renewMs);
    if (this.ctx.getWebSockets().length === 0) return;
    await Promise.all([
      this.#renew().catch(() => undefined),
      this.#checkSessions(this.#audience.live()),
      this.#tellPresence(now),
    ]);
  }

  /** Forgets the room, where nobody is there any more and everything about those who were is told. */
  async #end(place: Place, nowMs: number): Promise<boolean> {
    this.#subscribedAtMs = Number.NEGATIVE_INFINITY;
    await this.room.leave(place).catch(() => undefined);
    // Meanwhile somebody may have come.
    if (!(await this.#tellPresence(nowMs)) || this.ctx.getWebSockets().length > 0) return false;
    this.#presence.forget();
    this.#place = undefined;
    this.#log.forget();
    this.ctx.storage.sql.exec('DELETE FROM relay');
    return true;
  }

  /** @returns false where the database did not hear it; it is told again later. */
  async #tellPresence(nowMs: number): Promise<boolean> {
    if (this.#place === undefined) return true;
    this.#presence.see(this.#audience.visits(), nowMs);
    try {
      await this.#presence.flush(this.#place.streamId, this.applyPresence, nowMs);
      return true;
    } catch {
      return false;
    }
  }

  #gone(socket: WebSocket): void {
    const { visit } = attachmentOf(socket);
    if (visit !== undefined) this.#presence.leave(visit, this.clock.now());
    this.#reportSoon();
  }

  // Those who come and go together are told of once.
  #reportSoon(): void {
    this.#reporting ??= setTimeout(() => {
      this.#reporting = undefined;
      const place = this.#place;
      // What gets lost the next renewal of the lease says.
      if (place !== undefined)
        this.ctx.waitUntil(this.room.report(place, this.#audience.crowd()).catch(() => undefined));
    }, reportMs);
  }

  #settle(place: Place): void {
    if (this.#place !== undefined) return;
    this.#place = place;
    this.ctx.storage.sql.exec(
      'INSERT INTO relay (id, place, last) VALUES (1, ?, NULL) ON CONFLICT (id) DO UPDATE SET place = excluded.place',
      JSON.stringify(place),
    );
  }

  async #subscribed(): Promise<void> {
    if (this.clock.now() - this.#subscribedAtMs < renewMs && this.#notes !== undefined) return;
    await this.#renew();
    if ((await this.ctx.storage.getAlarm()) === null)
      await this.ctx.storage.setAlarm(this.clock.now() + renewMs);
  }

  async #renew(): Promise<void> {
    const place = this.#place;
    if (place === undefined) return;
    await this.#inTurn(async () => {
      const state = await this.room.subscribe(place, this.#audience.crowd(), this.#log.last());
      this.#subscribedAtMs = this.clock.now();
      this.#notes ??= state.notes;
      this.tellCounts({ viewers: state.viewers, poll: state.notes.poll });
      this.#notes = state.notes;
      if (this.#log.last() === undefined) {
        this.#log.begin(state);
        this.#holdback.begin(state.items, this.#log.last() ?? state.head);
        return;
      }
      await this.#holdback.restore();
      await this.#log.advance(state);
      this.#holdback.release();
    });
  }

  /** One after the other: while a hole is being filled, what comes later waits. */
  #inTurn<T>(work: () => T | Promise<T>): Promise<T> {
    const turn = this.#advancing.then(work);
    this.#advancing = turn.catch(() => undefined);
    return turn;
  }

  #passOn(after: number, items: readonly LogItem[]): void {
    if (items.length === 0) return;
    for (const item of items) this.#notes = notesAfter(this.#notes, item);
    this.#holdback.take(after, items);
  }

  #notifyOne({ to, frame, keepsOrder, close }: Notice): void {
    if (to === 'moderators') {
      this.#audience.tell([frame], 'keepers');
      return;
    }
    const sockets = this.ctx.getWebSockets(`u:${to.userId}`);
    if (keepsOrder !== undefined) this.#holdback.setKeepsOrder(sockets, keepsOrder);
    for (const socket of sockets) {
      if (attachmentOf(socket).isLive) sendQuietly(socket, frame);
      if (close === undefined) continue;
      closeQuietly(socket, close, 'banned');
      this.#gone(socket);
    }
  }

  // Should the timer be lost with its isolate, the next lease shows what is due.
  #releaseIn(ms: number): void {
    if (this.#releasing !== undefined) clearTimeout(this.#releasing);
    this.#releasing = setTimeout(() => {
      this.ctx.waitUntil(this.#inTurn(() => this.#holdback.release()));
    }, ms);
  }

  async #welcome(socket: WebSocket, after: number | undefined): Promise<void> {
    await this.#holdback.restore();
    const notes = this.#notes;
    if (notes === undefined || this.#log.last() === undefined) return;
    const seq = this.#holdback.shown(attachmentOf(socket).keepsOrder);
    const items = await this.#log.missed(after, seq);
    const attachment = attachmentOf(socket);
    greet(socket, { seq, ...notes, viewers: this.#viewers, you: youOf(attachment) }, items);
    const visit = this.#presence.join(attachment.userId, this.clock.now());
    attach(socket, { ...attachment, isLive: true, visit });
  }
}
