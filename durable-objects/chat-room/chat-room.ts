import { DurableObject } from 'cloudflare:workers';
import type { Bindings } from '../../src/context.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { callDurableObject } from '../../src/shared/durable-object-call.ts';
import { encodeId, randomIds } from '../../src/shared/ids.ts';
import { wakeBy } from '../alarms.ts';
import { decide, type Meter, meterOf } from '../rate-limiter/gcra.ts';
import { migrate } from '../sqlite-migrations.ts';
import { carryOut, closePoll, type RoomHold } from './acts.ts';
import { type Chatters, createChatters } from './chatters.ts';
import { comparable, type Drop, keepsOrder, reasonToDrop, type Writer } from './decide.ts';
import { emojiOf } from './emotes.ts';
import { fragmentsOf } from './fragments.ts';
import { createLogStore, type LogStore, type NewEvent } from './log-store.ts';
import { dropped, mentionsIn, messageEvent, quoteOf } from './messages.ts';
import { createNotes, type Notes } from './notes.ts';
import {
  batchMs,
  type ChatEvent,
  type ChatterFacts,
  keptMs,
  type LogRun,
  type MessageInput,
  type ModeratorAct,
  openSettings,
  type PollView,
  type RoomFacts,
  type RoomNotes,
  relayName,
  roomBurst,
  roomMessagesPerSecond,
  type SendResult,
  type VoteResult,
} from './protocol.ts';
import { createRelays, type Relays } from './relays.ts';
import { chatRoomMigrations } from './schema.ts';

/** After so long the alarm takes out what a lost timer did not. */
const backstopMs = 1_000;
/** How long reports of relays are gathered. */
const countMs = 500;
/** Of the log in one call to a relay. */
const maxRun = 500;

/** What a relay needs to begin, or to go on. */
export interface RoomState extends LogRun {
  readonly notes: RoomNotes;
  /** How many look on, over all relays. */
  readonly viewers: number;
}

/** Numbers that stand for themselves: the latest are all that counts. */
export interface Counts {
  readonly viewers: number;
  readonly poll: PollView | null;
}

/** The room does not know the stream, or not the person, well enough: the caller asks the database and calls again. */
export type Unknown = { readonly unknown: true };

/** Hands batches to a relay. @returns the number the relay has come to; undefined when it holds no socket any more. */
export type Deliver = (relay: number, run: LogRun) => Promise<number | undefined>;

/**
 * The one place where a room's messages get their order: it decides on each, numbers it, and has it in SQLite before it is
 * acknowledged. Relays hold the sockets and are handed what is new in batches.
 */
