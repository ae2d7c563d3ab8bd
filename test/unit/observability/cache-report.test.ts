import { z } from '@hono/zod-openapi';
import { expect, it } from 'vitest';
import { reportCaches } from '../../../src/observability/cache-report.ts';
import { createLogger } from '../../../src/observability/logger.ts';
import { createCache } from '../../../src/shared/cache/index.ts';

it('tells the hit rate of a cache that was read, at most once a minute', async () => {
  const lines: string[] = [];
  const log = createLogger('info', {}, (line) => lines.push(line));
  const scope = { trace: {}, config: { auth: { issuer: 'https://api.test' } }, background: () => undefined };
  const cache = createCache<number>({
    name: 'reported',
    schema: z.number(),
    ttlSeconds: 60,
    negativeTtlSeconds: 0,
    maxEntries: 10,
    edge: false,
  });
  createCache<number>({
    name: 'never read',
    schema: z.number(),
    ttlSeconds: 60,
    negativeTtlSeconds: 0,
    maxEntries: 10,
    edge: false,
  });
  for (let read = 0; read < 4; read += 1) await cache.get(scope, 'key', async () => 7);

  const now = Date.now();
  reportCaches(log, now);
  reportCaches(log, now + 59_000);
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    expect.objectContaining({
      event: 'cache.hit_rate',
      cache: 'reported',
      hit_rate: 0.75,
      count: 4,
      entries: 1,
    }),
  ]);
  reportCaches(log, now + 60_000);
  expect(lines).toHaveLength(2);
});
