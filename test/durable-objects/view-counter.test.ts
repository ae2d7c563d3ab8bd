import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Outside } from '../../durable-objects/view-counter/deliveries.ts';
import {
  counterName,
  dayOf,
  type Flush,
  type FlushResult,
  type SessionFacts,
} from '../../durable-objects/view-counter/protocol.ts';
import { coverageOf } from '../../durable-objects/view-counter/spans.ts';
import { randomIds } from '../../src/shared/ids.ts';
import { testEnv } from '../support/worker/env.ts';

const { VIEW_COUNTER } = testEnv(env);

// Far from now, so that no alarm goes off by itself, and shortly before midnight.
const startMs = Date.UTC(2040, 0, 1, 23, 59, 0);
const cellMs = 250;
const windowMs = 86_400_000;

/** What Postgres does with flushes, by the contract of `applyFlush`. */
class Database {
  readonly applied = new Map<string, number>();
  views = 0;
  readonly days = new Map<
    string,
    {
      views: number;
      viewers: number;
      plays: number;
      watchMs: number;
      completions: number;
      retention: number[];
    }
  >();
  readonly parts = new Map<string, number>();
  minuteViews = 0;
  minuteWatchMs = 0;

  apply(flush: Flush): FlushResult {
    if (flush.seq > (this.applied.get(flush.counterId) ?? 0)) {
      this.applied.set(flush.counterId, flush.seq);
      this.views += flush.views;
      for (const day of flush.days) {
        const known = this.days.get(day.day) ?? {
          views: 0,
          viewers: 0,
          plays: 0,
          watchMs: 0,
          completions: 0,
          retention: new Array<number>(100).fill(0),
        };
        this.days.set(day.day, {
          views: known.views + day.views,
          viewers: Math.max(known.viewers, day.viewers),
          plays: known.plays + day.plays,
          watchMs: known.watchMs + day.watchMs,
          completions: known.completions + day.completions,
          retention: known.retention.map((share, bucket) => share + (day.retention[bucket] ?? 0)),
        });
      }
      for (const part of flush.parts)
        this.parts.set(
          `${part.dimension}:${part.value}`,
          (this.parts.get(`${part.dimension}:${part.value}`) ?? 0) + part.views,
        );
      for (const minute of flush.minutes) {
        this.minuteViews += minute.views;
        this.minuteWatchMs += minute.watchMs;
      }
    }
    return { known: true, views: this.views };
  }
}

type Failure = 'none' | 'before' | 'after';

/** The objects of one video in a world of the test's: its own clock, a database in memory, deliveries that fail when told to. */
class World {
  now = startMs;
  failure: Failure = 'none';
  readonly database = new Database();
  readonly told: { userId: string; positionMs: number; watchedAtMs: number }[] = [];
  readonly videoId = randomIds.next();

  stub(shard: number) {
    return VIEW_COUNTER.getByName(counterName(this.videoId, shard));
  }

  /** An object that was evicted comes back with the real world around it. */
  async prepare(shard: number) {
    const stub = this.stub(shard);
    await runInDurableObject(stub, (counter) => {
      counter.clock = { now: () => this.now };
      const real: Outside = counter.outside;
      if (Object.hasOwn(real, 'prepared')) return;
      const failing = async <T>(work: () => T | Promise<T>): Promise<T> => {
        if (this.failure === 'before') throw new Error('did not arrive');
        const result = await work();
        if (this.failure === 'after') throw new Error('its answer was lost');
        return result;
      };
      counter.outside = Object.assign(
        {
          ...real,
          applyFlush: (flush: Flush) => failing(() => this.database.apply(structuredClone(flush))),
          handOver: (...given: Parameters<Outside['handOver']>) =>
            failing(async () => {
              await this.prepare(0);
              return this.stub(0).handOver(...given);
            }),
          announce: async () => undefined,
          tell: async (_: string, told: Parameters<Outside['tell']>[1]) => {
            if (this.failure === 'before') throw new Error('did not arrive');
            this.told.push(...told);
            if (this.failure === 'after') throw new Error('its answer was lost');
          },
          log: () => undefined,
        },
        { prepared: true },
      );
    });
    return stub;
  }