export class ChatRoom extends DurableObject {
  clock = systemClock;
  /** Replaced in tests, to lose and repeat batches. */
  deliver: Deliver;
  readonly tellCounts: (relay: number, counts: Counts) => Promise<void>;
  readonly #log: LogStore;
  readonly #chatters: Chatters;
  readonly #relays: Relays;
  readonly #notes: Notes;
  readonly #hold: RoomHold;
  readonly #meter: Meter = meterOf({ limit: roomMessagesPerSecond, periodSeconds: 1, burst: roomBurst });
  #tat: number | undefined;
  #room: RoomFacts | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #counting: ReturnType<typeof setTimeout> | undefined;
  /** How far each relay is known to be. */
  readonly #reached = new Map<number, number>();

  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env);
    const { sql } = ctx.storage;
    migrate(ctx.storage, chatRoomMigrations);
    this.#log = createLogStore(sql);
    this.#chatters = createChatters(sql);
    this.#relays = createRelays(sql);
    this.#notes = createNotes(sql);
    const [row] = sql.exec<{ value: string }>("SELECT value FROM facts WHERE name = 'room'").toArray();
    this.#room = row === undefined ? undefined : (JSON.parse(row.value) as RoomFacts);
    this.#hold = {
      log: this.#log,
      chatters: this.#chatters,
      notes: this.#notes,
      set: (settings) => {
        if (this.#room === undefined) return;
        this.#room = { ...this.#room, settings };
        this.#save(this.#room);
      },
    };
    const { CHAT_RELAY: relays } = env as unknown as Bindings;
    const nameOf = (relay: number): string => relayName(this.#room?.streamId ?? '', relay);
    this.deliver = (relay, run) => callDurableObject(relays, nameOf(relay), (stub) => stub.deliver(run));
    this.tellCounts = (relay, counts) =>
      callDurableObject(relays, nameOf(relay), (stub) => stub.tellCounts(counts), 1);
  }

  /** Lets somebody in: takes note of who they are, and says which relay their socket goes to. */
  enter(room: RoomFacts, visitor: { readonly facts?: ChatterFacts; readonly region: string }): number {
    const now = this.clock.now();
    this.#open(room);
    if (visitor.facts !== undefined) this.#chatters.learn(visitor.facts, now);
    return this.#relays.place(visitor.region, now);
  }

  /**
   * Says something in the room. Once it is answered as sent, it is not lost; the same `clientId` again is the same message.
   * @param stated what the database says, where the room did not know.
   */
  async send(
    userId: string,
    input: MessageInput,
    stated?: { readonly room: RoomFacts; readonly facts: ChatterFacts },
  ): Promise<SendResult | Unknown> {
    const now = this.clock.now();
    this.#learn(stated, now);
    const writer = this.#chatters.writer(userId, now);
    if (this.#room === undefined || writer === undefined) return { unknown: true };
    const sent = this.#log.sentAs(userId, input.clientId);
    if (sent !== undefined) return { is_sent: true, message_id: sent.messageId, seq: sent.seq };
    if (this.#isClosed()) return dropped({ code: 'msg_closed', message: 'This room is closed.' });

    const fragments = fragmentsOf(input.text, emojiOf);
    const text = comparable(input.text);
    const drop =
      reasonToDrop(
        writer,
        this.#room.settings,
        { text: input.text, fragments, isKnown: () => this.#log.isSaid(text) },
        now,
      ) ?? this.#tooFull(writer, now);
    if (drop !== undefined) return dropped(drop);

    const messageId = encodeId('chatMessage', randomIds.next());
    const event = messageEvent(messageId, writer.facts, fragments, quoteOf(this.#log, input.replyTo));
    const seq = this.ctx.storage.transactionSync(() => {
      this.#chatters.noteSent(userId, text, now);
      return this.#log.append(
        {
          event,
          isKept: writer.facts.role !== 'viewer' || writer.facts.isMember,
          mentions: mentionsIn(event, fragments),
          message: { id: messageId, authorId: userId, clientId: input.clientId, text },
        },
        now,
      );
    });
    await this.#goOut(now);
    return { is_sent: true, message_id: messageId, seq };
  }

  /** Does what a moderator asked for. @returns false when there is nothing to do it to. */
  async act(room: RoomFacts, act: ModeratorAct, by?: ChatterFacts): Promise<boolean> {
    const now = this.clock.now();
    this.#open(room);
    if (by !== undefined) this.#chatters.learn(by, now);
    const wall = JSON.stringify(this.#notes.pinned());
    const event = this.ctx.storage.transactionSync(() => carryOut(act, this.#hold, now));
    if (event === undefined) return act.kind === 'unban';
    await this.#announce(event, now);
    // What was taken away may have been pinned.
    if (event.type !== 'pinned' && JSON.stringify(this.#notes.pinned()) !== wall)
      await this.#announce({ type: 'pinned', pinned: null }, now);
    if (act.kind === 'open poll') await wakeBy(this.ctx.storage, now + act.seconds * 1_000);
    return true;
  }

  /** Ends the room, for good; again is the same. One that nobody entered needs no end. */
  async close(): Promise<void> {
    if (this.#room === undefined || this.#isClosed()) return;
    this.ctx.storage.sql.exec("INSERT INTO facts (name, value) VALUES ('closed', 'true')");
    await this.#announce({ type: 'closed' }, this.clock.now());
  }

  /**
   * Counts a vote in the poll that goes on, one for each person.
   * @param stated what the database says, where the room did not know.
   */
  vote(
    userId: string,
    vote: { readonly pollId: string; readonly choice: number },
    stated?: { readonly room: RoomFacts; readonly facts: ChatterFacts },
  ): VoteResult | Unknown {
    const now = this.clock.now();
    this.#learn(stated, now);
    const writer = this.#chatters.writer(userId, now);
    if (this.#room === undefined || writer === undefined) return { unknown: true };
    const { ban } = writer.facts;
    if (ban !== null && (ban.untilMs === null || ban.untilMs > now)) return 'banned';
    const poll = this.#notes.poll();
    if (poll === null || poll.id !== vote.pollId || poll.ended || poll.ends_at <= now) return 'no_poll';
    if (vote.choice >= poll.choices.length) return 'no_choice';
    if (!this.#notes.vote(poll.id, userId, vote.choice)) return 'already';
    this.#countSoon();
    return 'counted';
  }

  /** A relay says that it is there, and asks for what it has missed. */
  subscribe(relay: {
    readonly number: number;
    readonly region: string;
    readonly sockets: number;
    /** The last number it has; undefined when it begins. */
    readonly after: number | undefined;
  }): RoomState {
    const now = this.clock.now();
    this.#relays.note(relay.number, relay.region, relay.sockets, now);
    const run =
      relay.after === undefined ? this.#log.latest(maxRun) : this.#log.runAfter(relay.after, maxRun);
    this.#reached.set(relay.number, run.items.at(-1)?.seq ?? run.head);
    return { ...run, notes: this.#notesNow(), viewers: this.#relays.viewers(now) };
  }

  /** A relay says how many sockets it has now. */
  report(relay: { readonly number: number; readonly region: string; readonly sockets: number }): void {
    this.#relays.note(relay.number, relay.region, relay.sockets, this.clock.now());
    this.#countSoon();
  }

  /** A relay has no socket any more. */
  leave(relay: number): void {
    this.#relays.remove(relay);
    this.#reached.delete(relay);
    this.#countSoon();
  }

  /** The log after `after`, for those who ask for it by HTTP; undefined: the latest. */
  read(after: number | undefined, limit: number): LogRun {
    return after === undefined ? this.#log.latest(limit) : this.#log.runAfter(after, limit);
  }

  /** Takes out what a timer that was lost with its isolate did not, and tidies up. */
  override async alarm(): Promise<void> {
    const now = this.clock.now();
    const poll = this.#notes.poll();
    if (poll !== null && !poll.ended) {
      const ended =
        poll.ends_at <= now ? this.ctx.storage.transactionSync(() => closePoll(this.#notes)) : undefined;
      if (ended !== undefined) await this.#announce(ended, now);
      else await wakeBy(this.ctx.storage, poll.ends_at);
    }
    await this.#push();
    const isLong = this.#log.prune(now);
    this.#chatters.forget(now);
    if (isLong || this.#relays.live(now).length > 0) await wakeBy(this.ctx.storage, now + keptMs);
  }

  #learn(
    stated: { readonly room: RoomFacts; readonly facts: ChatterFacts } | undefined,
    nowMs: number,
  ): void {
    if (stated === undefined) return;
    this.#open(stated.room);
    this.#chatters.learn(stated.facts, nowMs);
  }

  #notesNow(): RoomNotes {
    const settings = this.#room?.settings ?? openSettings;
    return { settings, pinned: this.#notes.pinned(), poll: this.#notes.poll() };
  }

  #isClosed(): boolean {
    return this.ctx.storage.sql.exec("SELECT 1 FROM facts WHERE name = 'closed'").toArray().length > 0;
  }

  #open(room: RoomFacts): void {
    if (this.#room !== undefined) return;
    this.#room = room;
    this.#save(room);
  }

  #save(room: RoomFacts): void {
    this.ctx.storage.sql.exec(
      "INSERT INTO facts (name, value) VALUES ('room', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
      JSON.stringify(room),
    );
  }

  #tooFull({ facts }: Writer, nowMs: number): Drop | undefined {
    const { allowed, tat, retryAfterMs } = decide(this.#meter, this.#tat, nowMs, 1);
    // Those who keep order get through when the room is loudest.
    if (allowed) this.#tat = tat;
    if (allowed || keepsOrder(facts)) return undefined;
    return {
      code: 'msg_roomratelimit',
      message: 'More is being said here than anybody could read; try again.',
      retryAfterMs,
    };
  }

  async #announce(event: ChatEvent, nowMs: number): Promise<void> {
    const entry: NewEvent = { event, isKept: true, mentions: [] };
    this.#log.append(entry, nowMs);
    await this.#goOut(nowMs);
  }

  // The timer holds a batch open; it keeps the object awake only while there is something to send.
  async #goOut(nowMs: number): Promise<void> {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.ctx.waitUntil(this.#push());
    }, batchMs);
    await wakeBy(this.ctx.storage, nowMs + backstopMs);
  }

  #countSoon(): void {
    this.#counting ??= setTimeout(() => {
      this.#counting = undefined;
      const now = this.clock.now();
      const viewers = this.#relays.viewers(now);
      const poll = this.#notes.poll();
      const told = this.#relays.live(now).map(({ number }) => this.tellCounts(number, { viewers, poll }));
      // A relay that does not hear it asks with its next lease.
      this.ctx.waitUntil(Promise.allSettled(told));
    }, countMs);
  }

  async #push(): Promise<void> {
    const head = this.#log.head();
    const behind = this.#relays
      .live(this.clock.now())
      .filter(({ number }) => (this.#reached.get(number) ?? 0) < head);
    await Promise.all(behind.map(({ number }) => this.#pushTo(number)));
  }

  async #pushTo(relay: number): Promise<void> {
    const known = this.#reached.get(relay);
    // After a restart nothing is known of relays: the last events do, and what lies before them a relay asks for.
    const run = known === undefined ? this.#log.latest(maxRun) : this.#log.runAfter(known, maxRun);
    // Noted before the answer: a batch that gets lost leaves a hole, which the relay sees at the next one and fills.
    this.#reached.set(relay, run.items.at(-1)?.seq ?? run.head);
    try {
      if ((await this.deliver(relay, run)) === undefined) this.leave(relay);
    } catch {
      // It asks for what it misses when it renews its lease.
      this.#reached.delete(relay);
    }
  }
}
