import type { Decision, RateWindow } from './gcra.ts';

/** Units taken at one moment. */
export interface LogEntry {
  readonly atMs: number;
  readonly units: number;
}

/** What a decision says of a count, however it is kept. */
export type Verdict = Omit<Decision, 'tat'>;

/** The moment up to which, inclusive, units are out of the window that ends now. */
export const horizonOf = (window: RateWindow, nowMs: number): number => nowMs - window.periodSeconds * 1_000;

/**
 * One decision of the sliding-window log: a cost is allowed when the span of `periodSeconds` that ends now holds at most `limit`
 * with it. So no span of that length ever holds more, wherever it begins; the price is one entry for each moment.
 * @param entries what was taken within the window, the oldest first. If the clock goes back, they count until it has caught up.
 */
export function decideByLog(
  window: RateWindow,
  entries: readonly LogEntry[],
  nowMs: number,
  cost: number,
): Verdict {
  const periodMs = window.periodSeconds * 1_000;
  const taken = entries.reduce((sum, { units }) => sum + units, 0);
  const allowed = taken + cost <= window.limit;
  const last = allowed && cost > 0 ? nowMs : (entries.at(-1)?.atMs ?? horizonOf(window, nowMs));
  return {
    allowed,
    remaining: Math.max(0, window.limit - taken - (allowed ? cost : 0)),
    resetMs: last + periodMs - nowMs,
    retryAfterMs: allowed ? 0 : firstRoomAt(entries, taken + cost - window.limit, taken) + periodMs - nowMs,
  };
}

// When the oldest entries with at least `units` together were taken: one period later there is room.
function firstRoomAt(entries: readonly LogEntry[], units: number, taken: number): number {
  if (units > taken) return Number.POSITIVE_INFINITY;
  let freed = 0;
  for (const entry of entries) {
    freed += entry.units;
    if (freed >= units) return entry.atMs;
  }
  return Number.POSITIVE_INFINITY;
}
