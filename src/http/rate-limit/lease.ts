/** What one isolate knows about one caller under one policy. Plain values: shared by all its requests. */
interface Entry {
  units: number;
  leaseEndsAtMs: number;
  remaining: number;
  fullAtMs: number;
  window: number;
  deniedUntilMs: number;
  deniedCost: number;
  secondStartedAtMs: number;
  requestsInSecond: number;
}

export type LocalDecision =
  | {
      readonly kind: 'allowed';
      readonly remaining: number;
      readonly resetSeconds: number;
      readonly window: number;
    }
  | { readonly kind: 'denied'; readonly retryAfterSeconds: number; readonly window: number }
  /** The object must be asked; leasing `wantedUnits` on top is worth it. */
  | { readonly kind: 'ask'; readonly wantedUnits: number };

/** The parts of the object's answer that matter here. */
export interface Granted {
  readonly allowed: boolean;
  readonly remaining: number;
  readonly resetSeconds: number;
  readonly retryAfterSeconds: number;
  readonly window: number;
  readonly leased: number;
}

export interface LeaseBook {
  decide(key: string, cost: number, maxUnits: number, nowMs: number): LocalDecision;
  /** `askedAtMs`: when the question was sent. A lease ends a second after that, not after the answer came. */
  note(key: string, cost: number, granted: Granted, askedAtMs: number, nowMs: number): void;
}

export const leaseMs = 1_000;

/**
 * Leases and denials held in isolate memory. A caller seen once gets no lease, so quiet callers lose nothing to expiry;
 * a busy one gets as many units as it used in the last second. A denial is remembered until it can end.
 */
export function createLeaseBook(maxEntries = 10_000): LeaseBook {
  const entries = new Map<string, Entry>();

  const entryOf = (key: string, nowMs: number): Entry => {
    const known = entries.get(key);
    if (known !== undefined) return known;
    const [oldest] = entries.keys();
    if (entries.size >= maxEntries && oldest !== undefined) entries.delete(oldest);
    const entry: Entry = {
      units: 0,
      leaseEndsAtMs: 0,
      remaining: 0,
      fullAtMs: 0,
      window: 0,
      deniedUntilMs: 0,
      deniedCost: 0,
      secondStartedAtMs: nowMs,
      requestsInSecond: 0,
    };
    entries.set(key, entry);
    return entry;
  };

  return {
    decide(key, cost, maxUnits, nowMs) {
      const entry = entryOf(key, nowMs);
      if (nowMs - entry.secondStartedAtMs >= 1_000 || nowMs < entry.secondStartedAtMs) {
        entry.secondStartedAtMs = nowMs;
        entry.requestsInSecond = 0;
      }
      entry.requestsInSecond += 1;
      if (nowMs < entry.deniedUntilMs && cost >= entry.deniedCost)
        return {
          kind: 'denied',
          retryAfterSeconds: Math.ceil((entry.deniedUntilMs - nowMs) / 1_000),
          window: entry.window,
        };
      if (nowMs >= entry.leaseEndsAtMs) entry.units = 0;
      if (entry.units >= cost) {
        entry.units -= cost;
        return {
          kind: 'allowed',
          remaining: entry.remaining + entry.units,
          resetSeconds: Math.max(0, Math.ceil((entry.fullAtMs - nowMs) / 1_000)),
          window: entry.window,
        };
      }
      const busy = entry.requestsInSecond > 1;
      return { kind: 'ask', wantedUnits: busy ? Math.min(maxUnits, entry.requestsInSecond * 2) : 0 };
    },
    note(key, cost, granted, askedAtMs, nowMs) {
      const entry = entryOf(key, nowMs);
      entry.window = granted.window;
      if (!granted.allowed) {
        entry.deniedUntilMs = askedAtMs + granted.retryAfterSeconds * 1_000;
        entry.deniedCost = cost;
        return;
      }
      entry.remaining = granted.remaining;
      entry.fullAtMs = nowMs + granted.resetSeconds * 1_000;
      if (granted.leased === 0) return;
      const left = nowMs < entry.leaseEndsAtMs ? entry.units : 0;
      // Units of two leases end together with the older one: late spending is what a lease must never allow.
      entry.leaseEndsAtMs =
        left > 0 ? Math.min(entry.leaseEndsAtMs, askedAtMs + leaseMs) : askedAtMs + leaseMs;
      entry.units = left + granted.leased;
    },
  };
}
