export interface CacheCounters {
  reads: number;
  memoryHits: number;
  edgeHits: number;
  /** Times the loader was asked. Reads that joined another's load are counted in none of the three. */
  loads: number;
}

export interface CacheStats extends Readonly<CacheCounters> {
  readonly name: string;
  readonly entries: number;
  /** Share of reads the loader was not asked for; 0 before the first read. */
  readonly hitRate: number;
}

const registry = new Map<string, { readonly counters: CacheCounters; readonly size: () => number }>();

export const newCounters = (): CacheCounters => ({ reads: 0, memoryHits: 0, edgeHits: 0, loads: 0 });

export function register(name: string, counters: CacheCounters, size: () => number): void {
  registry.set(name, { counters, size });
}

/** What every cache of this isolate has done since it started. */
export const cacheStats = (): CacheStats[] =>
  [...registry].map(([name, { counters, size }]) => ({
    name,
    entries: size(),
    hitRate: counters.reads === 0 ? 0 : 1 - counters.loads / counters.reads,
    ...counters,
  }));
