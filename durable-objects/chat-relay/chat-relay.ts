import { DurableObject } from 'cloudflare:workers';
import type { Bindings } from '../../src/context.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { plainText } from '../../src/shared/text.ts';
import type { Counts } from '../chat-room/chat-room.ts';
import {
  type LogItem,
  type LogRun,
  maxSocketsPerRelay,
  maxTextLength,
  type RoomNotes,
} from '../chat-room/protocol.ts';
import { migrate } from '../sqlite-migrations.ts';
import { closeQuietly, sendQuietly } from '../user-hub/sockets.ts';
import {
  batchFrame,
  type ClientFrame,
  chatCloseCodes,
  chatSubprotocol,
  errorFrame,
  helloFrame,
  maxFrameLength,
  pollFrame,
  readablePerSecond,
  readFrame,
  relayHeaders,
  resultFrame,
  resyncFrame,
  viewersFrame,
} from './protocol.ts';
import { createRelayLog, type RelayLog } from './relay-log.ts';
import { type Place, type RoomPort, roomOf, type SessionCheck, sessionCheckOf } from './room-port.ts';
import { chatRelayMigrations } from './schema.ts';
import { attach, attachmentOf, concerns, createConduct } from './sockets.ts';
import { thin } from './thin.ts';

/** How often a relay with sockets says that it is there. */
const renewMs = 10_000;
/** Sessions that are asked about with each lease. */
const sessionsPerCheck = 100;
/** How long those who come and go are gathered. */
const reportMs = 500;
const messageText = plainText({ min: 1, max: maxTextLength });

/**
 * Holds up to 2,000 sockets of one room and passes the room's log on to them, each number once and in order. It decides nothing.
 * A hole in what it is handed it fills from the room before it passes anything on.
 */