  async alarm(shard: number): Promise<void> {
    await runDurableObjectAlarm(await this.prepare(shard));
  }

  /** Lets everything arrive. */
  async drain(shards: readonly number[]): Promise<void> {
    this.failure = 'none';
    for (let round = 0; round < 4; round += 1) {
      this.now += 65_000;
      for (const shard of [...shards].reverse()) await this.alarm(shard);
    }
  }
}

interface ModelSession {
  readonly facts: SessionFacts;
  readonly cells: Map<number, string>;
  readonly seen: Set<number>;
  top: number;
  lastAtMs: number;
  budgetMs: number;
  paceAtMs: number;
  claimed: boolean;
  positionMs: number;
}

/** What must come of it, from the definitions alone: sets of quarter seconds. */
class Model {
  readonly sessions = new Map<string, ModelSession>();
  readonly viewedAt = new Map<string, number>();
  readonly viewers = new Map<string, Set<string>>();
  readonly viewsByDay = new Map<string, number>();
  readonly playsByDay = new Map<string, number>();
  readonly completionsByDay = new Map<string, number>();

  readonly durationMs: number;

  constructor(durationMs: number) {
    this.durationMs = durationMs;
  }

  beat(
    facts: SessionFacts,
    seq: number,
    spans: readonly (readonly [number, number])[],
    positionMs: number,
    now: number,
  ) {
    const session = this.sessions.get(facts.id) ?? {
      facts,
      cells: new Map<number, string>(),
      seen: new Set<number>(),
      top: 0,
      lastAtMs: facts.startedAtMs,
      budgetMs: 0,
      paceAtMs: 0,
      claimed: false,
      positionMs: 0,
    };
    if (seq <= session.top - 32) return 'stale';
    if (session.seen.has(seq)) return session.cells.size * cellMs;
    const paceAtMs = Math.max(session.paceAtMs, now) + 1_000;
    if (paceAtMs - now > 20_000) return 'too_fast';
    session.paceAtMs = paceAtMs;
    this.sessions.set(facts.id, session);
    session.seen.add(seq);
    if (seq > session.top) session.positionMs = Math.min(positionMs, this.durationMs);
    session.top = Math.max(session.top, seq);
    session.budgetMs = Math.min(120_000, session.budgetMs + 2 * (now - session.lastAtMs));
    session.lastAtMs = now;
    const day = dayOf(now);
    const had = session.cells.size;
    for (const [from, to] of spans)
      for (let at = from; at < Math.min(to, this.durationMs); at += cellMs)
        if (!session.cells.has(at) && session.budgetMs >= cellMs) {
          session.cells.set(at, day);
          session.budgetMs -= cellMs;
        }
    const bump = (counts: Map<string, number>) => counts.set(day, (counts.get(day) ?? 0) + 1);
    const watched = session.cells.size * cellMs;
    if (facts.counted) {
      if (had === 0 && session.cells.size > 0) bump(this.playsByDay);
      if (had * cellMs < 0.95 * this.durationMs && watched >= 0.95 * this.durationMs)
        bump(this.completionsByDay);
      if (!session.claimed && watched >= Math.min(3_000, this.durationMs)) {
        session.claimed = true;
        this.viewers.set(day, (this.viewers.get(day) ?? new Set()).add(facts.viewer));
        const last = this.viewedAt.get(facts.viewer);
        if (last === undefined || now - last >= windowMs) {
          this.viewedAt.set(facts.viewer, now);
          bump(this.viewsByDay);
        }
      }
    }
    return watched;
  }

  watchMs(day?: string): number {
    let cells = 0;
    for (const session of this.sessions.values())
      if (session.facts.counted)
        for (const seenOn of session.cells.values()) if (day === undefined || seenOn === day) cells += 1;
    return cells * cellMs;
  }

