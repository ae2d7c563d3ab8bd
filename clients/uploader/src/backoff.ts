const maxWaitMs = 30_000;

/**
 * How long to wait before attempt `attempt + 1`, in milliseconds: exponential with full jitter
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/), and never less than the server asks for.
 */
export function waitBefore(
  attempt: number,
  options: { readonly baseMs: number; readonly retryAfter: string | null; readonly random: () => number },
): number {
  const ceiling = Math.min(maxWaitMs, options.baseMs * 2 ** Math.min(attempt - 1, 20));
  return Math.max(Math.round(options.random() * ceiling), retryAfterMs(options.retryAfter, Date.now()));
}

/** `Retry-After` (RFC 9110 §10.2.3) in milliseconds, at most five minutes; 0 when there is none that can be read. */
export function retryAfterMs(value: string | null, nowMs: number): number {
  if (value === null) return 0;
  const text = value.trim();
  const waitMs = /^\d{1,9}$/.test(text)
    ? Number(text) * 1_000
    : /^[A-Z][a-z]{2}, .+ GMT$/.test(text)
      ? Date.parse(text) - nowMs
      : 0;
  return Number.isFinite(waitMs) ? Math.min(300_000, Math.max(0, waitMs)) : 0;
}

/** Waits, or ends at once with the signal's reason. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal.addEventListener('abort', stop, { once: true });
  });
}
