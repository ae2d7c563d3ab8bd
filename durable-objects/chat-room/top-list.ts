export interface TopEntry {
  readonly key: string;
  readonly count: number;
  /** By how much `count` may be too high. */
  readonly over: number;
}

/**
 * What comes most often, in bounded space: Space-Saving (Metwally, Agrawal, El Abbadi 2005). Exact while there are no more keys
 * than it holds; beyond, whatever makes up more than 1/capacity of all is among them.
 */
export interface TopList {
  add(key: string): void;
  /** The most frequent first. */
  entries(): TopEntry[];
}

export function createTopList(capacity: number, known: readonly TopEntry[]): TopList {
  const held = new Map(known.map(({ key, count, over }) => [key, { count, over }]));

  function least(): readonly [string, number] {
    let found: readonly [string, number] = ['', Number.POSITIVE_INFINITY];
    for (const [key, { count }] of held) if (count < found[1]) found = [key, count];
    return found;
  }

  return {
    add(key) {
      const entry = held.get(key);
      if (entry !== undefined) entry.count += 1;
      else if (held.size < capacity) held.set(key, { count: 1, over: 0 });
      else {
        // It takes the place of the rarest, and may have come as often before without being held.
        const [rarest, count] = least();
        held.delete(rarest);
        held.set(key, { count: count + 1, over: count });
      }
    },
    entries: () =>
      [...held]
        .map(([key, { count, over }]) => ({ key, count, over }))
        .toSorted((one, other) => other.count - one.count || (one.key < other.key ? -1 : 1)),
  };
}
