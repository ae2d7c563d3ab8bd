import { DurableObject } from 'cloudflare:workers';
import type { Bindings } from '../../src/context.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { callDurableObject } from '../../src/shared/durable-object-call.ts';
import { wakeBy } from '../alarms.ts';
import { migrate } from '../sqlite-migrations.ts';
import { carryOut, closePoll, type RoomHold } from './acts.ts';
import { type Archive, type ArchiveOutside, createArchive } from './archive.ts';
import { archiveOutsideOf } from './archive-outside.ts';
import { createChatters } from './chatters.ts';
import { createDelivery, type Delivery } from './delivery.ts';
import { createLogStore } from './log-store.ts';
import { createNotes } from './notes.ts';
import {
  type ChatEvent,
  type ChatterFacts,
  type Counts,
  type Crowd,
  type Deliver,
  keptMs,
  type LogRun,
  type MessageInput,
  type ModeratorAct,
  type RoomFacts,
  type RoomState,
  relayName,
  type SendResult,
  type Stated,
  type Unknown,
  type VoteResult,
} from './protocol.ts';
import { createRelays, type Relays } from './relays.ts';
import { createRoomRecord } from './room-record.ts';
import { createRoomMeter, say } from './say.ts';
import { chatRoomMigrations } from './schema.ts';
import { createTally, type Tally } from './tally.ts';
import { applyTallyOf, flushIfDue } from './tally-flush.ts';
import type { ApplyTally, TallyReport } from './tally-protocol.ts';

/** Relays have heard of the end of a room by then, and say that nobody is there any more. */
const closingMs = 2_000;

/**
 * The one place where a room's messages get their order: it decides on each, numbers it, and has it in SQLite before it is
 * acknowledged. Relays hold the sockets and are handed what is new in batches.
 */
