/**
 * At most `limit` units in `periodSeconds` on average, and at most `burst` (default: `limit`) at one moment. When `strict`, never
 * more than `limit` in any span of `periodSeconds`, at the price of remembering when each unit was taken.
 */
export interface RateWindow {
  readonly limit: number;
  readonly periodSeconds: number;
  readonly burst?: number;
  readonly strict?: boolean;
}

/**
 * A window in whole numbers: time is counted in ticks of `1 / ticksPerMs` ms, chosen so that one unit refills in exactly
 * `intervalTicks`. No rounding ever happens, so a decision does not depend on how many came before it.
 */
export interface Meter {
  readonly ticksPerMs: number;
  readonly intervalTicks: number;
  readonly burst: number;
}

/** Highest `ticksPerMs` with which Unix time stays a safe integer until the year 2200. */
const maxTicksPerMs = 1_000;

/** @throws RangeError when a number is not positive and whole, or the window cannot be counted exactly. */
export function meterOf(window: RateWindow): Meter {
  const { limit, periodSeconds, burst = limit } = window;
  for (const [name, value] of Object.entries({ limit, periodSeconds, burst }))
    if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`${name} must be a positive integer`);
  const periodMs = periodSeconds * 1_000;
  const divisor = greatestCommonDivisor(periodMs, limit);
  const meter = { ticksPerMs: limit / divisor, intervalTicks: periodMs / divisor, burst };
  if (meter.ticksPerMs > maxTicksPerMs || burst * meter.intervalTicks > Number.MAX_SAFE_INTEGER / 4)
    throw new RangeError(`${limit} in ${periodSeconds} s cannot be counted exactly`);
  return meter;
}

export interface Decision {
  readonly allowed: boolean;
  /** The theoretical arrival time to store, in ticks; unchanged from the stored one when denied. */
  readonly tat: number;
  /** Units that could be taken now, after this decision. */
  readonly remaining: number;
  /** Milliseconds until the whole burst is available again. */
  readonly resetMs: number;
  /** Milliseconds until the same cost could be allowed; 0 when allowed. Infinity when it never can be. */
  readonly retryAfterMs: number;
}

/**
 * One decision of the generic cell rate algorithm (ITU-T I.371, "virtual scheduling"). State is one number, the
 * theoretical arrival time. In any span of t ms at most `burst + t * ticksPerMs / intervalTicks` units are allowed.
 * @param stored the stored theoretical arrival time in ticks, or undefined for a fresh key.
 */
export function decide(meter: Meter, stored: number | undefined, nowMs: number, cost: number): Decision {
  const now = nowMs * meter.ticksPerMs;
  const tolerance = meter.burst * meter.intervalTicks;
  const tat = effectiveTat(meter, stored, now);
  const next = tat + cost * meter.intervalTicks;
  const allowed = next - now <= tolerance;
  const kept = allowed ? next : tat;
  return {
    allowed,
    tat: kept,
    remaining: Math.floor((tolerance - (kept - now)) / meter.intervalTicks),
    resetMs: (kept - now) / meter.ticksPerMs,
    retryAfterMs: allowed
      ? 0
      : cost > meter.burst
        ? Number.POSITIVE_INFINITY
        : (next - now - tolerance) / meter.ticksPerMs,
  };
}

/** How many units can be leased for `leaseMs` on top of a decision. */
export function leasable(meter: Meter, tat: number, nowMs: number, leaseMs: number): number {
  const now = nowMs * meter.ticksPerMs;
  const room = meter.burst * meter.intervalTicks - (leaseStart(meter, tat, nowMs, leaseMs) - now);
  return Math.max(0, Math.floor(room / meter.intervalTicks));
}

/** The theoretical arrival time after leasing `units` out. */
export const afterLease = (
  meter: Meter,
  tat: number,
  nowMs: number,
  leaseMs: number,
  units: number,
): number => leaseStart(meter, tat, nowMs, leaseMs) + units * meter.intervalTicks;

/** The theoretical arrival time after taking back `units` of what was charged. */
export const afterGivingBack = (meter: Meter, stored: number, nowMs: number, units: number): number => {
  const now = nowMs * meter.ticksPerMs;
  return Math.max(now, effectiveTat(meter, stored, now) - units * meter.intervalTicks);
};

// Leased units may be spent as late as the lease ends. Charging them from that moment keeps the bound of `decide` for
// whatever moment they are really spent at; charging them from now would let a refill of leaseMs slip in on top.
const leaseStart = (meter: Meter, tat: number, nowMs: number, leaseMs: number): number =>
  Math.max(tat, (nowMs + leaseMs) * meter.ticksPerMs);

// A stored time beyond now + burst can only mean that the clock went back. Taking it as "all spent" never admits too
// much and locks a key for one refill instead of for the size of the jump.
function effectiveTat(meter: Meter, stored: number | undefined, now: number): number {
  if (stored === undefined || stored < now) return now;
  return Math.min(stored, now + meter.burst * meter.intervalTicks);
}

function greatestCommonDivisor(a: number, b: number): number {
  let [left, right] = [a, b];
  while (right !== 0) [left, right] = [right, left % right];
  return left;
}
