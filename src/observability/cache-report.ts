import { cacheStats } from '../shared/cache/index.ts';
import type { Logger } from './logger.ts';

const everyMs = 60_000;
let reportedAtMs = 0;

/** Writes the hit rate of each cache this isolate has read from, at most once a minute. Counters run since the isolate began. */
export function reportCaches(log: Logger, nowMs: number): void {
  if (nowMs - reportedAtMs < everyMs) return;
  reportedAtMs = nowMs;
  for (const { name, reads, hitRate, entries } of cacheStats())
    if (reads > 0)
      log.log('info', 'cache.hit_rate', { cache: name, hit_rate: hitRate, count: reads, entries });
}
