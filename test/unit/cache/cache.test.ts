import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type CacheOptions, cacheStats, createCache } from '../../../src/shared/cache/index.ts';
import { createMemoryCache } from '../../../src/shared/cache/memory.ts';

const schema = z.object({ name: z.string() });
type Value = z.infer<typeof schema>;

/** A request's view of the cache; `settled` waits for its background work. */
function request() {
  const execution = createExecutionContext();
  return {
    trace: {},
    config: { auth: { issuer: 'https://api.test' } },
    background: (task: () => Promise<unknown>) => execution.waitUntil(task()),
    settled: () => waitOnExecutionContext(execution),
  };
}

function setUp(options: Partial<CacheOptions<Value>> = {}) {
  const name = options.name ?? `test-${crypto.randomUUID()}`;
  let nowMs = Date.now();
  const full: CacheOptions<Value> = {
    name,
    schema,
    ttlSeconds: 60,
    negativeTtlSeconds: 10,
    maxEntries: 100,
    now: () => nowMs,
    ...options,
  };
  let loads = 0;
  return {
    name,
    cache: createCache(full),
    /** The same cache as another isolate of this data centre sees it. */
    elsewhere: () => createCache(full),
    pass: (seconds: number) => {
      nowMs += seconds * 1_000;
    },
    get loads() {
      return loads;
    },
    load:
      (value: Value | undefined = { name: 'ada' }) =>
      async () => {
        loads += 1;
        await new Promise((resolve) => setTimeout(resolve, 5));
        return value;
      },
  };
}

