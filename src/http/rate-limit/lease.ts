/** What one isolate knows about one caller under one policy. Plain values: shared by all its requests. */
interface Entry {
  units: number;
  leaseEndsAtMs: number;
  remaining: number;
  fullAtMs: number;
  window: number;
  deniedUntilMs: number;
  leaseAskedUntilMs: number;
  secondStartedAtMs: number;
  requestsInSecond: number;
}

export type LocalDecision =
  | {
      readonly kind: 'allowed';
      /** Left in the tightest window, without what is leased. */
      readonly remaining: number;
      /** Requests left in the lease. */
      readonly unitsLeft: number;
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
  /** `key` names a caller and what a request costs them. */
  decide(key: string, maxUnits: number, nowMs: number): LocalDecision;
  /** `askedAtMs`: when the question was sent. A lease ends a second after that, not after the answer came. */
  note(key: string, granted: Granted, askedAtMs: number, nowMs: number): void;
  /** Forgets a denial: something was given back. */
  noteRefund(key: string): void;
}

export const leaseMs = 1_000;

/**
 * Leases and denials held in isolate memory. A caller seen once gets no lease, so quiet callers lose nothing to expiry;
 * a busy one gets about as many units as it used in the last second. A denial is remembered until it can end.
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
      leaseAskedUntilMs: 0,
      secondStartedAtMs: nowMs,
      requestsInSecond: 0,
    };
    entries.set(key, entry);
    return entry;
  };

  return {
    decide(key, maxUnits, nowMs) {
      const entry = entryOf(key, nowMs);
      if (nowMs - entry.secondStartedAtMs >= 1_000 || nowMs < entry.secondStartedAtMs) {
        entry.secondStartedAtMs = nowMs;
        entry.requestsInSecond = 0;
      }
      entry.requestsInSecond += 1;
      if (nowMs >= entry.leaseEndsAtMs) entry.units = 0;
      if (entry.units > 0) {
        entry.units -= 1;
        return {
          kind: 'allowed',
          remaining: entry.remaining,
          unitsLeft: entry.units,
          resetSeconds: Math.max(0, Math.ceil((entry.fullAtMs - nowMs) / 1_000)),
          window: entry.window,
        };
      }
      // After the lease: what is leased was granted, whatever the object said to others meanwhile.
      if (nowMs < entry.deniedUntilMs)
        return {
          kind: 'denied',
          retryAfterSeconds: Math.ceil((entry.deniedUntilMs - nowMs) / 1_000),
          window: entry.window,
        };
      const wants = maxUnits > 0 && entry.requestsInSecond > 1 && nowMs >= entry.leaseAskedUntilMs;
      if (!wants) return { kind: 'ask', wantedUnits: 0 };
      // One at a time: requests that arrive together would lease the quota many times over, and let it expire.
      entry.leaseAskedUntilMs = nowMs + leaseMs;
      return { kind: 'ask', wantedUnits: Math.min(maxUnits, entry.requestsInSecond * 2) };
    },
    note(key, granted, askedAtMs, nowMs) {
      const entry = entryOf(key, nowMs);
      entry.window = granted.window;
      if (!granted.allowed) {
        entry.deniedUntilMs = askedAtMs + granted.retryAfterSeconds * 1_000;
        return;
      }
      entry.remaining = granted.remaining;
      entry.fullAtMs = nowMs + granted.resetSeconds * 1_000;
      if (granted.leased === 0) return;
      entry.leaseAskedUntilMs = 0;
      const left = nowMs < entry.leaseEndsAtMs ? entry.units : 0;
      // Units of two leases end together with the older one: late spending is what a lease must never allow.
      entry.leaseEndsAtMs =
        left > 0 ? Math.min(entry.leaseEndsAtMs, askedAtMs + leaseMs) : askedAtMs + leaseMs;
      entry.units = left + granted.leased;
    },
    noteRefund(key) {
      const entry = entries.get(key);
      if (entry !== undefined) entry.deniedUntilMs = 0;
    },
  };
}
