import type { z } from 'zod';
import { sleep } from '../retry.ts';
import { deleteEdge, readEdge, writeEdge } from './edge.ts';
import { createFlights } from './flight.ts';
import { createMemoryCache } from './memory.ts';
import { type CacheCounters, newCounters, register } from './stats.ts';

export { type CacheStats, cacheStats } from './stats.ts';

/** The parts of a request's context a cache needs. */
export interface CacheScope {
  /** One object for each request; loads of the same request share their promise through it. */
  readonly trace: object;
  readonly config: { readonly auth: { readonly issuer: string } };
  background(task: () => Promise<unknown>): void;
}

export interface CacheOptions<T> {
  /** Unique; names the copies in the Cache API and the metric. Change it when the meaning of values changes. */
  readonly name: string;
  /** Checks copies that come back from the Cache API: an older release may have written them. Values must be JSON. */
  readonly schema: z.ZodType<T>;
  readonly ttlSeconds: number;
  /** How long "there is nothing" is believed. 0: not at all. */
  readonly negativeTtlSeconds: number;
  /** Bound of the isolate's memory. */
  readonly maxEntries: number;
  /** False keeps copies out of the Cache API, for values that are cheap to load or must be forgotten quickly. */
  readonly edge?: boolean;
  readonly now?: () => number;
}

export interface Cache<T> {
  /**
   * The value from isolate memory, else from the Cache API, else from `load`, which is asked once by concurrent readers.
   * Undefined when there is nothing. The value is shared: it is frozen.
   * @throws what `load` threw; failures are never kept.
   */
  get(scope: CacheScope, key: string, load: () => Promise<T | undefined>): Promise<T | undefined>;
  /** Forgets a key here and in this data centre. Elsewhere copies live until their time is over. */
  invalidate(scope: CacheScope, key: string): Promise<void>;
}

type Held<T> = { readonly value: T | undefined };

/** A read-through cache: isolate memory, then Cache API, then the loader. Losing it costs latency and nothing else. */
export function createCache<T>(options: CacheOptions<T>): Cache<T> {
  const { name, schema, edge = true, now = Date.now } = options;
  const memory = createMemoryCache<Held<T>>(options.maxEntries);
  const flights = createFlights(now, sleep);
  const counters: CacheCounters = newCounters();
  register(name, counters, () => memory.size);
  // A load that began before an invalidation may carry the old value; its result is handed out but not kept.
  let generation = 0;

  const hold = (key: string, value: T | undefined, endsAtMs: number): Held<T> => {
    const held = { value: deepFreeze(value) };
    memory.set(key, held, endsAtMs);
    return held;
  };

  const fetchValue = async (
    scope: CacheScope,
    key: string,
    load: () => Promise<T | undefined>,
  ): Promise<Held<T>> => {
    const origin = scope.config.auth.issuer;
    const startedIn = generation;
    if (edge) {
      const copy = await readEdge(origin, name, key, now());
      const parsed = copy?.value === undefined ? undefined : schema.safeParse(copy.value);
      if (copy !== undefined && startedIn === generation && parsed?.success !== false) {
        counters.edgeHits += 1;
        return hold(key, parsed?.data, copy.endsAtMs);
      }
    }
    counters.loads += 1;
    const loaded = await load();
    const ttlSeconds = loaded === undefined ? options.negativeTtlSeconds : spread(options.ttlSeconds);
    if (ttlSeconds <= 0 || startedIn !== generation) return { value: deepFreeze(loaded) };
    // Through JSON, so that the first reader sees what every later one will.
    const text = loaded === undefined ? undefined : JSON.stringify(loaded);
    const value = text === undefined ? undefined : schema.parse(JSON.parse(text));
    const endsAtMs = now() + ttlSeconds * 1_000;
    if (edge)
      scope.background(() => writeEdge(origin, name, key, text, ttlSeconds, endsAtMs).catch(() => undefined));
    return hold(key, value, endsAtMs);
  };

  return {
    async get(scope, key, load) {
      counters.reads += 1;
      const held = memory.get(key, now());
      if (held !== undefined) {
        counters.memoryHits += 1;
        return held.value;
      }
      const peek = () => memory.get(key, now());
      return (await flights.run(scope.trace, key, () => fetchValue(scope, key, load), peek)).value;
    },
    async invalidate(scope, key) {
      generation += 1;
      memory.delete(key);
      if (edge) await deleteEdge(scope.config.auth.issuer, name, key);
    },
  };
}

// Entries made together must not all end together.
const spread = (ttlSeconds: number): number => ttlSeconds * (0.9 + Math.random() * 0.1);

function deepFreeze<V>(value: V): V {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) deepFreeze(part);
  }
  return value;
}