describe('the cache', () => {
  it('loads once and answers from memory until the time is over', async () => {
    const test = setUp({ edge: false });
    const scope = request();
    expect(await test.cache.get(scope, 'k', test.load())).toEqual({ name: 'ada' });
    expect(await test.cache.get(request(), 'k', test.load({ name: 'new' }))).toEqual({ name: 'ada' });
    test.pass(61);
    expect(await test.cache.get(request(), 'k', test.load({ name: 'new' }))).toEqual({ name: 'new' });
    expect(test.loads).toBe(2);
  });

  it('finds what another isolate of the data centre loaded', async () => {
    const test = setUp();
    const scope = request();
    await test.cache.get(scope, 'k/ü?', test.load());
    await scope.settled();
    expect(await test.elsewhere().get(request(), 'k/ü?', test.load({ name: 'other' }))).toEqual({
      name: 'ada',
    });
    expect(test.loads).toBe(1);
  });

  it('does not believe a copy that is over, or has another shape', async () => {
    const test = setUp();
    const scope = request();
    await test.cache.get(scope, 'k', test.load());
    await scope.settled();
    const stricter = createCache({
      name: test.name,
      schema: z.object({ name: z.number() }),
      ttlSeconds: 60,
      negativeTtlSeconds: 0,
      maxEntries: 10,
    });
    expect(await stricter.get(request(), 'k', async () => ({ name: 7 }))).toEqual({ name: 7 });
    test.pass(61);
    expect(await test.elsewhere().get(request(), 'k', test.load({ name: 'new' }))).toEqual({ name: 'new' });
  });

  it('remembers that there is nothing, for a shorter time', async () => {
    const test = setUp();
    const scope = request();
    const nothing = test.load(undefined);
    const loadNothing = async () => {
      await nothing();
      return undefined;
    };
    expect(await test.cache.get(scope, 'k', loadNothing)).toBeUndefined();
    await scope.settled();
    expect(await test.cache.get(request(), 'k', loadNothing)).toBeUndefined();
    expect(await test.elsewhere().get(request(), 'k', loadNothing)).toBeUndefined();
    expect(test.loads).toBe(1);
    test.pass(11);
    expect(await test.cache.get(request(), 'k', test.load())).toEqual({ name: 'ada' });
  });

  it('asks the loader once for all readers of one request', async () => {
    const test = setUp();
    const scope = request();
    const values = await Promise.all(
      Array.from({ length: 20 }, () => test.cache.get(scope, 'k', test.load())),
    );
    expect(test.loads).toBe(1);
    expect(new Set(values).size).toBe(1);
  });

  it('asks the loader once for readers of different requests', async () => {
    const test = setUp({ edge: false, now: Date.now });
    await Promise.all(Array.from({ length: 20 }, () => test.cache.get(request(), 'k', test.load())));
    expect(test.loads).toBe(1);
  });

  it('does not wait for good when the request that began to load was cancelled', async () => {
    const test = setUp({ edge: false, now: Date.now });
    void test.cache.get(request(), 'k', () => new Promise<never>(() => undefined));
    expect(await test.cache.get(request(), 'k', test.load())).toEqual({ name: 'ada' });
  });

  it('loads again after a failure, in the same request and in others that waited', async () => {
    const test = setUp({ edge: false, now: Date.now });
    const scope = request();
    const failing = async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      throw new Error('database down');
    };
    const [failed, waited] = await Promise.allSettled([
      test.cache.get(scope, 'k', failing),
      test.cache.get(request(), 'k', test.load()),
    ]);
    expect(failed).toMatchObject({ status: 'rejected' });
    expect(waited).toMatchObject({ status: 'fulfilled', value: { name: 'ada' } });
    expect(await test.cache.get(scope, 'k', failing)).toEqual({ name: 'ada' });
  });

  it('forgets what was invalidated, here and in the data centre', async () => {
    const test = setUp();
    const scope = request();
    await test.cache.get(scope, 'k', test.load());
    await scope.settled();
    await test.cache.invalidate(scope, 'k');
    expect(await test.cache.get(request(), 'k', test.load({ name: 'new' }))).toEqual({ name: 'new' });
  });

  it('does not keep what was being loaded while it was invalidated', async () => {
    const test = setUp({ edge: false });
    let finish: (value: Value) => void = () => undefined;
    const reading = test.cache.get(
      request(),
      'k',
      () =>
        new Promise((resolve) => {
          finish = resolve;
        }),
    );
    await test.cache.invalidate(request(), 'k');
    finish({ name: 'old' });
    expect(await reading).toEqual({ name: 'old' });
    expect(await test.cache.get(request(), 'k', test.load({ name: 'new' }))).toEqual({ name: 'new' });
  });

  it('hands out values nobody can change for the others', async () => {
    const test = setUp();
    const value = await test.cache.get(request(), 'k', test.load());
    expect(() => Object.assign(value ?? {}, { name: 'eve' })).toThrow(TypeError);
  });

  it('gives the first reader what later ones get', async () => {
    const cache = createCache({
      name: `test-${crypto.randomUUID()}`,
      schema: z.object({ at: z.string() }),
      ttlSeconds: 60,
      negativeTtlSeconds: 0,
      maxEntries: 10,
    });
    const at = new Date(0);
    const load = async () => ({ at }) as unknown as { at: string };
    expect(await cache.get(request(), 'k', load)).toEqual({ at: at.toISOString() });
  });

  it('counts what it saved', async () => {
    const test = setUp();
    const scope = request();
    await test.cache.get(scope, 'k', test.load());
    await scope.settled();
    for (let count = 0; count < 3; count += 1) await test.cache.get(request(), 'k', test.load());
    expect(cacheStats().find(({ name }) => name === test.name)).toEqual({
      name: test.name, entries: 1, hitRate: 0.75, reads: 4, memoryHits: 3, edgeHits: 0, loads: 1,
    }); // biome-ignore format: one record
  });
});

describe('isolate memory', () => {
  it('holds no more than its bound and lets the least recently used go', () => {
    const memory = createMemoryCache<number>(2);
    memory.set('a', 1, 100);
    memory.set('b', 2, 100);
    memory.get('a', 0);
    memory.set('c', 3, 100);
    expect([memory.get('a', 0), memory.get('b', 0), memory.get('c', 0)]).toEqual([1, undefined, 3]);
    expect(memory.size).toBe(2);
    expect(memory.get('a', 100)).toBeUndefined();
  });
});
