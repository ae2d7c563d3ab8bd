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

export interface TakeRequest {
  /** Names who is limited; a hash, never an address or an account. */
  readonly key: string;
  /** All must allow the cost, or none is charged. */
  readonly windows: readonly RateWindow[];
  readonly cost: number;
  /** Units wanted on top, to be spent by the caller within `ms` without asking again. */
  readonly lease?: { readonly units: number; readonly ms: number };
}

export interface TakeResult {
  readonly allowed: boolean;
  /** Units left in the tightest window. */
  readonly remaining: number;
  /** Position of the tightest window in the request. */
  readonly window: number;
  /** Seconds until the tightest window is full again, rounded up. */
  readonly resetSeconds: number;
  /** Seconds until the same request can be allowed, rounded up; 0 when allowed. */
  readonly retryAfterSeconds: number;
  /** Units leased on top; unspent ones expire. */
  readonly leased: number;
}

/** The longest lease: longer ones would make a denial elsewhere feel wrong. */
export const maxLeaseMs = 1_000;
const maxRetrySeconds = 86_400 * 31;

/**
 * Decides one request against every window of its key. Denied requests cost nothing.
 * @throws RangeError for windows or costs that make no sense.
 */
export function take(store: ArrivalStore, request: TakeRequest, nowMs: number): TakeResult {
  const { key, windows, cost, lease } = request;
  if (!Number.isSafeInteger(cost) || cost < 0 || cost > 1_000_000)
    throw new RangeError('cost is out of range');
  if (windows.length === 0 || windows.length > 4) throw new RangeError('one to four windows');
  const meters = windows.map((window) => ({ window, meter: meterOf(window) }));
  const decisions = meters.map(({ window, meter }) => decide(meter, store.read(key, window), nowMs, cost));

  const denied = decisions.filter((decision) => !decision.allowed);
  if (denied.length > 0) {
    const wait = Math.max(...denied.map((decision) => decision.retryAfterMs));
    const window = decisions.findIndex((decision) => decision.retryAfterMs === wait);
    return { ...summary(decisions, window), allowed: false, retryAfterSeconds: seconds(wait), leased: 0 };
  }

  const leaseMs = Math.min(maxLeaseMs, Math.max(0, lease?.ms ?? 0));
  const wanted = leaseMs === 0 ? 0 : Math.max(0, Math.floor(lease?.units ?? 0));
  const leased = Math.min(
    wanted,
    ...meters.map(({ meter }, index) => leasable(meter, decisions[index]?.tat ?? 0, nowMs, leaseMs)),
  );
  const charged = decisions.map((decision, index) => {
    const entry = meters[index];
    if (entry === undefined) return decision;
    const tat = leased === 0 ? decision.tat : afterLease(entry.meter, decision.tat, nowMs, leaseMs, leased);
    const fullAtMs = Math.ceil(tat / entry.meter.ticksPerMs);
    if (cost > 0 || leased > 0) store.write(key, entry.window, tat, fullAtMs);
    return leased === 0 ? decision : decide(entry.meter, tat, nowMs, 0);
  });
  const tightest = charged.reduce(
    (best, decision, index) => (decision.remaining < (charged[best]?.remaining ?? 0) ? index : best),
    0,
  );
  return { ...summary(charged, tightest), allowed: true, retryAfterSeconds: 0, leased };
}

/**
 * Takes back `cost` units that were charged and turned out not to be due. Never makes more room than an unused key has.
 * @throws RangeError for a cost that makes no sense.
 */
export function giveBack(store: ArrivalStore, request: Omit<TakeRequest, 'lease'>, nowMs: number): void {
  const { key, windows, cost } = request;
  if (!Number.isSafeInteger(cost) || cost < 0 || cost > 1_000_000)
    throw new RangeError('cost is out of range');
  for (const window of windows) {
    const stored = store.read(key, window);
    if (stored === undefined) continue;
    const meter = meterOf(window);
    const tat = afterGivingBack(meter, stored, nowMs, cost);
    store.write(key, window, tat, Math.ceil(tat / meter.ticksPerMs));
  }
}

const summary = (decisions: readonly Decision[], window: number) => ({
  window,
  remaining: decisions[window]?.remaining ?? 0,
  resetSeconds: seconds(decisions[window]?.resetMs ?? 0),
});

// RPC carries numbers, but headers cannot carry Infinity.
const seconds = (ms: number): number => Math.min(maxRetrySeconds, Math.ceil(ms / 1_000));