export class ChatRoom extends DurableObject {
  clock = systemClock;
  /** Replaced in tests, to lose and repeat batches. */
  deliver: Deliver;
  /** The same, to lose and repeat what goes to the database. */
  archiveTo: ArchiveOutside;
  /** Replaced in tests, to make it fail. */
  applyTally: ApplyTally;
  readonly tellCounts: (relay: number, counts: Counts) => Promise<void>;
  readonly #relays: Relays;
  readonly #hold: RoomHold;
  readonly #delivery: Delivery;
  readonly #archive: Archive;
  readonly #tally: Tally;
  readonly #tooFull = createRoomMeter();

  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env);
    const { sql } = ctx.storage;
    migrate(ctx.storage, chatRoomMigrations);
    this.#relays = createRelays(sql);
    const record = createRoomRecord(sql);
    this.#hold = {
      log: createLogStore(sql),
      chatters: createChatters(sql),
      notes: createNotes(sql),
      record,
      atomically: (work) => ctx.storage.transactionSync(work),
    };
    this.#tally = createTally({ sql, head: this.#hold.log.head, atomically: this.#hold.atomically });
    const bindings = env as unknown as Bindings;
    this.applyTally = applyTallyOf(bindings);
    const { CHAT_RELAY: relays } = bindings;
    const nameOf = (relay: number): string => relayName(record.facts()?.streamId ?? '', relay);
    this.deliver = (relay, run) => callDurableObject(relays, nameOf(relay), (stub) => stub.deliver(run));
    this.tellCounts = (relay, counts) =>
      callDurableObject(relays, nameOf(relay), (stub) => stub.tellCounts(counts), 1);
    this.archiveTo = archiveOutsideOf(bindings);
    this.#archive = createArchive({
      sql,
      log: this.#hold.log,
      clock: { now: () => this.clock.now() },
      streamId: () => record.facts()?.streamId,
      outside: () => this.archiveTo,
    });
    this.#delivery = createDelivery({
      storage: ctx.storage,
      log: this.#hold.log,
      notes: this.#hold.notes,
      relays: this.#relays,
      clock: { now: () => this.clock.now() },
      deliver: (relay, run) => this.deliver(relay, run),
      tellCounts: this.tellCounts,
      viewers: (nowMs) => this.#viewers(nowMs),
      waitUntil: (work) => ctx.waitUntil(work),
    });
  }

  /** Lets somebody in: takes note of who they are, and says which relay their socket goes to. */
  enter(room: RoomFacts, visitor: { readonly facts?: ChatterFacts; readonly region: string }): number {
    const now = this.clock.now();
    this.#hold.record.open(room);
    const { facts, region } = visitor;
    const { chatters } = this.#hold;
    if (facts !== undefined) chatters.learn(facts, now);
    const relay = this.#relays.place(region, now, facts && chatters.seat(facts.userId));
    if (facts !== undefined) chatters.sit(facts.userId, relay);
    return relay;
  }

  /** Says something in the room. Once it is answered as sent, it is not lost; the same `clientId` again is the same message. */
  async send(userId: string, input: MessageInput, stated?: Stated): Promise<SendResult | Unknown> {
    const now = this.clock.now();
    this.#learn(stated, now);
    const writer = this.#hold.chatters.writer(userId, now);
    if (this.#hold.record.facts() === undefined || writer === undefined) return { unknown: true };
    const head = this.#hold.log.head();
    const result = say(this.#hold, writer, input, this.#tooFull, now);
    if (this.#hold.log.head() > head) await this.#delivery.goOut(now);
    return result;
  }

  /** Does what a moderator asked for. @returns false when there is nothing to do it to. */
  async act(room: RoomFacts, act: ModeratorAct, by?: ChatterFacts): Promise<boolean> {
    const now = this.clock.now();
    const { record, chatters, notes } = this.#hold;
    record.open(room);
    if (by !== undefined) chatters.learn(by, now);
    const wall = JSON.stringify(notes.pinned());
    const event = this.#hold.atomically(() => carryOut(act, this.#hold, now));
    if (event === undefined) return act.kind === 'unban';
    await this.#announce(event, now);
    // What was taken away may have been pinned.
    if (event.type !== 'pinned' && JSON.stringify(notes.pinned()) !== wall)
      await this.#announce({ type: 'pinned', pinned: null }, now);
    if (act.kind === 'open poll') await wakeBy(this.ctx.storage, now + act.seconds * 1_000);
    return true;
  }

  /** Ends the room, for good; again is the same. One that nobody entered needs no end. */
  async close(): Promise<void> {
    const { record } = this.#hold;
    if (record.facts() === undefined || record.isClosed()) return;
    record.close();
    const now = this.clock.now();
    await this.#announce({ type: 'closed' }, now);
    // After those who are sent away have gone.
    this.#tally.setFlushDue(now + closingMs);
  }

  /** Counts a vote in the poll that goes on, one for each person. */
  vote(
    userId: string,
    vote: { readonly pollId: string; readonly choice: number },
    stated?: Stated,
  ): VoteResult | Unknown {
    const now = this.clock.now();
    this.#learn(stated, now);
    const { chatters, notes, record } = this.#hold;
    const writer = chatters.writer(userId, now);
    if (record.facts() === undefined || writer === undefined) return { unknown: true };
    const { ban } = writer.facts;
    if (ban !== null && (ban.untilMs === null || ban.untilMs > now)) return 'banned';
    const poll = notes.poll();
    if (poll === null || poll.id !== vote.pollId || poll.ended || poll.ends_at <= now) return 'no_poll';
    if (vote.choice >= poll.choices.length) return 'no_choice';
    if (!notes.vote(poll.id, userId, vote.choice)) return 'already';
    this.#delivery.countSoon();
    return 'counted';
  }

  /** A relay says that it is there, and asks for what it has missed. */
  subscribe(relay: {
    readonly number: number;
    readonly region: string;
    readonly crowd: Crowd;
    /** The last number it has; undefined when it begins. */
    readonly after: number | undefined;
  }): RoomState {
    const now = this.clock.now();
    this.#relays.note(relay.number, relay.region, relay.crowd, now);
    const run = this.#delivery.begin(relay.number, relay.after);
    const { record, notes } = this.#hold;
    return {
      ...run,
      notes: { settings: record.settings(), pinned: notes.pinned(), poll: notes.poll() },
      viewers: this.#viewers(now),
    };
  }

  /** A relay says how many sockets it has now. */
  report(relay: { readonly number: number; readonly region: string; readonly crowd: Crowd }): void {
    this.#relays.note(relay.number, relay.region, relay.crowd, this.clock.now());
    this.#delivery.countSoon();
  }

  /** The provider of the video says how many play it. */
  noteAudience(count: number, atMs: number): void {
    this.#tally.noteProvider(count, atMs);
    this.#delivery.countSoon();
  }

  /** How the room is watched and written in, up to now; undefined where nobody ever came. */
  tally(): TallyReport | undefined {
    if (this.#hold.record.facts() === undefined) return undefined;
    this.#tally.count();
    this.#viewers(this.clock.now());
    return this.#tally.report();
  }

  /** A relay has no socket any more. */
  leave(relay: number): void {
    this.#delivery.leave(relay);
  }

  /** The log after `after`, for those who ask for it by HTTP; undefined: the latest. */
  read(after: number | undefined, limit: number): LogRun {
    const { log } = this.#hold;
    return after === undefined ? log.latest(limit) : log.runAfter(after, limit);
  }

  /** Takes out what a timer that was lost with its isolate did not, and tidies up. */
  override async alarm(): Promise<void> {
    const now = this.clock.now();
    const { log, chatters, notes, record } = this.#hold;
    const poll = notes.poll();
    if (poll !== null && !poll.ended) {
      const ended = poll.ends_at <= now ? this.#hold.atomically(() => closePoll(notes)) : undefined;
      if (ended !== undefined) await this.#announce(ended, now);
      else await wakeBy(this.ctx.storage, poll.ends_at);
    }
    await this.#delivery.push();
    this.#viewers(now);
    // Before the log forgets.
    this.#tally.count();
    await this.#archive.run();
    const isLong = log.prune(now, { archivedUpTo: this.#archive.reached(), isOver: record.isClosed() });
    chatters.forget(now);
    await flushIfDue(this.#tally, record.facts()?.streamId, this.applyTally, () => this.clock.now());
    const flushAtMs = this.#tally.flushDueAtMs();
    if (isLong || this.#relays.live(now).length > 0) await wakeBy(this.ctx.storage, now + keptMs);
    const archiveAtMs = this.#archive.dueAtMs();
    // An alarm in the past would come at once, and again while this one is not over.
    if (archiveAtMs !== undefined) await wakeBy(this.ctx.storage, Math.max(archiveAtMs, now));
    if (flushAtMs !== undefined) await wakeBy(this.ctx.storage, flushAtMs);
  }

  /** How many look on; the tally takes note of it. */
  #viewers(nowMs: number): number {
    const connected = this.#relays.viewers(nowMs);
    this.#tally.watch(connected, nowMs);
    return this.#tally.viewers(connected, nowMs);
  }

  #learn(stated: Stated | undefined, nowMs: number): void {
    if (stated === undefined) return;
    this.#hold.record.open(stated.room);
    this.#hold.chatters.learn(stated.facts, nowMs);
  }

  async #announce(event: ChatEvent, nowMs: number): Promise<void> {
    this.#hold.log.append({ event, isKept: true, mentions: [] }, nowMs);
    await this.#delivery.goOut(nowMs);
  }
}
