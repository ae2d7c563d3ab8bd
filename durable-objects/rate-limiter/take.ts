import { gaugeOf } from './gauges.ts';
import type { RateWindow } from './gcra.ts';
import type { Verdict } from './sliding-log.ts';
import type { CountStore } from './store.ts';

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
  /** When it was decided, by the object's clock: names the charge to `giveBack`. */
  readonly atMs: number;
}

/** What an earlier `take` charged. */
export interface GiveBackRequest extends Omit<TakeRequest, 'lease'> {
  /** `atMs` of that take. Without it strict windows keep the charge. */
  readonly takenAtMs?: number;
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
export function take(store: CountStore, request: TakeRequest, nowMs: number): TakeResult {
  const counts = countsOf(store, request, nowMs);
  if (counts.length === 0 || counts.length > maxWindows) throw new RangeError('too few or too many windows');
  const verdicts = counts.map(({ gauge, cost }) => gauge.decide(cost));

  const denied = verdicts.filter((verdict) => !verdict.allowed);
  if (denied.length > 0) {
    const wait = Math.max(...denied.map((verdict) => verdict.retryAfterMs));
    const window = verdicts.findIndex((verdict) => verdict.retryAfterMs === wait);
    return {
      ...summary(verdicts, window),
      allowed: false,
      retryAfterSeconds: seconds(wait),
      leased: 0,
      atMs: nowMs,
    };
  }

  const leaseMs = Math.min(maxLeaseMs, Math.max(0, request.lease?.ms ?? 0));
  const wanted = leaseMs === 0 ? 0 : Math.max(0, Math.floor(request.lease?.units ?? 0));
  const leased =
    wanted === 0
      ? 0
      : Math.min(
          wanted,
          ...counts.map(({ gauge, cost }) =>
            cost === 0 ? wanted : Math.floor(gauge.leasable(cost, leaseMs) / cost),
          ),
        );
  const charged = counts.map(({ gauge, cost }) =>
    cost === 0 ? gauge.decide(0) : gauge.charge(cost, leased * cost, leaseMs),
  );
  const left = charged.map(({ remaining }, index) =>
    Math.floor(remaining / Math.max(1, counts[index]?.cost ?? 1)),
  );
  const tightest = left.indexOf(Math.min(...left));
  return { ...summary(charged, tightest), allowed: true, retryAfterSeconds: 0, leased, atMs: nowMs };
}

/**
 * Takes back what an earlier `take` of the same request charged and turned out not to be due. Never makes more room than an
 * unused key has.
 * @throws RangeError for a cost that makes no sense.
 */
export function giveBack(store: CountStore, request: GiveBackRequest, nowMs: number): void {
  for (const { gauge, cost } of countsOf(store, request, nowMs)) gauge.giveBack(cost, request.takenAtMs);
}

const countsOf = (store: CountStore, request: Omit<TakeRequest, 'lease'>, nowMs: number) =>
  request.windows.map((window) => {
    const { key = request.key, cost = request.cost } = window;
    if (!Number.isSafeInteger(cost) || cost < 0 || cost > maxCost)
      throw new RangeError('cost is out of range');
    return { gauge: gaugeOf(store, key, window, nowMs), cost };
  });

const summary = (verdicts: readonly Verdict[], window: number) => ({
  window,
  remaining: verdicts[window]?.remaining ?? 0,
  resetSeconds: seconds(verdicts[window]?.resetMs ?? 0),
});

// RPC carries numbers, but headers cannot carry Infinity.
const seconds = (ms: number): number => Math.min(maxRetrySeconds, Math.ceil(ms / 1_000));
