import { backoffMs, sleep } from './retry.ts';

interface DurableObjectError {
  readonly retryable?: boolean;
  readonly overloaded?: boolean;
}

/** Whether the same call may succeed when made again: the object moved or restarted, and is not drowning in calls. */
export function isRetryable(error: unknown): boolean {
  const { retryable, overloaded } = (
    typeof error === 'object' && error !== null ? error : {}
  ) as DurableObjectError;
  return retryable === true && overloaded !== true;
}

/**
 * Calls a Durable Object by name, again after transient failures. A stub that threw stays broken, so each attempt makes
 * its own; the call may take effect more than once and must be idempotent.
 * https://developers.cloudflare.com/durable-objects/best-practices/error-handling/
 */
export async function callDurableObject<T extends Rpc.DurableObjectBranded | undefined, P>(
  namespace: DurableObjectNamespace<T>,
  name: string,
  call: (stub: DurableObjectStub<T>) => P,
  attempts = 3,
): Promise<Awaited<P>> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call(namespace.getByName(name));
    } catch (error) {
      if (attempt >= attempts || !isRetryable(error)) throw error;
      await sleep(backoffMs(attempt));
    }
  }
}
