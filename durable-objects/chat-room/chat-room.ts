import { DurableObject } from 'cloudflare:workers';
import type { Bindings } from '../../src/context.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { callDurableObject } from '../../src/shared/durable-object-call.ts';
import { wakeBy } from '../alarms.ts';
import { migrate } from '../sqlite-migrations.ts';
import { type ActionLog, createActionLog, loggedAction } from './action-log.ts';
import { carryOut, closePoll, type RoomHold, roomEvent } from './acts.ts';
import { type Archive, type ArchiveOutside, createArchive } from './archive.ts';
import { archiveOutsideOf } from './archive-outside.ts';
import { type Channel, type ChannelPort, channelPortOf, createChannel } from './channel.ts';
import { createChatters } from './chatters.ts';
import { isBanned } from './decide.ts';
import { createDelivery, type Delivery } from './delivery.ts';
import { createHeld } from './held.ts';
import { createLogStore, shownOf } from './log-store.ts';
import { createNotes } from './notes.ts';
import {
  type ActResult,
  type ChatEvent,
  type ChatterFacts,
  type Counts,
  type Crowd,
  type Deliver,
  type HeldMessage,
  keptMs,
  type LoggedAction,
  type LogRun,
  type MessageInput,
  type ModeratorAct,
  type Notice,
  type RoomFacts,
  type RoomState,
  relayName,
  type SendResult,
  type Stated,
  streamOfRoom,
  type Unknown,
  type VoteResult,
} from './protocol.ts';
import { createRelays, type Relays } from './relays.ts';
import { createRoomRecord } from './room-record.ts';
import { createSpeech } from './say.ts';
import { chatRoomMigrations } from './schema.ts';
import { createTally, type Tally } from './tally.ts';
import { applyTallyOf, flushIfDue } from './tally-flush.ts';
import type { ApplyTally, TallyReport } from './tally-protocol.ts';

/** Relays have heard of the end of a room by then, and say that nobody is there any more. */
const closingMs = 2_000;