export class ChatRelay extends DurableObject {
  clock = systemClock;
  room: RoomPort;
  readonly #isSessionLive: SessionCheck;
  #place: Place | undefined;
  #notes: RoomNotes | undefined;
  #advancing: Promise<unknown> = Promise.resolve();
  #subscribedAtMs = Number.NEGATIVE_INFINITY;
  #sentAtMs = 0;
  #viewers = 0;
  #checked = 0;
  #reporting: ReturnType<typeof setTimeout> | undefined;
  readonly #log: RelayLog;
  readonly #conduct = createConduct();

  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env);
    migrate(ctx.storage, chatRelayMigrations);
    const [row] = ctx.storage.sql
      .exec<{ place: string; last: number | null }>('SELECT place, last FROM relay')
      .toArray();
    this.#place = row === undefined ? undefined : (JSON.parse(row.place) as Place);
    this.room = roomOf(env as unknown as Bindings);
    this.#log = createRelayLog(ctx.storage.sql, row?.last ?? undefined, {
      read: (after, limit) => {
        if (this.#place === undefined) throw new Error('the relay has no room');
        return this.room.read(this.#place, after, limit);
      },
      passOn: (after, items) => this.#passOn(after, items),
      startAnew: (head) => {
        for (const socket of this.#live()) sendQuietly(socket, resyncFrame(head));
      },
    });
    this.#isSessionLive = sessionCheckOf(env as unknown as Bindings);
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
    attach(server, { userId, username, session, endsAtMs, isLive: false });
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
    await this.#inTurn(() => this.#log.advance(run));
    return this.#log.last();
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
    for (const socket of frames.length === 0 ? [] : this.#live())
      for (const frame of frames) sendQuietly(socket, frame);
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
    else await this.#say(socket, frame);
  }

  // The hibernation API does not answer a Close frame by itself; without this the client sees 1006.
  override webSocketClose(socket: WebSocket, code: number, reason: string): void {
    closeQuietly(socket, code, reason);
    this.#reportSoon();
  }

  override webSocketError(socket: WebSocket): void {
    closeQuietly(socket, chatCloseCodes.internalError);
    this.#reportSoon();
  }

  /** Renews the lease, fills what was missed, and ends what is over. */
  override async alarm(): Promise<void> {
    const now = this.clock.now();
    for (const socket of this.ctx.getWebSockets())
      if (attachmentOf(socket).endsAtMs <= now)
        closeQuietly(socket, chatCloseCodes.tokenExpired, 'connect again');
    if (this.#place === undefined) return;
    if (this.ctx.getWebSockets().length === 0) {
      await this.room.leave(this.#place).catch(() => undefined);
      this.#place = undefined;
      this.#log.forget();
      this.#subscribedAtMs = Number.NEGATIVE_INFINITY;
      this.ctx.storage.sql.exec('DELETE FROM relay');
      return;
    }
    await this.ctx.storage.setAlarm(now + renewMs);
    await Promise.all([this.#renew().catch(() => undefined), this.#checkSessions()]);
  }

  async #say(socket: WebSocket, frame: Extract<ClientFrame, { type: 'send' }>): Promise<void> {
    const { userId } = attachmentOf(socket);
    if (userId === undefined || this.#place === undefined)
      return void sendQuietly(socket, errorFrame('chat.read_only', 'Sign in to write.', frame.id));
    if (!(await this.#stillIn(socket))) return;
    const text = messageText.safeParse(frame.text);
    if (!text.success) {
      const [issue] = text.error.issues;
      return void sendQuietly(socket, errorFrame('chat.text', `The text ${issue?.message}.`, frame.id));
    }
    const input = { clientId: frame.id, text: text.data, replyTo: frame.replyTo };
    try {
      const result = await this.room.say(this.#place, userId, input);
      if ('unknown' in result)
        sendQuietly(socket, errorFrame('chat.closed', 'There is no such room any more.', frame.id));
      else sendQuietly(socket, resultFrame(frame.id, result));
    } catch {
      sendQuietly(socket, errorFrame('chat.unavailable', 'Send it again under the same id.', frame.id));
    }
  }

  /** Closes a socket whose session has ended. */
  async #stillIn(socket: WebSocket): Promise<boolean> {
    const { userId, session } = attachmentOf(socket);
    if (userId === undefined || session === undefined) return true;
    const isLive = await this.#isSessionLive(userId, session);
    if (!isLive) closeQuietly(socket, chatCloseCodes.tokenExpired, 'session ended');
    return isLive;
  }

  // A few at a time, each in its turn: those who write are asked about when they do.
  async #checkSessions(): Promise<void> {
    const signedIn = this.#live().filter((socket) => attachmentOf(socket).session !== undefined);
    const from = this.#checked < signedIn.length ? this.#checked : 0;
    this.#checked = from + sessionsPerCheck;
    await Promise.all(signedIn.slice(from, this.#checked).map((socket) => this.#stillIn(socket)));
  }

  // Those who come and go together are told of once.
  #reportSoon(): void {
    this.#reporting ??= setTimeout(() => {
      this.#reporting = undefined;
      const place = this.#place;
      // What gets lost the next renewal of the lease says.
      if (place !== undefined)
        this.ctx.waitUntil(this.room.report(place, this.#live().length).catch(() => undefined));
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
      const state = await this.room.subscribe(place, this.#live().length, this.#log.last());
      this.#subscribedAtMs = this.clock.now();
      this.#notes ??= state.notes;
      this.tellCounts({ viewers: state.viewers, poll: state.notes.poll });
      this.#notes = state.notes;
      if (this.#log.last() === undefined) this.#log.begin(state);
      else await this.#log.advance(state);
    });
  }

  /** One after the other: while a hole is being filled, what comes later waits. */
  #inTurn<T>(work: () => T | Promise<T>): Promise<T> {
    const turn = this.#advancing.then(work);
    this.#advancing = turn.catch(() => undefined);
    return turn;
  }

  #passOn(after: number, items: readonly LogItem[]): void {
    const to = items.at(-1)?.seq;
    if (to === undefined) return;
    for (const item of items) this.#notes = notesAfter(this.#notes, item);
    const sockets = this.#live();
    const now = this.clock.now();
    const elapsedMs = Math.min(1_000, Math.max(100, now - this.#sentAtMs));
    this.#sentAtMs = now;
    const readable = Math.ceil((readablePerSecond * elapsedMs) / 1_000);
    const { frame, omitted } = thin(items, after, readable);
    const concerned = this.#concernedBy(omitted);
    for (const socket of sockets) {
      if (this.#conduct.lags(socket, to)) closeQuietly(socket, chatCloseCodes.tooSlow, 'too far behind');
      else if (!concerned.has(socket)) sendQuietly(socket, frame);
      else sendQuietly(socket, thin(items, after, readable, (item) => concerns(socket, item)).frame);
    }
    if (items.some(({ text }) => closing.test(text)))
      for (const socket of sockets) closeQuietly(socket, chatCloseCodes.closed, 'the room is closed');
  }

  /** Sockets of those who wrote what is left out, or whom it speaks to. */
  #concernedBy(omitted: readonly LogItem[]): Set<WebSocket> {
    const tags = new Set<string>();
    for (const { authorId, mentions } of omitted) {
      if (authorId !== undefined) tags.add(`u:${authorId}`);
      for (const name of mentions) tags.add(`n:${name}`);
    }
    return new Set([...tags].flatMap((tag) => this.ctx.getWebSockets(tag)));
  }

  #live(): WebSocket[] {
    return this.ctx
      .getWebSockets()
      .filter((socket) => socket.readyState === WebSocket.OPEN && attachmentOf(socket).isLive);
  }

  async #welcome(socket: WebSocket, after: number | undefined): Promise<void> {
    const notes = this.#notes;
    const last = this.#log.last();
    if (notes === undefined || last === undefined) return;
    const attachment = attachmentOf(socket);
    const you = attachment.username === undefined ? null : { username: attachment.username };
    const items = await this.#log.missed(after);
    sendQuietly(socket, helloFrame({ seq: last, ...notes, viewers: this.#viewers, you }));
    if (items === undefined) sendQuietly(socket, resyncFrame(last));
    else if (items.length > 0) {
      const from = items[0]?.seq ?? last;
      sendQuietly(
        socket,
        batchFrame(
          from,
          last,
          items.map(({ text }) => text),
          [],
        ),
      );
    }
    attach(socket, { ...attachment, isLive: true });
  }
}

// Only events of the room itself look like these; what people write cannot look like one, since its quotes are escaped.
const closing = /"event":\{"type":"closed"\}/;
const noted = /"event":\{"type":"(?:settings|pinned|poll)"/;

function notesAfter(notes: RoomNotes | undefined, { text }: LogItem): RoomNotes | undefined {
  if (notes === undefined || !noted.test(text)) return notes;
  const { type: _, ...changed } = (JSON.parse(text) as { event: Partial<RoomNotes> & { type: string } })
    .event;
  return { ...notes, ...changed };
}
