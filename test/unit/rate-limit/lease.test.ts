import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RateWindow } from '../../../durable-objects/rate-limiter/gcra.ts';
import type { CountStore } from '../../../durable-objects/rate-limiter/store.ts';
import { take } from '../../../durable-objects/rate-limiter/take.ts';
import { createLeaseBook, leaseMs } from '../../../src/http/rate-limit/lease.ts';
import { memoryStore } from '../gcra/memory-store.ts';
import { createOracle } from '../gcra/oracle.ts';

/** One isolate in front of a limiter, as `charge` puts them together. */
function isolate(store: CountStore, windows: readonly RateWindow[], maxUnits: number) {
  const book = createLeaseBook();
  let asked = 0;
  return {
    get asked() {
      return asked;
    },
    allows(nowMs: number): boolean {
      const local = book.decide('k', maxUnits, nowMs);
      if (local.kind === 'allowed') return true;
      if (local.kind === 'denied') return false;
      asked += 1;
      const lease = local.wantedUnits > 0 ? { lease: { units: local.wantedUnits, ms: leaseMs } } : {};
      const taken = take(store, { key: 'k', windows, cost: 1, ...lease }, nowMs);
      book.note('k', taken, nowMs, nowMs);
      return taken.allowed;
    },
  };
}

describe('leases', () => {
  it('let a busy caller pass without asking for each request, and ask for each of a quiet one', () => {
    const windows = [{ limit: 600, periodSeconds: 60 }];
    const busy = isolate(memoryStore(), windows, 32);
    for (let index = 0; index < 100; index += 1) expect(busy.allows(1_000_000 + index * 5)).toBe(true);
    expect(busy.asked).toBeLessThan(12);
    const quiet = isolate(memoryStore(), windows, 32);
    for (let index = 0; index < 20; index += 1) expect(quiet.allows(1_000_000 + index * 2_000)).toBe(true);
    expect(quiet.asked).toBe(20);
  });

  it('cost a quiet caller nothing: the whole quota is usable', () => {
    const one = isolate(memoryStore(), [{ limit: 20, periodSeconds: 3_600 }], 32);
    const admitted = Array.from({ length: 30 }, (_, index) => one.allows(1_000_000 + index * 1_500));
    expect(admitted.filter(Boolean)).toHaveLength(20);
  });

  it('never let several isolates together pass more than the policy in any span', () => {
    fc.assert(
      fc.property(
        fc.record({
          limit: fc.integer({ min: 5, max: 80 }),
          periodSeconds: fc.integer({ min: 1, max: 10 }),
          burst: fc.integer({ min: 3, max: 60 }),
        }),
        fc.array(
          fc.record({
            waitMs: fc.oneof(fc.integer({ min: 0, max: 30 }), fc.constantFrom(950, 999, 1_000)),
            isolate: fc.integer({ min: 0, max: 2 }),
            requests: fc.integer({ min: 1, max: 12 }),
          }),
          { minLength: 20, maxLength: 80 },
        ),
        (window, steps) => {
          const store = memoryStore();
          const isolates = [0, 1, 2].map(() => isolate(store, [window], 32));
          const history = createOracle(window);
          let nowMs = 1_790_000_000_000;
          for (const step of steps) {
            nowMs += step.waitMs;
            for (let request = 0; request < step.requests; request += 1)
              if (isolates[step.isolate]?.allows(nowMs)) history.record(nowMs, 1);
          }
          expect(history.isWithinPolicy()).toBe(true);
        },
      ),
      { numRuns: 400 },
    );
  });

  it('remember a denial until it can end, and not longer', () => {
    const one = isolate(memoryStore(), [{ limit: 1, periodSeconds: 10 }], 0);
    expect(one.allows(1_000_000)).toBe(true);
    for (let index = 1; index < 50; index += 1) expect(one.allows(1_000_000 + index * 200)).toBe(false);
    expect(one.asked).toBe(2);
    // The wait was told in whole seconds, rounded up.
    expect(one.allows(1_011_000)).toBe(true);
  });

  it('are asked for one at a time, however many requests arrive together', () => {
    const book = createLeaseBook();
    const asked = Array.from({ length: 200 }, () => book.decide('k', 32, 1_000));
    expect(asked.filter((decision) => decision.kind === 'ask' && decision.wantedUnits > 0)).toHaveLength(1);
  });

  it('are spent even after others were denied meanwhile, and a refund ends a denial', () => {
    const book = createLeaseBook();
    const answer = { remaining: 0, resetSeconds: 9, window: 0 };
    book.note('k', { ...answer, allowed: true, retryAfterSeconds: 0, leased: 1 }, 1_000, 1_000);
    book.note('k', { ...answer, allowed: false, retryAfterSeconds: 9, leased: 0 }, 1_000, 1_000);
    expect([1, 2].map(() => book.decide('k', 32, 1_100).kind)).toEqual(['allowed', 'denied']);
    book.noteRefund('k');
    expect(book.decide('k', 32, 1_200).kind).toBe('ask');
  });

  it('hold no more callers than the bound', () => {
    const book = createLeaseBook(2);
    const denied = {
      allowed: false,
      remaining: 0,
      resetSeconds: 9,
      retryAfterSeconds: 9,
      window: 0,
      leased: 0,
    };
    book.note('a', denied, 0, 0);
    book.note('b', denied, 0, 0);
    book.note('c', denied, 0, 0);
    expect(book.decide('b', 0, 1).kind).toBe('denied');
    expect(book.decide('a', 0, 1).kind).toBe('ask');
  });
});
