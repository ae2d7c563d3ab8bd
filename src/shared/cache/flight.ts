/**
 * Keeps requests from loading the same thing at the same time.
 *
 * Within one request they share the promise. Across requests of an isolate they may not: an I/O promise belongs to the
 * request that began it, and dies with it when the client goes away, so a request that awaits another's promise can hang
 * for good. They share a plain note instead, "somebody is loading this until t", and a later request looks again on its own
 * timer until the value is there or the note has run out; then it loads by itself. See docs/decisions.
 */
export interface Flights {
  run<T>(owner: object, key: string, load: () => Promise<T>, peek: () => T | undefined): Promise<T>;
}

const claimMs = 1_000;
const pollMs = 10;
const maxClaims = 1_000;

export function createFlights(now: () => number, sleep: (delayMs: number) => Promise<void>): Flights {
  const byOwner = new WeakMap<object, Map<string, Promise<unknown>>>();
  const claims = new Map<string, number>();

  // A load cut off with its request never takes its note back.
  const forgetEnded = (): void => {
    for (const [key, endsAtMs] of claims) if (endsAtMs <= now()) claims.delete(key);
  };

  const loadClaimed = async <T>(key: string, load: () => Promise<T>): Promise<T> => {
    const endsAtMs = now() + claimMs;
    if (claims.size >= maxClaims) forgetEnded();
    claims.set(key, endsAtMs);
    try {
      return await load();
    } finally {
      if (claims.get(key) === endsAtMs) claims.delete(key);
    }
  };

  const follow = async <T>(key: string, load: () => Promise<T>, peek: () => T | undefined): Promise<T> => {
    const startedAtMs = now();
    // The second bound holds even if the clock stands still or goes back.
    for (let polls = 0; polls < claimMs / pollMs && now() - startedAtMs < claimMs; polls += 1) {
      if ((claims.get(key) ?? 0) <= now()) break;
      await sleep(pollMs);
      const value = peek();
      if (value !== undefined) return value;
    }
    return loadClaimed(key, load);
  };

  return {
    run<T>(owner: object, key: string, load: () => Promise<T>, peek: () => T | undefined): Promise<T> {
      const own = byOwner.get(owner) ?? new Map<string, Promise<unknown>>();
      byOwner.set(owner, own);
      const running = own.get(key) as Promise<T> | undefined;
      if (running !== undefined) return running;
      const flight = follow(key, load, peek).finally(() => own.delete(key));
      own.set(key, flight);
      return flight;
    },
  };
}
