import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withLock } from '../../src/jobs/with-lock.ts';
import { testEnv } from '../support/worker/env.ts';

const { LOCK } = testEnv(env);
const freshName = () => `test:${crypto.randomUUID()}`;
const ttlMs = 60_000;

describe('the lock', () => {
  it('gives one of many callers the lock and says to the others how long it is taken', async () => {
    const lock = LOCK.getByName(freshName());
    const results = await Promise.all(
      Array.from({ length: 50 }, (_, index) => lock.acquire({ owner: `owner-${index}`, ttlMs })),
    );
    expect(results.filter((result) => result.acquired)).toHaveLength(1);
    for (const result of results) expect(result.expiresAt).toBeGreaterThan(Date.now());
  });

  it('serves those who wait in the order they came, each with a greater token', async () => {
    const lock = LOCK.getByName(freshName());
    const first = await lock.acquire({ owner: 'first', ttlMs });
    const order: string[] = [];
    const waiting = ['a', 'b', 'c'].map(async (owner) => {
      const result = await lock.acquire({ owner, ttlMs, waitMs: 10_000 });
      if (!result.acquired) throw new Error('timed out');
      order.push(owner);
      await lock.release({ owner, fencingToken: result.fencingToken });
      return result.fencingToken;
    });
    if (!first.acquired) throw new Error('the first caller got nothing');
    expect((await lock.acquire({ owner: 'impatient', ttlMs })).acquired).toBe(false);
    await lock.release({ owner: 'first', fencingToken: first.fencingToken });
    const tokens = await Promise.all(waiting);
    expect(order).toEqual(['a', 'b', 'c']);
    expect(tokens).toEqual([...tokens].sort((a, b) => a - b));
    expect(tokens[0]).toBeGreaterThan(first.fencingToken);
  });

  it('lets a waiting caller have the lock when the holder never comes back', async () => {
    const lock = LOCK.getByName(freshName());
    await lock.acquire({ owner: 'crashed', ttlMs: 50 });
    expect(await lock.acquire({ owner: 'next', ttlMs, waitMs: 10_000 })).toMatchObject({ acquired: true });
  });

  it('gives up waiting when the time is over', async () => {
    const lock = LOCK.getByName(freshName());
    await lock.acquire({ owner: 'holder', ttlMs });
    expect(await lock.acquire({ owner: 'next', ttlMs, waitMs: 30 })).toMatchObject({ acquired: false });
    expect(await lock.acquire({ owner: 'other', ttlMs })).toMatchObject({ acquired: false });
  });

  it('answers a repeated call of the holder with the same grant', async () => {
    const lock = LOCK.getByName(freshName());
    const first = await lock.acquire({ owner: 'me', ttlMs });
    expect(await lock.acquire({ owner: 'me', ttlMs })).toEqual(first);
  });

  it('can be renewed and released only by the very grant that holds it', async () => {
    const lock = LOCK.getByName(freshName());
    const held = await lock.acquire({ owner: 'me', ttlMs });
    if (!held.acquired) throw new Error('not acquired');
    const { fencingToken } = held;
    expect(await lock.release({ owner: 'thief', fencingToken })).toEqual({ released: false });
    expect(await lock.release({ owner: 'me', fencingToken: fencingToken + 1 })).toEqual({ released: false });
    expect(await lock.renew({ owner: 'thief', fencingToken, ttlMs })).toMatchObject({ renewed: false });
    const renewed = await lock.renew({ owner: 'me', fencingToken, ttlMs: ttlMs * 2 });
    expect(renewed.renewed).toBe(true);
    expect(renewed.expiresAt).toBeGreaterThan(held.expiresAt);
    expect(await lock.release({ owner: 'me', fencingToken })).toEqual({ released: true });
    expect(await lock.renew({ owner: 'me', fencingToken, ttlMs })).toMatchObject({ renewed: false });
  });

  it('fences: tokens only grow and grants never overlap, through expiry, eviction and clocks of any pace', async () => {
    const command = fc.oneof(
      fc.record({ kind: fc.constant('acquire' as const), owner: fc.constantFrom('a', 'b', 'c') }),
      fc.record({ kind: fc.constant('release' as const), owner: fc.constantFrom('a', 'b', 'c') }),
      fc.record({ kind: fc.constant('renew' as const), owner: fc.constantFrom('a', 'b', 'c') }),
      fc.record({ kind: fc.constant('wait' as const), forMs: fc.integer({ min: 1, max: 1_500 }) }),
      fc.record({ kind: fc.constant('evict' as const) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 10, maxLength: 60 }), async (commands) => {
        const lock = LOCK.getByName(freshName());
        let nowMs = Date.now();
        let highest = 0;
        const tokens: Record<string, number> = {};
        let holder: { owner: string; untilMs: number } | undefined;
        for (const step of commands) {
          if (step.kind === 'wait') nowMs += step.forMs;
          else if (step.kind === 'evict') {
            await runInDurableObject(lock, () => undefined);
            await evictDurableObject(lock);
          } else
            await runInDurableObject(lock, async (instance) => {
              instance.clock = { now: () => nowMs };
              const live = holder !== undefined && holder.untilMs > nowMs ? holder : undefined;
              const { owner } = step;
              if (step.kind === 'acquire') {
                const result = await instance.acquire({ owner, ttlMs: 1_000 });
                expect(result.acquired).toBe(live === undefined || live.owner === owner);
                if (!result.acquired) return;
                if (live === undefined) {
                  expect(result.fencingToken).toBeGreaterThan(highest);
                  highest = result.fencingToken;
                  holder = { owner, untilMs: nowMs + 1_000 };
                }
                tokens[owner] = result.fencingToken;
                return;
              }
              const fencingToken = tokens[owner] ?? 0;
              const isCurrent = live?.owner === owner && fencingToken === highest;
              if (step.kind === 'release') {
                const { released } = instance.release({ owner, fencingToken });
                if (isCurrent) expect(released).toBe(true);
                else expect(released && live !== undefined).toBe(false);
                if (isCurrent) holder = undefined;
              } else {
                const { renewed } = instance.renew({ owner, fencingToken, ttlMs: 1_000 });
                expect(renewed).toBe(isCurrent);
                if (isCurrent) holder = { owner, untilMs: nowMs + 1_000 };
              }
            });
        }
      }),
      { numRuns: 20 },
    );
  });

  it('refuses grants that end at once or never', async () => {
    await runInDurableObject(LOCK.getByName(freshName()), async (instance) => {
      await expect(instance.acquire({ owner: 'me', ttlMs: 0 })).rejects.toThrow(RangeError);
      await expect(instance.acquire({ owner: 'me', ttlMs: Number.POSITIVE_INFINITY })).rejects.toThrow(
        RangeError,
      );
    });
  });
});