/** After so long, what the database did not take is written down again. */
const writeAgainMs = 10_000;

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
  channel: ChannelPort;
  /** Replaced in tests, to make it fail. */
  applyTally: ApplyTally;
  readonly tellCounts: (relay: number, counts: Counts) => Promise<void>;
  readonly #relays: Relays;
  readonly #hold: RoomHold;
  readonly #delivery: Delivery;
  readonly #archive: Archive;
  readonly #channel: Channel;
  readonly #actions: ActionLog;
  readonly #say: ReturnType<typeof createSpeech>;
  readonly #tally: Tally;
  #flushArmedAtMs: number | undefined;

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
      held: createHeld(sql),
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
      notify: (relay, notices) => callDurableObject(relays, nameOf(relay), (stub) => stub.notify(notices)),
      viewers: (nowMs) => this.#viewers(nowMs),
      waitUntil: (work) => ctx.waitUntil(work),
    });
    this.#say = createSpeech(this.#hold);
    this.#actions = createActionLog(sql);
    this.channel = channelPortOf(env as unknown as Bindings);
    this.#channel = createChannel(this.#hold, {
      port: () => this.channel,
      now: () => this.clock.now(),
      waitUntil: (work) => ctx.waitUntil(work),
      tell: ({ entries, notices }, nowMs) => this.#tell(entries.length, notices, nowMs),
    });
  }

  /** Lets somebody in: takes note of who they are, and says which relay their socket goes to. */
  enter(
    room: RoomFacts,
    visitor: { readonly facts?: ChatterFacts; readonly region: string },
  ): { readonly relay: number; readonly facts: ChatterFacts | undefined } {
    const now = this.clock.now();
    this.#hold.record.open(room);
    const { region } = visitor;
    const { chatters } = this.#hold;
    // What was decided since the database was asked is known here.
    const facts = visitor.facts && chatters.learn(visitor.facts, now);
    const relay = this.#relays.place(region, now, facts && chatters.seat(facts.userId));
    if (facts !== undefined) chatters.sit(facts.userId, relay);
    this.#channel.lookSoon(now);
    return { relay, facts };
  }

  /** Says something in the room. Once it is answered as sent, it is not lost; the same `clientId` again is the same message. */
  async send(userId: string, input: MessageInput, stated?: Stated): Promise<SendResult | Unknown> {
    const now = this.clock.now();
    this.#learn(stated, now);
    const { chatters, record } = this.#hold;
    if (record.facts() === undefined || chatters.writer(userId, now) === undefined) return { unknown: true };
    await this.#channel.known();
    const writer = chatters.writer(userId, now);
    if (writer === undefined) return { unknown: true };
    const { result, isNew, notices } = this.#say(writer, input, now);
    await this.#tell(isNew ? 1 : 0, notices, now);
    this.#channel.lookSoon(now);
    return result;
  }

  /** Does what a moderator asked for. */
  async act(room: RoomFacts, act: ModeratorAct, by?: ChatterFacts): Promise<ActResult> {
    const now = this.clock.now();
    const { record, chatters, log } = this.#hold;
    record.open(room);
    if (by !== undefined) chatters.learn(by, now);
    const { result, entries, notices } = this.#hold.atomically(() => {
      const outcome = carryOut(act, this.#hold, by, now);
      for (const entry of outcome.entries) log.append(entry, now);
      const action = by === undefined ? undefined : loggedAction(act, outcome, by, now);
      if (outcome.result === 'done' && action !== undefined) this.#actions.note(action);
      return outcome;
    });
    if (result !== 'done') return result;
    // An act without an event is written down by the alarm all the same.
    await this.#tell(Math.max(1, entries.length), notices, now);
    if (act.kind === 'open poll') await wakeBy(this.ctx.storage, now + act.seconds * 1_000);
    return result;
  }

  /** Something was decided in the channel: the room looks what, unless it knows. */
  async look(version: number): Promise<void> {
    await this.#channel.look(version);
  }

  /** Messages that wait for a moderator, behind `after`. */
  held(after: string | undefined, limit: number): HeldMessage[] {
    return this.#hold.held.list(after, limit);
  }

  /** Ends the room, for good; again is the same. One that nobody entered needs no end. */
  async close(): Promise<void> {
    const { record } = this.#hold;
    if (record.isClosed()) return;
    record.close();
    const now = this.clock.now();
    // After those who are sent away have gone.
    this.#tally.sumUp(now + closingMs);
    await wakeBy(this.ctx.storage, now + closingMs);
    // Nobody came so far, and who comes finds it closed.
    if (record.facts() !== undefined) await this.#announce({ type: 'closed' }, now);
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
    if (isBanned(writer.facts, now)) return 'banned';
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
    this.#channel.lookSoon(now);
    const run = this.#delivery.begin(relay.number, relay.after);
    const { record, notes } = this.#hold;
    return {
      ...run,
      notes: { settings: record.settings(), pinned: notes.pinned(), poll: notes.poll() },
      viewers: this.#viewers(now),
    };
  }

  /** A relay says how many sockets it has now. */
  async report(relay: {
    readonly number: number;
    readonly region: string;
    readonly crowd: Crowd;
  }): Promise<void> {
    this.#relays.note(relay.number, relay.region, relay.crowd, this.clock.now());
    this.#delivery.countSoon();
    await this.#look();
  }

  /** The provider of the video says how many play it. */
  async noteAudience(count: number, atMs: number): Promise<void> {
    this.#tally.noteProvider(count, atMs);
    this.#delivery.countSoon();
    await this.#look();
  }

  /** How the room is watched and written in, up to now; undefined where nobody ever came. */
  tally(): TallyReport | undefined {
    this.#tally.count();
    this.#viewers(this.clock.now());
    const report = this.#tally.report();
    const isUnseen = this.#hold.record.facts() === undefined && report.totals.peakViewers === 0;
    return isUnseen ? undefined : report;
  }

  /** A relay has no socket any more. */
  leave(relay: number): void {
    this.#delivery.leave(relay);
  }

  /** The log after `after`; undefined: the latest. */
  read(after: number | undefined, limit: number): LogRun {
    const { log } = this.#hold;
    return after === undefined ? log.latest(limit) : log.runAfter(after, limit);
  }

  /** The same for those who have no socket, with how many look on; to those who do not keep order, as far as it is shown. */
  glance(
    after: number | undefined,
    limit: number,
    keepsOrder: boolean,
  ): LogRun & { readonly viewers: number } {
    const now = this.clock.now();
    const run = this.read(after, limit);
    return { ...(keepsOrder ? run : shownOf(run, now)), viewers: this.#viewers(now) };
  }

  /** Takes out what a timer that was lost with its isolate did not, and tidies up. */
  override async alarm(): Promise<void> {
    const now = this.clock.now();
    const { log, chatters, notes, held, record } = this.#hold;
    const poll = notes.poll();
    if (poll !== null && !poll.ended) {
      const ended = poll.ends_at <= now ? this.#hold.atomically(() => closePoll(notes)) : undefined;
      if (ended !== undefined) await this.#announce(ended, now);
      else await wakeBy(this.ctx.storage, poll.ends_at);
    }
    await this.#delivery.push();
    this.#delivery.notify(
      this.#hold.atomically(() => held.expire(now)),
      now,
    );
    const dueMs = held.dueMs();
    if (dueMs !== undefined) await wakeBy(this.ctx.storage, dueMs);
    const streamId = record.facts()?.streamId;
    const write = (actions: readonly LoggedAction[]) => this.channel.log(streamId ?? '', actions);
    if (!(await this.#actions.flush(write))) await wakeBy(this.ctx.storage, now + writeAgainMs);
    this.#viewers(now);
    // Before the log forgets.
    this.#tally.count();
    await this.#archive.run();
    const isLong = log.prune(now, { archivedUpTo: this.#archive.reached(), isOver: record.isClosed() });
    chatters.forget(now);
    await flushIfDue(this.#tally, streamOfRoom(this.ctx.id.name), this.applyTally, () => this.clock.now());
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

  /** Counts who looks on, and sees to it that the database hears of it. */
  async #look(): Promise<void> {
    this.#viewers(this.clock.now());
    const flushAtMs = this.#tally.flushDueAtMs();
    if (flushAtMs === undefined || flushAtMs === this.#flushArmedAtMs) return;
    this.#flushArmedAtMs = flushAtMs;
    await wakeBy(this.ctx.storage, flushAtMs);
  }

  #learn(stated: Stated | undefined, nowMs: number): void {
    if (stated === undefined) return;
    this.#hold.record.open(stated.room);
    this.#hold.chatters.learn(stated.facts, nowMs);
  }

  async #announce(event: ChatEvent, nowMs: number): Promise<void> {
    this.#hold.log.append(roomEvent(event), nowMs);
    await this.#delivery.goOut(nowMs);
  }

  /** Tells what is in the stores already: so many new events, and notices. */
  async #tell(events: number, notices: readonly Notice[], nowMs: number): Promise<void> {
    this.#delivery.notify(notices, nowMs);
    if (events > 0) await this.#delivery.goOut(nowMs);
    const dueMs = notices.length > 0 ? this.#hold.held.dueMs() : undefined;
    if (dueMs !== undefined) await wakeBy(this.ctx.storage, dueMs);
  }
}
