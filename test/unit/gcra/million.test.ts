import { describe, expect, it } from 'vitest';
import { gaugeOf } from '../../../durable-objects/rate-limiter/gauges.ts';
import { giveBack, take } from '../../../durable-objects/rate-limiter/take.ts';
import { memoryStore } from './memory-store.ts';
import { createLogOracle, createOracle, oracleOf } from './oracle.ts';
import { expectedOf, randomIntegers, randomStep, randomWait, randomWindows } from './steps.ts';

const steps = 1_000_000;
const stepsOfOneCaller = 200;

describe('the limiter', () => {
  it('decides a million random steps exactly as buckets and lists of all units do: takes, costs, leases, refunds, several windows', () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    console.info(`a million limiter steps, seed ${seed}`);
    const below = randomIntegers(seed);
    const counts = { allowed: 0, denied: 0, leased: 0, givenBack: 0 };
    for (let done = 0; done < steps; ) {
      const windows = randomWindows(below);
      const request = { key: 'k', windows, cost: 1 };
      const oracles = windows.map(oracleOf);
      const store = memoryStore();
      let nowMs = 1_790_000_000_000 + below(100_000);
      let takenAtMs: number | undefined;
      for (let step = 0; step < stepsOfOneCaller; step += 1, done += 1) {
        const waits = windows[below(windows.length)];
        if (waits !== undefined) nowMs += randomWait(below, waits);
        const what = randomStep(below);
        if (what.kind === 'giveBack') {
          giveBack(store, takenAtMs === undefined ? request : { ...request, takenAtMs }, nowMs);
          for (const [index, oracle] of oracles.entries())
            oracle.giveBack(nowMs, windows[index]?.cost ?? 1, takenAtMs);
          counts.givenBack += 1;
          continue;
        }
        const before = store.content();
        const { lease } = what;
        const taken = take(store, lease === undefined ? request : { ...request, lease }, nowMs);
        const due = expectedOf(windows, oracles, lease, nowMs);
        const unmoved = taken.allowed || before === store.content();
        if (taken.allowed) takenAtMs = taken.atMs;
        if (
          taken.allowed !== due.allowed ||
          taken.leased !== due.leased ||
          taken.remaining !== due.remaining[taken.window] ||
          !unmoved
        )
          expect.fail(
            `seed ${seed}, step ${done}: ${JSON.stringify({ taken, due, windows, lease, unmoved })}`,
          );
        if (taken.allowed) counts.allowed += 1;
        else counts.denied += 1;
        counts.leased += taken.leased;
      }
    }
    for (const [kind, count] of Object.entries(counts)) expect(count, kind).toBeGreaterThan(steps / 20);
  }, 120_000);

  it('never admits more than the policy in any span of the whole history', () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const below = randomIntegers(seed);
    for (let caller = 0; caller < 300; caller += 1) {
      const window = { limit: 1 + below(60), periodSeconds: 1 + below(60), burst: 1 + below(40) };
      const store = memoryStore();
      const history = createOracle(window);
      let nowMs = 1_790_000_000_000;
      for (let step = 0; step < 150; step += 1) {
        nowMs += randomWait(below, window);
        const cost = 1 + below(4);
        const { allowed } = take(store, { key: 'k', windows: [window], cost }, nowMs);
        if (allowed !== history.allows(nowMs, cost)) expect.fail(`seed ${seed}, step ${step}`);
        if (allowed) history.record(nowMs, cost);
      }
      expect(history.isWithinPolicy(), `seed ${seed}`).toBe(true);
    }
  });

  it('admits no more than a strict limit in any span, wherever it begins, however leases are spent', () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const below = randomIntegers(seed);
    let leasedOfAll = 0;
    for (let caller = 0; caller < 300; caller += 1) {
      const window = { limit: 1 + below(30), periodSeconds: 1 + below(60), strict: true };
      const store = memoryStore();
      const truth = createLogOracle(window);
      let nowMs = 1_790_000_000_000;
      for (let step = 0; step < 100; step += 1) {
        nowMs += randomWait(below, window);
        const request = { key: 'k', windows: [window], cost: 1 };
        const { allowed, leased } = take(store, { ...request, lease: { units: below(4), ms: 1_000 } }, nowMs);
        if (allowed) truth.pour(nowMs, 1);
        leasedOfAll += leased;
        for (let unit = 0; unit < leased; unit += 1) truth.pour(nowMs + below(1_001), 1);
      }
      expect(truth.isWithinPolicy(), `seed ${seed}`).toBe(true);
    }
    expect(leasedOfAll).toBeGreaterThan(1_000);
  });

  it('names the first millisecond at which a strict window has room again', () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const below = randomIntegers(seed);
    for (let caller = 0; caller < 300; caller += 1) {
      const window = { limit: 2 + below(20), periodSeconds: 1 + below(60), strict: true };
      const store = memoryStore();
      let nowMs = 1_790_000_000_000;
      const decide = (atMs: number, cost: number) => gaugeOf(store, 'k', window, atMs).decide(cost);
      while (decide(nowMs, 1).allowed) {
        take(store, { key: 'k', windows: [window], cost: 1 }, nowMs);
        nowMs += below(30);
      }
      const cost = 1 + below(window.limit);
      const denied = decide(nowMs, cost);
      expect(denied.allowed).toBe(false);
      expect(decide(nowMs + denied.retryAfterMs - 1, cost).allowed, `seed ${seed}`).toBe(false);
      expect(decide(nowMs + denied.retryAfterMs, cost).allowed, `seed ${seed}`).toBe(true);
      expect(decide(nowMs + denied.resetMs - 1, 0).remaining).toBeLessThan(window.limit);
      expect(decide(nowMs + denied.resetMs, 0).remaining).toBe(window.limit);
      expect(decide(nowMs, window.limit + 1).retryAfterMs).toBe(Number.POSITIVE_INFINITY);
    }
  });

  it('refuses strict windows that make no sense', () => {
    for (const window of [
      { limit: 0, periodSeconds: 60 },
      { limit: 1.5, periodSeconds: 60 },
      { limit: 5, periodSeconds: 0 },
      { limit: 5, periodSeconds: 60, burst: 2 },
    ])
      expect(() => gaugeOf(memoryStore(), 'k', { ...window, strict: true }, 0)).toThrow(RangeError);
  });
});
