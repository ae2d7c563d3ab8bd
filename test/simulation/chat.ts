import { expect } from 'vitest';
import { ChatRelay } from '../../durable-objects/chat-relay/chat-relay.ts';
import { relayHeaders } from '../../durable-objects/chat-relay/protocol.ts';
import { ChatRoom } from '../../durable-objects/chat-room/chat-room.ts';
import {
  type ChatterFacts,
  type LogRun,
  openSettings,
  type RoomFacts,
  relayName,
  roomName,
  type SendResult,
} from '../../durable-objects/chat-room/protocol.ts';
import type { TallyReport } from '../../durable-objects/chat-room/tally-protocol.ts';
import { decodeId, randomIds } from '../../src/shared/ids.ts';
import { ArchiveModel } from './archive.ts';
import { Database, united } from './database.ts';
import { type ClientSocket, type Fate, Platform } from './platform.ts';

export const people = 6;
/** Sees at once what others see after the delay. */
const moderator = 0;
const regions = ['EU', 'NA'] as const;

export type Step =
  | { readonly kind: 'join' | 'come back' | 'leave'; readonly who: number }
  | { readonly kind: 'send'; readonly who: number; readonly again: boolean }
  | { readonly kind: 'ban' | 'pardon'; readonly who: number }
  | { readonly kind: 'evict room' | 'evict relays' | 'abort relays' | 'deploy' | 'delete last' }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'delay'; readonly seconds: number }
  | { readonly kind: 'trouble'; readonly fates: readonly Fate[] }
  | { readonly kind: 'database'; readonly outcomes: readonly ReturnType<Database['trouble']>[] };

interface Batch {
  readonly from: number;
  readonly to: number;
  readonly events: readonly {
    readonly seq: number;
    readonly at: number;
    readonly event: { readonly type: string; readonly id?: string };
  }[];
  readonly omitted?: readonly (readonly [number, number])[];
}

/** Of the length of a visit that ended without a word: how often relays write down who is there. */
const unseenMs = 10_500;
/** Between a visit in the relay and what its client notices of it. */
const noticeMs = 1_600;

/** A client that holds what it gets against the guarantee. */
class Client {
  readonly socket: ClientSocket;
  readonly events: {
    readonly seq: number;
    readonly id: string | undefined;
    readonly type: string;
    /** After so long it was shown. */
    readonly afterMs: number;
  }[] = [];
  readonly #now: () => number;
  readonly faults: string[] = [];
  readonly who: number;
  readonly fromMs: number;
  isOpen = true;
  toMs: number | undefined;
  isCut = false;
  last: number | undefined;

  constructor(who: number, socket: ClientSocket, after: number | undefined, now: () => number) {
    this.who = who;
    this.socket = socket;
    this.#now = now;
    this.last = after;
    this.fromMs = now();
    socket.onClose = (code) => {
      this.isOpen = false;
      this.toMs ??= now();
      this.isCut = code === 1006;
    };
    socket.onMessage = (data) => this.#take(data);
  }

