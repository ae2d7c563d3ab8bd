/** Delays after each failed attempt (Standard Webhooks 1.0.0, "Deliverability and reliability"), in seconds. */
const retrySeconds = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400] as const;

/** Attempts a delivery gets unless one succeeds; the last is about 76 hours after the first. */
export const maxAttempts = retrySeconds.length + 1;

// So that what failed together does not come back together.
const jitterShare = 0.1;
const maxRetryAfterSeconds = 86_400;

/**
 * Milliseconds until the next attempt after `attempts` that failed; undefined when there is none. An endpoint that asks for
 * more time with `Retry-After` gets it, up to a day.
 */
export function retryDelayMs(
  attempts: number,
  retryAfterSeconds: number | undefined,
  random: () => number = Math.random,
): number | undefined {
  const seconds = retrySeconds[attempts - 1];
  if (seconds === undefined) return undefined;
  const scheduled = seconds * (1 + jitterShare * random());
  return Math.round(1_000 * Math.max(scheduled, Math.min(retryAfterSeconds ?? 0, maxRetryAfterSeconds)));
}
