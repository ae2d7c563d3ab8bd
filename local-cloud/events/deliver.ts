import type { ApiDestination, EventBridgeEvent } from './types.ts';

const MAX_RETRY_AFTER_MS = 86_400_000;

/**
 * What came of one delivery attempt. `retry` says whether EventBridge would try again: it does for 429, 5xx, timeouts
 * and connection failures, and gives up on every other answer. `counted` is false when nobody was listening.
 */
export type Outcome =
  | { delivered: true }
  | { delivered: false; retry: boolean; counted: boolean; retryAfterMs: number | undefined; reason: string };

/** POSTs one event to the API destination, secret headers included, within the deadline. Redirects are not followed. */
export async function deliver(
  target: ApiDestination,
  event: EventBridgeEvent,
  timeoutMs: number,
  closing: AbortSignal,
): Promise<Outcome> {
  const deadline = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(target.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json; charset=utf-8',
        'user-agent': 'Amazon/EventBridge/ApiDestinations',
        ...target.headers,
      },
      body: JSON.stringify(event),
      redirect: 'manual',
      signal: AbortSignal.any([deadline, closing]),
    });
    // Read, since giving a body up closes the connection, which workerd reports as an error of its own.
    await response.arrayBuffer().catch(() => undefined);
    if (response.status >= 200 && response.status < 300) return { delivered: true };
    return {
      delivered: false,
      retry: response.status === 429 || response.status >= 500,
      counted: true,
      retryAfterMs: retryAfterMs(response.headers.get('retry-after')),
      reason: `HTTP ${response.status}`,
    };
  } catch (error) {
    const timedOut = deadline.aborted;
    const reason = timedOut ? `no answer within ${timeoutMs} ms` : connectionProblem(error);
    return { delivered: false, retry: true, counted: timedOut, retryAfterMs: undefined, reason };
  }
}

/** `Retry-After` as seconds or as an HTTP date (RFC 9110 §10.2.3). */
function retryAfterMs(header: string | null): number | undefined {
  if (header === null) return undefined;
  const waitMs = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(0, waitMs), MAX_RETRY_AFTER_MS);
}

function connectionProblem(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (cause instanceof Error && 'code' in cause) return String(cause.code);
  return cause instanceof Error ? cause.message : String(cause);
}