  retention(): number[] {
    const total = new Array<number>(100).fill(0);
    for (const { facts, cells } of this.sessions.values()) {
      if (!facts.counted) continue;
      const spans = [...cells.keys()].sort((a, b) => a - b).map((at) => [at, at + cellMs] as const);
      coverageOf(spans, this.durationMs).forEach((share, bucket) => {
        total[bucket] = (total[bucket] ?? 0) + share;
      });
    }
    return total;
  }
}

const sumOf = (counts: ReadonlyMap<string, number>): number =>
  [...counts.values()].reduce((sum, count) => sum + count, 0);

const cell = (max: number) => fc.integer({ min: 0, max: max / cellMs }).map((index) => index * cellMs);
const stepArbitrary = (durationMs: number, sessions: number) =>
  fc.oneof(
    {
      weight: 12,
      arbitrary: fc.record({
        kind: fc.constant('beat' as const),
        session: fc.nat(sessions - 1),
        // Forwards, backwards, far ahead: whatever order the network makes of it.
        seqShift: fc.oneof({ weight: 6, arbitrary: fc.constant(1) }, fc.integer({ min: -40, max: 40 })),
        spans: fc.array(fc.tuple(cell(durationMs + 4_000), cell(8_000)), { maxLength: 4 }),
        waitMs: fc.oneof(cell(6_000), fc.constant(5_000), fc.constant(70_000)),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constant('repeat' as const), of: fc.nat(200), waitMs: cell(2_000) }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('evict' as const), shard: fc.nat(2) }) },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('alarm' as const),
        shard: fc.nat(2),
        failure: fc.constantFrom<Failure>('none', 'none', 'before', 'after'),
        waitMs: fc.constantFrom(0, 11_000, 45_000, 61_000),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('wait' as const),
        waitMs: fc.constantFrom(60_000, 13 * 3_600_000),
      }),
    },
  );

