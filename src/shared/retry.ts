/**
 * Caps retries at a share of all attempts, so that an ailing dependency is not buried under them
 * (Google SRE book, ch. 21 "Handling Overload"). One per dependency and isolate.
 */
export interface RetryBudget {
  /** Notes a first attempt. */
  earn(): void;
  /** Takes one retry; false when the budget is spent. */
  spend(): boolean;
}

export function createRetryBudget(share = 0.1, reserve = 10): RetryBudget {
  let tokens = reserve;
  return {
    earn() {
      tokens = Math.min(reserve, tokens + share);
    },
    spend() {
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
  };
}

/** Full-jitter exponential backoff: a random delay up to `baseMs * 2^attempt`, at most `capMs`. */
export const backoffMs = (
  attempt: number,
  baseMs = 50,
  capMs = 2_000,
  random: () => number = Math.random,
): number => Math.floor(random() * Math.min(capMs, baseMs * 2 ** attempt));

export const sleep = (delayMs: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, delayMs));
