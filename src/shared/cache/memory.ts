/** Values with an end, at most `maxEntries`; the least recently used goes first. */
export interface MemoryCache<T> {
  get(key: string, nowMs: number): T | undefined;
  set(key: string, value: T, endsAtMs: number): void;
  delete(key: string): void;
  clear(): void;
  readonly size: number;
}

export function createMemoryCache<T>(maxEntries: number): MemoryCache<T> {
  // A Map keeps insertion order, so re-inserting on use makes it an LRU list.
  const entries = new Map<string, { readonly value: T; readonly endsAtMs: number }>();
  return {
    get(key, nowMs) {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      entries.delete(key);
      if (entry.endsAtMs <= nowMs) return undefined;
      entries.set(key, entry);
      return entry.value;
    },
    set(key, value, endsAtMs) {
      entries.delete(key);
      entries.set(key, { value, endsAtMs });
      const [oldest] = entries.keys();
      if (entries.size > maxEntries && oldest !== undefined) entries.delete(oldest);
    },
    delete: (key) => void entries.delete(key),
    clear: () => entries.clear(),
    get size() {
      return entries.size;
    },
  };
}