describe('a view counter', () => {
  it('loses nothing it acknowledged and counts nothing twice, whatever fails, repeats, sleeps or comes late', async () => {
    const durationMs = 20_000;
    const sessionCount = 5;
    await fc.assert(
      fc.asyncProperty(
        fc.array(stepArbitrary(durationMs, sessionCount), { minLength: 10, maxLength: 45 }),
        async (steps) => {
          const world = new World();
          const model = new Model(durationMs);
          const viewers = ['a'.repeat(32), 'b'.repeat(32), 'c'.repeat(32)];
          // Two sessions of one viewer, one that counts nothing, and objects that hand over beside the one that flushes.
          const sessions: SessionFacts[] = Array.from({ length: sessionCount }, (_, index) => ({
            id: randomIds.next(),
            videoId: world.videoId,
            ownerId: randomIds.next(),
            shard: [0, 1, 2, 0, 1][index] ?? 0,
            viewer: viewers[index % viewers.length] ?? '',
            ...(index === 0 ? { userId: randomIds.next() } : {}),
            durationMs,
            counted: index !== 3,
            source: 'direct',
            country: 'DE',
            device: 'mobile',
            startedAtMs: startMs,
            expiresAtMs: startMs + 10 * windowMs,
            knownViews: 0,
          }));
          const sent: { facts: SessionFacts; seq: number; spans: [number, number][] }[] = [];
          const send = async (facts: SessionFacts, seq: number, spans: [number, number][]) => {
            const positionMs = spans.at(-1)?.[1] ?? 0;
            const stub = await world.prepare(facts.shard);
            const result = await stub.beat(facts, { seq, spans, positionMs });
            const expected = model.beat(facts, seq, spans, positionMs, world.now);
            expect(result.ok ? result.watchedMs : result.code).toBe(expected);
          };
          for (const step of steps) {
            if ('waitMs' in step) world.now += step.waitMs;
            if (step.kind === 'beat') {
              const facts = sessions[step.session] as SessionFacts;
              const seq = Math.max(1, (model.sessions.get(facts.id)?.top ?? 0) + step.seqShift);
              const spans = step.spans
                .map(([from, length]): [number, number] => [from, from + length])
                .filter(([from, to]) => from < to);
              sent.push({ facts, seq, spans });
              await send(facts, seq, spans);
            } else if (step.kind === 'repeat' && sent.length > 0) {
              const again = sent[step.of % sent.length];
              // What is sent again under a number that was refused counts then; under one that was taken it changes nothing.
              if (again !== undefined) await send(again.facts, again.seq, again.spans);
            } else if (step.kind === 'evict') {
              await evictDurableObject(await world.prepare(step.shard));
            } else if (step.kind === 'alarm') {
              world.failure = step.failure;
              await world.alarm(step.shard);
              world.failure = 'none';
            }
          }
          const endedAtMs = world.now;
          await world.drain([0, 1, 2]);

          const { database } = world;
          expect(database.views).toBe(sumOf(model.viewsByDay));
          for (const [day, totals] of database.days) {
            expect(totals.views).toBe(model.viewsByDay.get(day) ?? 0);
            expect(totals.viewers).toBe(model.viewers.get(day)?.size ?? 0);
            expect(totals.plays).toBe(model.playsByDay.get(day) ?? 0);
            expect(totals.completions).toBe(model.completionsByDay.get(day) ?? 0);
            expect(totals.watchMs).toBe(model.watchMs(day));
          }
          const days = [...database.days.values()];
          expect(days.reduce((sum, { watchMs }) => sum + watchMs, 0)).toBe(model.watchMs());
          expect(days.reduce((sum, { viewers }) => sum + viewers, 0)).toBe(
            [...model.viewers.values()].reduce((sum, { size }) => sum + size, 0),
          );
          const retention = new Array<number>(100)
            .fill(0)
            .map((_, bucket) => days.reduce((sum, day) => sum + (day.retention[bucket] ?? 0), 0));
          expect(retention).toEqual(model.retention());
          expect(database.parts.get('country:DE') ?? 0).toBe(database.views);
          expect(database.minuteViews).toBe(database.views);
          expect(database.minuteWatchMs).toBe(model.watchMs());

          // The history hears of the last position of the signed-in viewer, at least once.
          const signedIn = model.sessions.get(sessions[0]?.id ?? '');
          const newest = world.told.toSorted((a, b) => b.watchedAtMs - a.watchedAtMs)[0];
          expect(newest?.positionMs).toBe(signedIn?.positionMs);
          expect(newest?.watchedAtMs ?? endedAtMs).toBeLessThanOrEqual(endedAtMs);
        },
      ),
      { numRuns: 25 },
    );
  }, 300_000);

  it('credits one viewer with ten sessions at a time, also when they take turns', async () => {
    const world = new World();
    const durationMs = 20_000;
    const session = (): SessionFacts => ({
      id: randomIds.next(),
      videoId: world.videoId,
      ownerId: randomIds.next(),
      shard: 0,
      viewer: 'a'.repeat(32),
      durationMs,
      counted: true,
      source: 'direct',
      country: 'DE',
      device: 'mobile',
      startedAtMs: startMs,
      expiresAtMs: startMs + windowMs,
      knownViews: 0,
    });
    const beat = async (sessions: readonly SessionFacts[], seq: number, to: number) => {
      const stub = await world.prepare(0);
      for (const facts of sessions)
        expect(await stub.beat(facts, { seq, spans: [[0, to]], positionMs: to })).toMatchObject({ ok: true });
    };
    const [first, second] = [Array.from({ length: 10 }, session), Array.from({ length: 10 }, session)];
    world.now += 5_000;
    await beat(first, 1, 5_000);
    world.now += 31_000;
    await beat(second, 1, durationMs);
    world.now += 5_000;
    await beat(first, 2, durationMs);
    world.now += 60_000;
    // The others are silent now: one that comes back is counted no more, and a new one is.
    await beat(first.slice(0, 1), 3, durationMs);
    await beat([session()], 1, durationMs);
    await world.drain([0]);
    const watchMs = [...world.database.days.values()].reduce((sum, day) => sum + day.watchMs, 0);
    expect(watchMs).toBe(10 * 5_000 + 10 * durationMs + durationMs);
    expect(world.database.views).toBe(1);
  });
});
