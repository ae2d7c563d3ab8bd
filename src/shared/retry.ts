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

export interface RetryBudgetOptions {
  /** Retries earned by each first attempt. */
  readonly share?: number;
  /** Most retries that can be saved up, and how many there are at first. */
  readonly reserve?: number;
  /** Retries earned by time alone, so that a quiet isolate can retry too. */
  readonly perSecond?: number;
  readonly now?: () => number;
}

export function createRetryBudget(options: RetryBudgetOptions = {}): RetryBudget {
  const { share = 0.1, reserve = 10, perSecond = 1, now = Date.now } = options;
  let tokens = reserve;
  let refilledAt = now();
  const earnByTime = (): void => {
    const at = now();
    tokens = Math.min(reserve, tokens + (Math.max(0, at - refilledAt) / 1000) * perSecond);
    refilledAt = at;
  };
  return {
    earn() {
      earnByTime();
      tokens = Math.min(reserve, tokens + share);
    },
    spend() {
      earnByTime();
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
