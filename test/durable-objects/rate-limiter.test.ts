import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { testEnv } from '../support/worker/env.ts';
import { createOracle, oracleOf } from '../unit/gcra/oracle.ts';
import { expectedOf, randomIntegers, randomStep, randomWait, randomWindows } from '../unit/gcra/steps.ts';

const { RATE_LIMITER } = testEnv(env);
const fresh = () => RATE_LIMITER.getByName(`test:${crypto.randomUUID()}`);
const perMinute = (limit: number, burst = limit) => [{ limit, periodSeconds: 60, burst }];

describe('the rate limiter', () => {
  it('admits exactly the limit of 200 callers who come at once', async () => {
    const limiter = fresh();
    const results = await Promise.all(
      Array.from({ length: 200 }, () => limiter.take({ key: 'k', windows: perMinute(25), cost: 1 })),
    );
    expect(results.filter((result) => result.allowed)).toHaveLength(25);
    const denied = results.find((result) => !result.allowed);
    expect(denied).toMatchObject({ remaining: 0, leased: 0 });
    expect(denied?.retryAfterSeconds).toBeGreaterThanOrEqual(1);
    expect(denied?.retryAfterSeconds).toBeLessThanOrEqual(3);
  });

  it('decides as the whole history would, however often it is evicted', async () => {
    const step = fc.record({
      waitMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 7_000 })),
      cost: fc.integer({ min: 0, max: 6 }),
      key: fc.constantFrom('a', 'b', 'c'),
    });
    const window = { limit: 12, periodSeconds: 60, burst: 5 };
    let steps = 0;
    await fc.assert(
      fc.asyncProperty(
        // Eviction between any two runs.
        fc.array(fc.array(step, { minLength: 20, maxLength: 80 }), { minLength: 2, maxLength: 5 }),
        async (runs) => {
          const limiter = fresh();
          const oracles = { a: createOracle(window), b: createOracle(window), c: createOracle(window) };
          let nowMs = Date.now();
          for (const sequence of runs) {
            await runInDurableObject(limiter, async (instance) => {
              instance.clock = { now: () => nowMs };
              for (const { waitMs, cost, key } of sequence) {
                nowMs += waitMs;
                const oracle = oracles[key];
                const expected = oracle.allows(nowMs, cost);
                const taken = await instance.take({ key, windows: [window], cost });
                expect(taken.allowed).toBe(expected);
                if (expected) oracle.record(nowMs, cost);
                if (expected) expect(taken.remaining).toBe(oracle.remaining(nowMs));
                steps += 1;
              }
            });
            await evictDurableObject(limiter);
          }
        },
      ),
      { numRuns: 30 },
    );
    expect(steps).toBeGreaterThan(1_500);
  });

  it('settles several windows, leases and refunds as the whole history would, evicted after every step', async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const below = randomIntegers(seed);
    for (let caller = 0; caller < 6; caller += 1) {
      const limiter = fresh();
      const windows = randomWindows(below);
      const oracles = windows.map(oracleOf);
      const request = { key: 'k', windows, cost: 1 };
      let nowMs = Date.now();
      let takenAtMs: number | undefined;
      for (let step = 0; step < 40; step += 1) {
        nowMs += randomWait(below, windows[0] ?? { limit: 1, periodSeconds: 1 });
        const what = randomStep(below);
        await runInDurableObject(limiter, async (instance) => {
          instance.clock = { now: () => nowMs };
          if (what.kind === 'giveBack') {
            await instance.giveBack(takenAtMs === undefined ? request : { ...request, takenAtMs });
            for (const [index, oracle] of oracles.entries())
              oracle.giveBack(nowMs, windows[index]?.cost ?? 1, takenAtMs);
            return;
          }
          const { lease } = what;
          const taken = await instance.take(lease === undefined ? request : { ...request, lease });
          if (taken.allowed) takenAtMs = taken.atMs;
          const { allowed, leased, remaining } = expectedOf(windows, oracles, lease, nowMs);
          expect(taken, `seed ${seed}`).toMatchObject({
            allowed,
            leased,
            remaining: remaining[taken.window],
          });
        });
        await evictDurableObject(limiter);
      }
    }
  });

  it('still refuses a spent key after it was evicted', async () => {
    const limiter = fresh();
    await limiter.take({ key: 'k', windows: perMinute(3), cost: 3 });
    await evictDurableObject(limiter);
    expect(await limiter.take({ key: 'k', windows: perMinute(3), cost: 1 })).toMatchObject({
      allowed: false,
    });
  });

  it('charges no window when one of them refuses', async () => {
    const limiter = fresh();
    const windows = [
      { limit: 5, periodSeconds: 3_600 },
      { limit: 8, periodSeconds: 86_400 },
    ];
    for (let count = 0; count < 5; count += 1) await limiter.take({ key: 'k', windows, cost: 1 });
    for (let count = 0; count < 10; count += 1)
      expect(await limiter.take({ key: 'k', windows, cost: 1 })).toMatchObject({ allowed: false, window: 0 });
    const [, perDay] = windows;
    const rest = await limiter.take({ key: 'k', windows: perDay === undefined ? [] : [perDay], cost: 3 });
    expect(rest).toMatchObject({ allowed: true, remaining: 0 });
  });

  it('takes charges back, exactly and never more than were made', async () => {
    const limiter = fresh();
    const request = { key: 'k', windows: [{ limit: 5, periodSeconds: 86_400 }], cost: 1 };
    const admitted = async () => {
      let count = 0;
      while ((await limiter.take(request)).allowed) count += 1;
      return count;
    };
    await limiter.giveBack(request);
    expect(await admitted()).toBe(5);
    await limiter.giveBack({ ...request, cost: 2 });
    await evictDurableObject(limiter);
    expect(await admitted()).toBe(2);
    for (let count = 0; count < 9; count += 1) await limiter.giveBack(request);
    expect(await admitted()).toBe(5);
  });

  it('lets no hour hold more than a strict limit, also after a rest, and takes back what a request names', async () => {
    const limiter = fresh();
    const windows = [{ limit: 100, periodSeconds: 3_600, strict: true }];
    const request = { key: 'k', windows, cost: 1 };
    let nowMs = Date.now();
    const atOnce = async (count: number) => {
      const results = await runInDurableObject(limiter, (instance) => {
        instance.clock = { now: () => nowMs };
        return Promise.all(Array.from({ length: count }, () => instance.take(request)));
      });
      await evictDurableObject(limiter);
      return results;
    };
    const allowedOf = async (count: number) => (await atOnce(count)).filter(({ allowed }) => allowed).length;
    expect(await allowedOf(60)).toBe(60);
    nowMs += 30 * 60_000;
    expect(await allowedOf(200)).toBe(40);
    const [denied] = await atOnce(1);
    expect(denied).toMatchObject({
      allowed: false,
      remaining: 0,
      retryAfterSeconds: 1_800,
      resetSeconds: 3_600,
    });
    nowMs += 30 * 60_000 - 1;
    expect(await allowedOf(1)).toBe(0);
    nowMs += 1;
    const [taken] = await atOnce(1);
    expect(taken).toMatchObject({ allowed: true, remaining: 59 });
    await limiter.giveBack({ ...request, takenAtMs: taken?.atMs ?? 0 });
    await limiter.giveBack({ ...request, takenAtMs: taken?.atMs ?? 0 });
    await limiter.giveBack(request);
    expect(await allowedOf(200)).toBe(60);
  });

  it('forgets what strict windows no longer hold', async () => {
    const limiter = fresh();
    const strict = (key: string, periodSeconds: number) => ({ key, limit: 5, periodSeconds, strict: true });
    await limiter.take({ key: 'k', windows: [strict('hour', 3_600), strict('day', 86_400)], cost: 1 });
    await runInDurableObject(limiter, (instance) => {
      instance.clock = { now: () => Date.now() + 3_600_001 };
    });
    expect(await runDurableObjectAlarm(limiter)).toBe(true);
    const keys = await runInDurableObject(limiter, async (_, state) => {
      expect(await state.storage.getAlarm()).not.toBeNull();
      return state.storage.sql.exec<{ key: string }>('SELECT key FROM takes').toArray();
    });
    expect(keys).toEqual([{ key: 'day' }]);
  });

  it('never hands out more than the policy, directly and by leases together', async () => {
    const limiter = fresh();
    const lease = { units: 7, ms: 1_000 };
    const results = await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        limiter.take({
          key: 'k',
          windows: perMinute(60, 40),
          cost: 1,
          ...(index % 2 === 0 ? { lease } : {}),
        }),
      ),
    );
    const handedOut = results.reduce((sum, { allowed, leased }) => sum + (allowed ? 1 : 0) + leased, 0);
    expect(handedOut).toBeLessThanOrEqual(40);
    expect(handedOut).toBeGreaterThanOrEqual(38);
  });

  it('gives out part of a lease when the whole does not fit', async () => {
    const taken = await fresh().take({
      key: 'k',
      windows: perMinute(6),
      cost: 2,
      lease: { units: 100, ms: 1_000 },
    });
    expect(taken).toMatchObject({ allowed: true, leased: 2, remaining: 0 });
  });

  it('keeps callers apart and starts a changed policy anew', async () => {
    const limiter = fresh();
    await limiter.take({ key: 'one', windows: perMinute(2), cost: 2 });
    expect(await limiter.take({ key: 'two', windows: perMinute(2), cost: 2 })).toMatchObject({
      allowed: true,
    });
    expect(await limiter.take({ key: 'one', windows: perMinute(3), cost: 1 })).toMatchObject({
      allowed: true,
    });
  });

  it('forgets keys whose quota is whole again, and only those', async () => {
    const limiter = fresh();
    await limiter.take({ key: 'soon', windows: perMinute(10), cost: 1 });
    await limiter.take({ key: 'later', windows: [{ limit: 1, periodSeconds: 86_400 }], cost: 1 });
    await runInDurableObject(limiter, (instance) => {
      instance.clock = { now: () => Date.now() + 600_000 };
    });
    expect(await runDurableObjectAlarm(limiter)).toBe(true);
    const keys = await runInDurableObject(limiter, async (_, state) => {
      expect(await state.storage.getAlarm()).not.toBeNull();
      return state.storage.sql.exec<{ key: string }>('SELECT key FROM arrivals').toArray();
    });
    expect(keys).toEqual([{ key: 'later' }]);
  });

  it('refuses costs and windows that make no sense', async () => {
    await runInDurableObject(fresh(), async (instance) => {
      const windows = perMinute(5);
      await expect(instance.take({ key: 'k', windows, cost: -1 })).rejects.toThrow(RangeError);
      await expect(instance.take({ key: 'k', windows, cost: 0.5 })).rejects.toThrow(RangeError);
      await expect(instance.take({ key: 'k', windows: [], cost: 1 })).rejects.toThrow(RangeError);
    });
  });
});
