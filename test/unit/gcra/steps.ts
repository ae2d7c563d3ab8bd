import type { RateWindow } from '../../../durable-objects/rate-limiter/gcra.ts';
import type { CountedWindow, TakeRequest, TakeResult } from '../../../durable-objects/rate-limiter/take.ts';
import { oracleOf, type WindowOracle } from './oracle.ts';

/** A generator of uniform integers below a bound (mulberry32), the same for the same seed. */
export function randomIntegers(seed: number) {
  let state = seed >>> 0;
  return (bound: number): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  };
}

type Below = ReturnType<typeof randomIntegers>;

const periods = [1, 7, 60, 3_600];

/** One to three windows that count the same requests, each at its own cost; every third one is strict. */
export function randomWindows(below: Below): CountedWindow[] {
  return Array.from({ length: 1 + below(3) }, (_, index) => ({
    key: `k${index}`,
    limit: 1 + below(60),
    periodSeconds: periods[below(periods.length)] ?? 60,
    ...(below(3) === 0 ? { strict: true } : { burst: 1 + below(40) }),
    cost: below(4) === 0 ? below(7) : 1,
  }));
}

/** A wait around the refill interval, where off-by-one mistakes live. */
export function randomWait(below: Below, window: RateWindow): number {
  const intervalMs = Math.ceil((window.periodSeconds * 1_000) / window.limit);
  const kind = below(4);
  if (kind === 0) return 0;
  if (kind === 1) return below(4);
  if (kind === 2) return Math.max(0, intervalMs - 2 + below(5));
  return below(intervalMs * 10);
}

export type Step =
  | { readonly kind: 'take'; readonly lease?: { readonly units: number; readonly ms: number } }
  | { readonly kind: 'giveBack' };

export function randomStep(below: Below): Step {
  const kind = below(10);
  if (kind === 0) return { kind: 'giveBack' };
  return kind < 4 ? { kind: 'take', lease: { units: below(9), ms: 1_000 } } : { kind: 'take' };
}

/** What must come of a request, by the oracles of its windows, which it moves on. */
export function expectedOf(
  windows: readonly CountedWindow[],
  oracles: readonly WindowOracle[],
  lease: TakeRequest['lease'],
  nowMs: number,
): Pick<TakeResult, 'allowed' | 'leased'> & { readonly remaining: readonly number[] } {
  const pairs = windows.map((window, index) => ({
    cost: window.cost ?? 1,
    oracle: oracles[index] ?? oracleOf(window),
  }));
  if (!pairs.every(({ oracle, cost }) => oracle.allows(nowMs, cost)))
    return { allowed: false, leased: 0, remaining: pairs.map(({ oracle }) => oracle.remaining(nowMs)) };
  for (const { oracle, cost } of pairs) oracle.pour(nowMs, cost);
  const wanted = lease?.units ?? 0;
  const leased = Math.min(
    wanted,
    ...pairs.map(({ oracle, cost }) => (cost === 0 ? wanted : oracle.leasable(nowMs, cost, 1_000))),
  );
  if (leased > 0)
    for (const { oracle, cost } of pairs) if (cost > 0) oracle.pourLease(nowMs, leased * cost, 1_000);
  return { allowed: true, leased, remaining: pairs.map(({ oracle }) => oracle.remaining(nowMs)) };
}
