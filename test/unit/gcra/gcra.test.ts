import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  afterLease,
  decide,
  leasable,
  meterOf,
  type RateWindow,
} from '../../../durable-objects/rate-limiter/gcra.ts';
import { createOracle } from './oracle.ts';

const epochMs = 1_790_000_000_000;

const windows: fc.Arbitrary<RateWindow> = fc.record({
  limit: fc.integer({ min: 1, max: 60 }),
  periodSeconds: fc.constantFrom(1, 7, 60, 3_600),
  burst: fc.integer({ min: 1, max: 40 }),
});

/** Waits are drawn around the refill interval, where off-by-one mistakes live. */
const stepsFor = (window: RateWindow) => {
  const intervalMs = Math.ceil((window.periodSeconds * 1_000) / window.limit);
  return fc.array(
    fc.record({
      waitMs: fc.oneof(
        fc.constant(0),
        fc.integer({ min: 0, max: 3 }),
        fc.integer({ min: Math.max(0, intervalMs - 2), max: intervalMs + 2 }),
        fc.integer({ min: 0, max: intervalMs * 10 }),
      ),
      cost: fc.oneof(fc.constant(1), fc.integer({ min: 0, max: (window.burst ?? window.limit) + 2 })),
    }),
    { minLength: 100, maxLength: 220 },
  );
};

describe('the generic cell rate algorithm', () => {
  it('decides as the whole history would, over more than 100,000 steps', () => {
    let steps = 0;
    fc.assert(
      fc.property(
        windows.chain((window) => fc.tuple(fc.constant(window), stepsFor(window))),
        ([window, sequence]) => {
          const meter = meterOf(window);
          const oracle = createOracle(window);
          let nowMs = epochMs;
          let tat: number | undefined;
          for (const { waitMs, cost } of sequence) {
            nowMs += waitMs;
            const expected = oracle.allows(nowMs, cost);
            const decision = decide(meter, tat, nowMs, cost);
            expect(decision.allowed).toBe(expected);
            tat = decision.tat;
            if (expected) oracle.record(nowMs, cost);
            steps += 1;
          }
          const last = decide(meter, tat, nowMs, 0);
          expect(last.remaining).toBe(oracle.remaining(nowMs));
        },
      ),
      { numRuns: 1_000 },
    );
    expect(steps).toBeGreaterThanOrEqual(100_000);
  });

  it('names the first millisecond at which a denied cost is allowed', () => {
    fc.assert(
      fc.property(windows, fc.integer({ min: 1, max: 40 }), (window, cost) => {
        fc.pre(cost <= (window.burst ?? window.limit));
        const meter = meterOf(window);
        let tat: number | undefined;
        let decision = decide(meter, tat, epochMs, 1);
        while (decision.allowed) {
          tat = decision.tat;
          decision = decide(meter, tat, epochMs, 1);
        }
        const denied = decide(meter, tat, epochMs, cost);
        const waitMs = Math.ceil(denied.retryAfterMs);
        expect(decide(meter, tat, epochMs + waitMs, cost).allowed).toBe(true);
        expect(decide(meter, tat, epochMs + waitMs - 1, cost).allowed).toBe(false);
      }),
    );
  });

  it('charges nothing for a denied request', () => {
    const meter = meterOf({ limit: 2, periodSeconds: 60 });
    const full = decide(meter, undefined, epochMs, 2);
    const denied = decide(meter, full.tat, epochMs, 1);
    expect(denied).toMatchObject({ allowed: false, tat: full.tat });
    expect(decide(meter, denied.tat, epochMs + 30_000, 1).allowed).toBe(true);
  });

  it('never allows a cost above the burst, and says that waiting does not help', () => {
    const meter = meterOf({ limit: 100, periodSeconds: 1, burst: 5 });
    expect(decide(meter, undefined, epochMs, 6)).toMatchObject({
      allowed: false,
      retryAfterMs: Number.POSITIVE_INFINITY,
    });
  });

  it('neither admits more nor locks a key for the size of the jump when the clock goes back', () => {
    const meter = meterOf({ limit: 10, periodSeconds: 60 });
    const spent = decide(meter, undefined, epochMs, 10);
    const anHourEarlier = epochMs - 3_600_000;
    const denied = decide(meter, spent.tat, anHourEarlier, 1);
    expect(denied).toMatchObject({ allowed: false, remaining: 0, retryAfterMs: 6_000 });
    expect(decide(meter, denied.tat, anHourEarlier + 6_000, 1).allowed).toBe(true);
  });

  it('admits no more than the policy in any span of true time, however the clock jumps back', () => {
    fc.assert(
      fc.property(
        windows,
        fc.array(
          fc.record({
            waitMs: fc.integer({ min: 0, max: 5_000 }),
            jumpMs: fc.integer({ min: 0, max: 9_000 }),
          }),
          { minLength: 20, maxLength: 60 },
        ),
        (window, sequence) => {
          const meter = meterOf(window);
          const truth = createOracle(window);
          let trueMs = epochMs;
          let clockMs = epochMs;
          let tat: number | undefined;
          for (const { waitMs, jumpMs } of sequence) {
            trueMs += waitMs;
            clockMs += waitMs - jumpMs;
            const decision = decide(meter, tat, clockMs, 1);
            if (decision.allowed) truth.record(trueMs, 1);
            tat = decision.tat;
          }
          expect(truth.isWithinPolicy()).toBe(true);
        },
      ),
    );
  });

  it('keeps the policy whenever in its life a lease is spent', () => {
    fc.assert(
      fc.property(
        // Several units refill within a lease, or spending late could not show.
        fc.record({
          limit: fc.integer({ min: 5, max: 60 }),
          periodSeconds: fc.integer({ min: 1, max: 5 }),
          burst: fc.integer({ min: 3, max: 40 }),
        }),
        fc.array(
          fc.record({
            waitMs: fc.oneof(fc.integer({ min: 0, max: 100 }), fc.constantFrom(999, 1_000, 1_001)),
            wanted: fc.integer({ min: 0, max: 10 }),
            /** When each leased unit is spent, as a share of the lease. */
            spentAt: fc.array(fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0, max: 1, noNaN: true })), {
              maxLength: 10,
            }),
          }),
          { minLength: 5, maxLength: 60 },
        ),
        (window, sequence) => {
          const meter = meterOf(window);
          const leaseMs = 1_000;
          const spent: number[] = [];
          let nowMs = epochMs;
          let tat: number | undefined;
          for (const { waitMs, wanted, spentAt } of sequence) {
            nowMs += waitMs;
            const decision = decide(meter, tat, nowMs, 1);
            tat = decision.tat;
            if (!decision.allowed) continue;
            spent.push(nowMs);
            const units = Math.min(wanted, leasable(meter, tat, nowMs, leaseMs));
            if (units > 0) tat = afterLease(meter, tat, nowMs, leaseMs, units);
            for (const share of spentAt.slice(0, units)) spent.push(nowMs + Math.floor(share * leaseMs));
          }
          const history = createOracle(window);
          for (const atMs of spent.sort((a, b) => a - b)) history.record(atMs, 1);
          expect(history.isWithinPolicy()).toBe(true);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('refuses windows that cannot be counted exactly', () => {
    expect(() => meterOf({ limit: 0, periodSeconds: 60 })).toThrow(RangeError);
    expect(() => meterOf({ limit: 1.5, periodSeconds: 60 })).toThrow(RangeError);
    expect(() => meterOf({ limit: 99_991, periodSeconds: 1 })).toThrow(RangeError);
  });
});
