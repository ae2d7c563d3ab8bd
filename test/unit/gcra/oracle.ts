import type { RateWindow } from '../../../durable-objects/rate-limiter/gcra.ts';

interface Admitted {
  readonly atMs: number;
  readonly cost: number;
}

/**
 * What GCRA must decide, computed from the whole history instead of one number: a cost is allowed when no span that ends
 * now would hold more than `burst` plus what refilled during the span. All comparisons are between integers.
 */
export function createOracle(window: RateWindow) {
  const { limit, periodSeconds, burst = limit } = window;
  const periodMs = periodSeconds * 1_000;
  const log: Admitted[] = [];

  const allows = (nowMs: number, cost: number): boolean => {
    let sum = cost;
    if (sum > burst) return false;
    for (const { atMs, cost: admitted } of log.toReversed()) {
      sum += admitted;
      if ((sum - burst) * periodMs > (nowMs - atMs) * limit) return false;
    }
    return true;
  };

  return {
    allows,
    record(nowMs: number, cost: number): void {
      if (cost > 0) log.push({ atMs: nowMs, cost });
    },
    remaining(nowMs: number): number {
      let units = 0;
      while (units < burst && allows(nowMs, units + 1)) units += 1;
      return units;
    },
    /** Whether any span of the history holds more than the policy. */
    isWithinPolicy(): boolean {
      return log.every((first, start) => {
        let sum = 0;
        return log.slice(start).every((entry) => {
          sum += entry.cost;
          return (sum - burst) * periodMs <= (entry.atMs - first.atMs) * limit;
        });
      });
    },
  };
}

/** What a window must decide, in another representation than the limiter's. */
export interface WindowOracle {
  allows(nowMs: number, cost: number): boolean;
  pour(nowMs: number, cost: number): void;
  leasable(nowMs: number, cost: number, leaseMs: number): number;
  pourLease(nowMs: number, cost: number, leaseMs: number): void;
  giveBack(nowMs: number, cost: number, takenAtMs: number | undefined): void;
  remaining(nowMs: number): number;
}

export const oracleOf = (window: RateWindow): WindowOracle =>
  window.strict === true ? createLogOracle(window) : createBucketOracle(window);

/** A strict window as the list of all units ever taken, each counted anew for each question. */
export function createLogOracle({ limit, periodSeconds }: RateWindow): WindowOracle & {
  /** Whether any span of one period, wherever it begins, holds more than the limit. */
  isWithinPolicy(): boolean;
} {
  const periodMs = periodSeconds * 1_000;
  let units: number[] = [];
  const inWindow = (nowMs: number) => units.filter((atMs) => nowMs - atMs < periodMs).length;
  const pour = (atMs: number, cost: number) => {
    for (let unit = 0; unit < cost; unit += 1) units.push(atMs);
  };
  return {
    allows: (nowMs, cost) => inWindow(nowMs) + cost <= limit,
    pour,
    leasable: (nowMs, cost) => Math.floor((limit - inWindow(nowMs)) / cost),
    pourLease: (nowMs, cost, leaseMs) => pour(nowMs + leaseMs, cost),
    giveBack(_nowMs, cost, takenAtMs) {
      let left = cost;
      units = units.filter((atMs) => {
        if (atMs !== takenAtMs || left === 0) return true;
        left -= 1;
        return false;
      });
    },
    remaining: (nowMs) => Math.max(0, limit - inWindow(nowMs)),
    isWithinPolicy: () =>
      units.every(
        (first) => units.filter((atMs) => atMs >= first && atMs - first < periodMs).length <= limit,
      ),
  };
}

/**
 * The same rule as a leaking bucket: the level, in 1/periodMs units, falls by `limit` each ms. Another representation than the
 * arrival time, in whole numbers again, which knows leases and what is given back.
 */
export function createBucketOracle(window: RateWindow): WindowOracle {
  const { limit, periodSeconds, burst = limit } = window;
  const periodMs = periodSeconds * 1_000;
  let level = 0;
  let atMs = 0;
  const drain = (nowMs: number): void => {
    level = Math.max(0, level - (nowMs - atMs) * limit);
    atMs = nowMs;
  };
  // Leased units count as poured in when the lease ends.
  const levelWithLease = (cost: number, leaseMs: number): number =>
    Math.max(level, leaseMs * limit) + cost * periodMs;
  return {
    allows(nowMs: number, cost: number): boolean {
      drain(nowMs);
      return level + cost * periodMs <= burst * periodMs;
    },
    pour(nowMs: number, cost: number): void {
      drain(nowMs);
      level += cost * periodMs;
    },
    leasable(nowMs: number, cost: number, leaseMs: number): number {
      drain(nowMs);
      let units = 0;
      while (units < 1_000 && levelWithLease((units + 1) * cost, leaseMs) <= burst * periodMs) units += 1;
      return units;
    },
    pourLease(nowMs: number, cost: number, leaseMs: number): void {
      drain(nowMs);
      level = levelWithLease(cost, leaseMs);
    },
    giveBack(nowMs: number, cost: number): void {
      drain(nowMs);
      level = Math.max(0, level - cost * periodMs);
    },
    remaining(nowMs: number): number {
      drain(nowMs);
      let units = 0;
      while (level + (units + 1) * periodMs <= burst * periodMs) units += 1;
      return units;
    },
  };
}
