import {
  afterGivingBack,
  afterLease,
  type Decision,
  decide,
  leasable,
  meterOf,
  type RateWindow,
} from './gcra.ts';
import type { ArrivalStore } from './store.ts';

/** A window of a request. It may count under a key and at a cost of its own, so that one call settles several policies. */
export interface CountedWindow extends RateWindow {
  readonly key?: string;
  readonly cost?: number;
}

export interface TakeRequest {
  /** Names who is limited; a hash, never an address or an account. */
  readonly key: string;
  /** All must allow their cost, or none is charged. */
  readonly windows: readonly CountedWindow[];
  readonly cost: number;
  /** Requests of the same cost wanted on top, to be made by the caller within `ms` without asking again. */
  readonly lease?: { readonly units: number; readonly ms: number };
}

export interface TakeResult {
  readonly allowed: boolean;
  /** Units left in the tightest window. */
  readonly remaining: number;
  /** Position of the tightest window in the request: the one that lets the fewest further requests of this cost pass. */
  readonly window: number;
  /** Seconds until the tightest window is full again, rounded up. */
  readonly resetSeconds: number;
  /** Seconds until the same request can be allowed, rounded up; 0 when allowed. */
  readonly retryAfterSeconds: number;
  /** Requests leased on top; unspent ones expire. */
  readonly leased: number;
}

/** The longest lease: longer ones would make a denial elsewhere feel wrong. */
export const maxLeaseMs = 1_000;
const maxRetrySeconds = 86_400 * 31;
const maxCost = 1_000_000;
const maxWindows = 6;

/**
 * Decides one request against every window of its key. Denied requests cost nothing.
 * @throws RangeError for windows or costs that make no sense.
 */
export function take(store: ArrivalStore, request: TakeRequest, nowMs: number): TakeResult {
  const counts = countsOf(request);
  if (counts.length === 0 || counts.length > maxWindows) throw new RangeError('too few or too many windows');
  const decisions = counts.map(({ key, window, meter, cost }) =>
    decide(meter, store.read(key, window), nowMs, cost),
  );

  const denied = decisions.filter((decision) => !decision.allowed);
  if (denied.length > 0) {
    const wait = Math.max(...denied.map((decision) => decision.retryAfterMs));
    const window = decisions.findIndex((decision) => decision.retryAfterMs === wait);
    return { ...summary(decisions, window), allowed: false, retryAfterSeconds: seconds(wait), leased: 0 };
  }

  const leaseMs = Math.min(maxLeaseMs, Math.max(0, request.lease?.ms ?? 0));
  const wanted = leaseMs === 0 ? 0 : Math.max(0, Math.floor(request.lease?.units ?? 0));
  const leased = Math.min(
    wanted,
    ...counts.map(({ meter, cost }, index) =>
      cost === 0 ? wanted : Math.floor(leasable(meter, decisions[index]?.tat ?? 0, nowMs, leaseMs) / cost),
    ),
  );
  const charged = decisions.map((decision, index) => {
    const count = counts[index];
    if (count === undefined || count.cost === 0) return decision;
    const { key, window, meter, cost } = count;
    const tat = leased === 0 ? decision.tat : afterLease(meter, decision.tat, nowMs, leaseMs, leased * cost);
    store.write(key, window, tat, Math.ceil(tat / meter.ticksPerMs));
    return leased === 0 ? decision : decide(meter, tat, nowMs, 0);
  });
  const left = charged.map(({ remaining }, index) =>
    Math.floor(remaining / Math.max(1, counts[index]?.cost ?? 1)),
  );
  const tightest = left.indexOf(Math.min(...left));
  return { ...summary(charged, tightest), allowed: true, retryAfterSeconds: 0, leased };
}

/**
 * Takes back what an earlier `take` of the same request charged and turned out not to be due. Never makes more room than an
 * unused key has.
 * @throws RangeError for a cost that makes no sense.
 */
export function giveBack(store: ArrivalStore, request: Omit<TakeRequest, 'lease'>, nowMs: number): void {
  for (const { key, window, meter, cost } of countsOf(request)) {
    const stored = store.read(key, window);
    if (stored === undefined) continue;
    const tat = afterGivingBack(meter, stored, nowMs, cost);
    store.write(key, window, tat, Math.ceil(tat / meter.ticksPerMs));
  }
}

const countsOf = (request: Omit<TakeRequest, 'lease'>) =>
  request.windows.map((window) => {
    const { key = request.key, cost = request.cost } = window;
    if (!Number.isSafeInteger(cost) || cost < 0 || cost > maxCost)
      throw new RangeError('cost is out of range');
    return { key, window, meter: meterOf(window), cost };
  });

const summary = (decisions: readonly Decision[], window: number) => ({
  window,
  remaining: decisions[window]?.remaining ?? 0,
  resetSeconds: seconds(decisions[window]?.resetMs ?? 0),
});

// RPC carries numbers, but headers cannot carry Infinity.
const seconds = (ms: number): number => Math.min(maxRetrySeconds, Math.ceil(ms / 1_000));
