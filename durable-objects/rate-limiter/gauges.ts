import { afterGivingBack, afterLease, decide, leasable, meterOf, type RateWindow } from './gcra.ts';
import { decideByLog, horizonOf, type Verdict } from './sliding-log.ts';
import type { CountStore } from './store.ts';

/** One count of one request, at one moment. */
export interface Gauge {
  /** Changes nothing. */
  decide(cost: number): Verdict;
  /** Units that could be leased for `leaseMs` beside `cost` units taken now. */
  leasable(cost: number, leaseMs: number): number;
  /** Takes `cost` units now, and `leased` more to be spent within `leaseMs`. */
  charge(cost: number, leased: number, leaseMs: number): Verdict;
  /** Takes back up to `cost` units of those taken at `takenAtMs`. */
  giveBack(cost: number, takenAtMs: number | undefined): void;
}

/** @throws RangeError for a window that makes no sense. */
export const gaugeOf = (store: CountStore, key: string, window: RateWindow, nowMs: number): Gauge =>
  window.strict === true ? strictGauge(store, key, window, nowMs) : evenGauge(store, key, window, nowMs);

function evenGauge({ arrivals }: CountStore, key: string, window: RateWindow, nowMs: number): Gauge {
  const meter = meterOf(window);
  const stored = arrivals.read(key, window);
  const write = (tat: number) => arrivals.write(key, window, tat, Math.ceil(tat / meter.ticksPerMs));
  return {
    decide: (cost) => decide(meter, stored, nowMs, cost),
    leasable: (cost, leaseMs) => leasable(meter, decide(meter, stored, nowMs, cost).tat, nowMs, leaseMs),
    charge(cost, leased, leaseMs) {
      const decision = decide(meter, stored, nowMs, cost);
      const tat = leased === 0 ? decision.tat : afterLease(meter, decision.tat, nowMs, leaseMs, leased);
      write(tat);
      return leased === 0 ? decision : decide(meter, tat, nowMs, 0);
    },
    giveBack(cost) {
      if (stored !== undefined) write(afterGivingBack(meter, stored, nowMs, cost));
    },
  };
}

function strictGauge({ log }: CountStore, key: string, window: RateWindow, nowMs: number): Gauge {
  const { limit, periodSeconds, burst = limit } = window;
  for (const value of [limit, periodSeconds])
    if (!Number.isSafeInteger(value) || value < 1) throw new RangeError('a strict window must be whole');
  if (burst !== limit) throw new RangeError('a strict window has no burst of its own');
  const read = () => log.since(key, window, horizonOf(window, nowMs));
  const decideNow = (cost: number) => decideByLog(window, read(), nowMs, cost);
  return {
    decide: decideNow,
    leasable: (cost) => decideNow(cost).remaining,
    charge(cost, leased, leaseMs) {
      log.add(key, window, nowMs, cost);
      // Leased units may be spent as late as the lease ends; noted then, they are in every window they are really in.
      if (leased > 0) log.add(key, window, nowMs + leaseMs, leased);
      return decideNow(0);
    },
    giveBack(cost, takenAtMs) {
      if (takenAtMs !== undefined) log.remove(key, window, takenAtMs, cost);
    },
  };
}