describe('work under a lock', () => {
  it('runs once when two runs overlap, and again when the first is over', async () => {
    const name = freshName();
    let running = 0;
    const work = async (fencingToken: number) => {
      running += 1;
      await new Promise((resolve) => setTimeout(resolve, 50));
      return fencingToken;
    };
    const both = await Promise.all([
      withLock(LOCK, name, { ttlMs }, work),
      withLock(LOCK, name, { ttlMs }, work),
    ]);
    expect(both.filter((outcome) => outcome.acquired)).toHaveLength(1);
    expect(running).toBe(1);
    expect((await withLock(LOCK, name, { ttlMs }, work)).acquired).toBe(true);
  });

  it('keeps the lock while the work takes longer than the grant', async () => {
    const name = freshName();
    const outcome = await withLock(LOCK, name, { ttlMs: 900 }, async (_, lost) => {
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      const other = await LOCK.getByName(name).acquire({ owner: 'other', ttlMs });
      return { taken: other.acquired, lost: lost.aborted };
    });
    expect(outcome).toEqual({ acquired: true, value: { taken: false, lost: false } });
  });

  it('tells the work when the lock was lost', async () => {
    const name = freshName();
    const outcome = await withLock(LOCK, name, { ttlMs: 90 }, async (fencingToken, lost) => {
      await runInDurableObject(LOCK.getByName(name), (_, state) => {
        state.storage.sql.exec('UPDATE lock SET fencing_token = ?, owner = ?', fencingToken + 1, 'other');
      });
      await new Promise((resolve) => lost.addEventListener('abort', resolve));
      return lost.aborted;
    });
    expect(outcome).toMatchObject({ acquired: true, value: true });
  });

  it('frees the lock when the work fails', async () => {
    const name = freshName();
    const failing = withLock(LOCK, name, { ttlMs }, () => Promise.reject(new Error('broken')));
    await expect(failing).rejects.toThrow('broken');
    expect((await withLock(LOCK, name, { ttlMs }, async () => 1)).acquired).toBe(true);
  });
});
