import type { RateWindow } from '../../../durable-objects/rate-limiter/gcra.ts';
import type { CountStore } from '../../../durable-objects/rate-limiter/store.ts';

/** What a limiter stores, in memory, and everything in it as text. */
export function memoryStore(): CountStore & { readonly content: () => string } {
  const arrivals = new Map<string, number>();
  const takes = new Map<string, Map<number, number>>();
  const name = (key: string, window: RateWindow) => `${key}/${window.limit}/${window.periodSeconds}`;
  const entriesOf = (key: string, window: RateWindow) => {
    const entries = takes.get(name(key, window)) ?? new Map<number, number>();
    takes.set(name(key, window), entries);
    return entries;
  };
  return {
    content: () =>
      JSON.stringify([
        [...arrivals],
        [...takes].flatMap(([key, entries]) => [...entries].map((entry) => [key, entry])),
      ]),
    arrivals: {
      read: (key, window) => arrivals.get(name(key, window)),
      write: (key, window, tat) => void arrivals.set(name(key, window), tat),
    },
    log: {
      since: (key, window, afterMs) =>
        [...entriesOf(key, window)]
          .filter(([atMs]) => atMs > afterMs)
          .sort(([a], [b]) => a - b)
          .map(([atMs, units]) => ({ atMs, units })),
      add(key, window, atMs, units) {
        const entries = entriesOf(key, window);
        entries.set(atMs, (entries.get(atMs) ?? 0) + units);
      },
      remove(key, window, atMs, units) {
        const entries = entriesOf(key, window);
        const kept = (entries.get(atMs) ?? 0) - units;
        if (kept > 0) entries.set(atMs, kept);
        else entries.delete(atMs);
      },
    },
  };
}