  // What is wrong is kept: thrown here, it would be a failure of the sender.
  #take(data: string): void {
    const frame = JSON.parse(data);
    if (frame.type === 'resync') this.last = frame.seq;
    if (frame.type !== 'batch') return;
    const { from, to, events, omitted = [] } = frame as Batch;
    if (this.last !== undefined && from !== this.last + 1)
      this.faults.push(`${from}..${to} came after ${this.last}`);
    const named = [
      ...events.map(({ seq }) => seq),
      ...omitted.flatMap(([first, last]) =>
        Array.from({ length: last - first + 1 }, (_, index) => first + index),
      ),
    ].toSorted((one, other) => one - other);
    if (named.length !== to - from + 1 || named.some((seq, index) => seq !== from + index))
      this.faults.push(`${from}..${to} holds ${named.join()}`);
    this.last = to;
    for (const { seq, at, event } of events)
      this.events.push({ seq, id: event.id, type: event.type, afterMs: this.#now() - at });
  }
}

interface Acknowledged {
  readonly who: number;
  readonly clientId: string;
  readonly text: string;
  readonly id: string;
  readonly seq: number;
}

/** A room with its relays and clients, on a platform that goes wrong as it is told. */
export class Simulation {
  readonly #platform: Platform;
  readonly #database = new Database();
  readonly #room: RoomFacts = {
    streamId: randomIds.next(),
    ownerId: randomIds.next(),
    settings: openSettings,
    version: 0,
  };
  readonly #people: readonly ChatterFacts[] = Array.from({ length: people }, (_, index) => ({
    userId: randomIds.next(),
    username: `person_${index}`,
    displayName: `person_${index}`,
    role: index === moderator ? 'moderator' : 'viewer',
    isMember: false,
    followsSinceMs: null,
    ban: null,
    warning: null,
    botMessages: null,
    color: null,
    version: 0,
  }));
  readonly #archive = new ArchiveModel();
  readonly #banned = new Set<number>();
  readonly #clients = new Map<number, Client>();
  readonly #everybody: Client[] = [];
  readonly #acknowledged: Acknowledged[] = [];
  readonly #moderators = new Set<Client>();
  readonly #delays = new Map<string, number>();
  #delayMs = 0;
  #version = 0;
  #sent = 0;
  #lastSent: Omit<Acknowledged, 'id' | 'seq'> | undefined;

  constructor() {
    this.#platform = new Platform((name, ctx, env) => {
      const made = name.startsWith('room ')
        ? new ChatRoom(ctx as never, env)
        : new ChatRelay(ctx as never, env);
      made.clock = { now: () => this.#platform.nowMs };
      if (made instanceof ChatRoom) {
        made.applyTally = (flush) => this.#database.applyTally(flush);
        made.archiveTo = {
          send: async (flush) => this.#archive.take(flush, this.#platform.fate()),
          warn: () => undefined,
        };
        // What is decided in other rooms has no part in this.
        made.channel = { news: async () => undefined, log: async () => undefined };
      } else made.applyPresence = (flush) => this.#database.applyPresence(flush);
      return made;
    });
  }

  get platform(): Platform {
    return this.#platform;
  }

  async take(step: Step): Promise<void> {
    const platform = this.#platform;
    switch (step.kind) {
      case 'join':
        return this.#join(step.who, undefined);
      case 'come back':
        return this.#join(step.who, this.#clients.get(step.who)?.last);
      case 'leave':
        this.#clients.get(step.who)?.socket.hangUp();
        this.#drop(step.who);
        return platform.settle();
      case 'send':
        return this.#send(step.who, step.again);
      case 'ban':
      case 'pardon':
        return this.#silence(step.who, step.kind === 'ban');
      case 'delete last': {
        const last = this.#acknowledged.at(-1);
        if (last !== undefined) await this.#call('act', this.#room, { kind: 'delete', messageId: last.id });
        return;
      }
      case 'evict room':
        return platform.evict(this.#roomName, false);
      case 'evict relays':
      case 'abort relays':
        for (const name of platform.names('relay')) platform.evict(name, step.kind === 'abort relays');
        return;
      case 'deploy':
        for (const name of [...platform.names('relay'), this.#roomName]) platform.evict(name, true);
        return;
      case 'wait':
        return platform.pass(step.ms);
      case 'delay': {
        this.#version += 1;
        this.#delayMs = step.seconds * 1_000;
        const settings = { ...openSettings, moderator_delay_seconds: step.seconds };
        await this.#call('act', this.#room, { kind: 'settings', settings, version: this.#version });
        return;
      }
      case 'database': {
        let turn = 0;
        this.#database.trouble = () => {
          turn += 1;
          return step.outcomes[turn % step.outcomes.length] ?? 'works';
        };
        return;
      }
      case 'trouble': {
        let turn = 0;
        platform.fate = () => {
          turn += 1;
          return step.fates[turn % step.fates.length] ?? 'arrives';
        };
      }
    }
  }

  /** Troubles end, and everything that is late comes. */
  async check(): Promise<void> {
    const platform = this.#platform;
    platform.fate = () => 'arrives';
    this.#database.trouble = () => 'works';
    platform.evict(this.#roomName, false);
    await platform.pass(45_000);
    const { head, items } = (await this.#call('read', undefined, 100_000)) as LogRun;
    expect(items.map(({ seq }) => seq)).toEqual(Array.from({ length: head }, (_, index) => index + 1));
    const log = new Map(items.map(({ seq, text }) => [seq, JSON.parse(text).event]));
    for (const { id, seq, text } of this.#acknowledged) {
      const kept = log.get(seq);
      expect(kept?.id, 'what was acknowledged is in the log').toBe(id);
      if (kept.deleted !== true)
        expect(kept.fragments.map((part: { text: string }) => part.text).join('')).toBe(text);
    }
    expect(new Set(this.#acknowledged.map(({ text }) => text)).size, 'nothing is said twice').toBe(
      new Set(this.#acknowledged.map(({ seq }) => seq)).size,
    );
    expect(this.#everybody.flatMap(({ faults }) => faults)).toEqual([]);
    for (const client of this.#everybody)
      for (const { id, afterMs } of this.#moderators.has(client) ? [] : client.events)
        expect(afterMs, 'nothing is shown too early').toBeGreaterThanOrEqual(this.#delays.get(id ?? '') ?? 0);
    for (const client of this.#everybody)
      for (const { seq, id, type } of client.events)
        expect({ id, type }, 'what was shown is what the log has').toEqual({
          id: log.get(seq)?.id,
          type: log.get(seq)?.type,
        });
    const open = [...this.#clients.values()].filter(({ isOpen }) => isOpen);
    for (const client of open)
      if (client.last !== undefined || head > 0)
        expect(client.last ?? 0, 'everybody who is there has it all').toBe(head);
    const report = (await this.#call('tally')) as TallyReport | undefined;
    expect(report?.viewers ?? 0, 'who is there is counted').toBe(open.length);
    const messages = [...log.values()].filter(({ type }) => type === 'message');
    await this.#checkAnalytics(messages.length, open.length);
    // By now longer than the longest wait after a failure.
    expect([...this.#archive.rows.values()].map(({ id, isGone }) => [id, isGone])).toEqual(
      messages.map((event) => [decodeId('chatMessage', event.id), event.deleted === true]),
    );
  }

  /** Everybody goes, and the database has come to know what happened, each thing once. */
  async #checkAnalytics(messages: number, viewers: number): Promise<void> {
    for (const who of [...this.#clients.keys()]) await this.take({ kind: 'leave', who });
    await this.#platform.pass(130_000);
    const { tally, minutes, counters } = this.#database;
    expect(tally?.totals.peakViewers ?? 0, 'a silent room is told of, too').toBeGreaterThanOrEqual(viewers);
    expect(tally?.totals.messages ?? 0, 'each message counts once').toBe(messages);
    expect(tally?.viewers ?? 0, 'nobody is there').toBe(0);
    const perMinute = [...minutes.values()];
    expect(perMinute.reduce((sum, minute) => sum + minute.messages, 0)).toBe(messages);
    expect(perMinute.reduce((sum, { viewerMs }) => sum + viewerMs, 0)).toBe(tally?.totals.viewerMs ?? 0);
    const counts = [...counters.values()];
    const joins = counts.reduce((sum, counter) => sum + counter.joins, 0);
    expect(joins, 'each visit is counted').toBeGreaterThanOrEqual(this.#everybody.length);
    expect(
      counts.reduce((sum, { leaves }) => sum + leaves, 0),
      'each visit ends',
    ).toBe(joins);
    for (const [who, { userId }] of this.#people.entries()) {
      const visits = this.#everybody.filter((client) => client.who === who);
      const realMs = united(visits.map(({ fromMs, toMs }) => [fromMs, toMs ?? this.#platform.nowMs]));
      const cut = visits.filter(({ isCut }) => isCut).length;
      const watchedMs = this.#database.watchedMs(userId);
      expect(watchedMs, 'nobody watched more').toBeLessThanOrEqual(realMs + (visits.length + 1) * noticeMs);
      expect(watchedMs, 'nor less').toBeGreaterThanOrEqual(
        realMs - cut * unseenMs - visits.length * noticeMs,
      );
    }
  }

  get #roomName(): string {
    return `room ${roomName(this.#room.streamId)}`;
  }

  #call(method: string, ...values: unknown[]): Promise<unknown> {
    return this.#platform.call(this.#roomName, method, ...values);
  }

  /** What the database says of somebody. */
  #facts(who: number): ChatterFacts | undefined {
    const person = this.#people[who];
    if (person === undefined) return undefined;
    const ban = this.#banned.has(who) ? { untilMs: null } : null;
    return { ...person, ban, version: this.#version };
  }

  #drop(who: number): void {
    const client = this.#clients.get(who);
    if (client !== undefined) {
      client.isOpen = false;
      client.toMs ??= this.#platform.nowMs;
    }
    this.#clients.delete(who);
  }

  async #join(who: number, after: number | undefined): Promise<void> {
    const facts = this.#facts(who);
    if (facts === undefined) return;
    this.#clients.get(who)?.socket.hangUp();
    this.#drop(who);
    const region = regions[who % regions.length] ?? '';
    const { relay } = (await this.#call('enter', this.#room, { region, facts })) as { relay: number };
    const headers = new Headers({
      upgrade: 'websocket',
      [relayHeaders.streamId]: this.#room.streamId,
      [relayHeaders.relay]: String(relay),
      [relayHeaders.region]: region,
      [relayHeaders.endsAtMs]: String(this.#platform.nowMs + 14_400_000),
      [relayHeaders.userId]: facts.userId,
      [relayHeaders.username]: facts.username,
      [relayHeaders.keepsOrder]: who === moderator ? '1' : '0',
      ...(after === undefined ? {} : { [relayHeaders.after]: String(after) }),
    });
    const name = `relay ${relayName(this.#room.streamId, relay)}`;
    // The relay asks the room before it answers, which takes time.
    let answer: { readonly status: number; readonly webSocket: ClientSocket } | undefined;
    const answered = this.#platform.call(name, 'fetch', { headers }).then(
      (response) => {
        answer = response as typeof answer;
      },
      () => undefined,
    );
    for (let waitedMs = 0; answer === undefined && waitedMs < 1_500; waitedMs += 50) {
      await this.#platform.pass(50);
      await Promise.race([answered, this.#platform.settle()]);
    }
    if (answer?.status !== 101) {
      // Who has given up does not stay when it answers after all.
      void answered.then(() => answer?.webSocket?.hangUp());
      return;
    }
    const client = new Client(who, answer.webSocket, after, () => this.#platform.nowMs);
    answer.webSocket.begin();
    this.#clients.set(who, client);
    this.#everybody.push(client);
    if (who === moderator) this.#moderators.add(client);
  }

  async #send(who: number, again: boolean): Promise<void> {
    const facts = this.#facts(who);
    if (facts === undefined) return;
    this.#sent += 1;
    const message =
      again && this.#lastSent?.who === who
        ? this.#lastSent
        : { who, clientId: `c${this.#sent}`, text: `message ${this.#sent} of @person_${(who + 1) % people}` };
    this.#lastSent = message;
    const before = this.#acknowledged.find(({ clientId }) => clientId === message.clientId);
    const result = (await this.#call('send', facts.userId, message, {
      room: this.#room,
      facts,
    })) as SendResult;
    if (before !== undefined)
      expect(result, 'the same again is the same message').toEqual({
        is_sent: true,
        message_id: before.id,
        seq: before.seq,
      });
    else if (this.#banned.has(who)) expect(result.is_sent, 'the banned say nothing').toBe(false);
    else if (!result.is_sent) expect(result.drop_reason.code).toBe('msg_ratelimit');
    if (!result.is_sent || before !== undefined) return;
    this.#delays.set(result.message_id, who === moderator ? 0 : this.#delayMs);
    this.#acknowledged.push({ ...message, id: result.message_id, seq: result.seq });
  }

  async #silence(who: number, isBan: boolean): Promise<void> {
    const userId = this.#people[who]?.userId ?? '';
    if (isBan) this.#banned.add(who);
    else this.#banned.delete(who);
    this.#version += 1;
    const version = this.#version;
    await this.#call(
      'act',
      this.#room,
      isBan ? { kind: 'silence', userId, seconds: null, version } : { kind: 'unban', userId, version },
    );
  }
}
