import { describe, expect, it } from 'vitest';
import type { RateWindow } from '../../../durable-objects/rate-limiter/gcra.ts';
import type { ArrivalStore } from '../../../durable-objects/rate-limiter/store.ts';
import { giveBack, take } from '../../../durable-objects/rate-limiter/take.ts';
import { createBucketOracle, createOracle } from './oracle.ts';
import { expectedOf, randomIntegers, randomStep, randomWait, randomWindows } from './steps.ts';

const steps = 1_000_000;
const stepsOfOneCaller = 200;

function memoryStore(): ArrivalStore & { readonly arrivals: Map<string, number> } {
  const arrivals = new Map<string, number>();
  const name = (key: string, window: RateWindow) => `${key}/${window.limit}/${window.periodSeconds}`;
  return {
    arrivals,
    read: (key, window) => arrivals.get(name(key, window)),
    write: (key, window, tat) => void arrivals.set(name(key, window), tat),
    prune: () => undefined,
    nextFullAt: () => undefined,
  };
}

describe('the limiter', () => {
  it('decides a million random steps exactly as a leaking bucket does: takes, costs, leases, refunds, several windows', () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    console.info(`a million limiter steps, seed ${seed}`);
    const below = randomIntegers(seed);
    const counts = { allowed: 0, denied: 0, leased: 0, givenBack: 0 };
    for (let done = 0; done < steps; ) {
      const windows = randomWindows(below);
      const request = { key: 'k', windows, cost: 1 };
      const oracles = windows.map((window) => createBucketOracle(window));
      const store = memoryStore();
      let nowMs = 1_790_000_000_000 + below(100_000);
      for (let step = 0; step < stepsOfOneCaller; step += 1, done += 1) {
        const waits = windows[below(windows.length)];
        if (waits !== undefined) nowMs += randomWait(below, waits);
        const what = randomStep(below);
        if (what.kind === 'giveBack') {
          giveBack(store, request, nowMs);
          for (const [index, oracle] of oracles.entries()) oracle.giveBack(nowMs, windows[index]?.cost ?? 1);
          counts.givenBack += 1;
          continue;
        }
        const before = [...store.arrivals.values()];
        const { lease } = what;
        const taken = take(store, lease === undefined ? request : { ...request, lease }, nowMs);
        const due = expectedOf(windows, oracles, lease, nowMs);
        const unmoved = taken.allowed || before.every((tat, at) => [...store.arrivals.values()][at] === tat);
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
});
