import type { Lock } from '../../durable-objects/lock/lock.ts';
import { callDurableObject } from '../shared/durable-object-call.ts';

export interface LockOptions {
  /** How long the lock outlives a crashed holder. It is renewed while the work runs. */
  readonly ttlMs: number;
  /** How long to stand in line; default 0: skip when somebody else works. */
  readonly waitMs?: number;
}

export type LockOutcome<T> =
  | { readonly acquired: true; readonly value: T }
  | { readonly acquired: false; readonly expiresAt: number };

/**
 * Runs `work` while holding the named lock, or not at all. `work` gets the fencing token to store beside what it writes,
 * and a signal that fires when the lock is lost (for example after a long pause of this isolate).
 */
export async function withLock<T>(
  namespace: DurableObjectNamespace<Lock>,
  name: string,
  options: LockOptions,
  work: (fencingToken: number, lost: AbortSignal) => Promise<T>,
): Promise<LockOutcome<T>> {
  const owner = crypto.randomUUID();
  const grant = await callDurableObject(namespace, name, (lock) => lock.acquire({ owner, ...options }));
  if (!grant.acquired) return grant;
  const { fencingToken } = grant;
  const lost = new AbortController();
  const done = new AbortController();
  const renewing = keepRenewed(
    namespace,
    name,
    { owner, fencingToken, ttlMs: options.ttlMs },
    lost,
    done.signal,
  );
  try {
    return { acquired: true, value: await work(fencingToken, lost.signal) };
  } finally {
    done.abort();
    await renewing;
    // A failed release only delays the next holder until the grant runs out.
    await callDurableObject(namespace, name, (lock) => lock.release({ owner, fencingToken })).catch(
      () => undefined,
    );
  }
}

async function keepRenewed(
  namespace: DurableObjectNamespace<Lock>,
  name: string,
  grant: { readonly owner: string; readonly fencingToken: number; readonly ttlMs: number },
  lost: AbortController,
  done: AbortSignal,
): Promise<void> {
  for (;;) {
    await pause(grant.ttlMs / 3, done);
    if (done.aborted) return;
    try {
      const { renewed } = await callDurableObject(namespace, name, (lock) => lock.renew(grant));
      if (!renewed) return lost.abort();
    } catch {
      // The next round tries again; if none succeeds in time, that round finds the grant gone.
    }
  }
}

const pause = (delayMs: number, done: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, delayMs);
    const stop = () => {
      clearTimeout(timer);
      resolve();
    };
    if (done.aborted) stop();
    else done.addEventListener('abort', stop, { once: true });
  });
