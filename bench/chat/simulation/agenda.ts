/** What is to happen, by time: a binary heap. */
export interface Agenda {
  at(atMs: number, work: () => void): void;
  /** Carries everything out, in order, up to the end. */
  run(untilMs: number): void;
  now(): number;
}

interface Entry {
  readonly atMs: number;
  readonly order: number;
  readonly work: () => void;
}

export function createAgenda(): Agenda {
  const heap: Entry[] = [];
  let nowMs = 0;
  let order = 0;

  const isBefore = (one: Entry, other: Entry): boolean =>
    one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);

  function rise(entry: Entry): void {
    let index = heap.push(entry) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent] as Entry;
      if (isBefore(above, entry)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = entry;
  }

  function takeFirst(): Entry | undefined {
    const [first] = heap;
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const right = left + 1;
      const one = heap[left];
      if (one === undefined) break;
      const other = heap[right];
      const isRight = other !== undefined && isBefore(other, one);
      const child = isRight ? other : one;
      if (isBefore(last, child)) break;
      heap[index] = child;
      index = isRight ? right : left;
    }
    heap[index] = last;
    return first;
  }

  return {
    at(atMs, work) {
      order += 1;
      rise({ atMs: Math.max(atMs, nowMs), order, work });
    },
    run(untilMs) {
      for (let next = heap[0]; next !== undefined && next.atMs <= untilMs; next = heap[0]) {
        takeFirst();
        nowMs = next.atMs;
        next.work();
      }
      nowMs = untilMs;
    },
    now: () => nowMs,
  };
}

/** The thread of an object: one thing after the other. */
export class Thread {
  #freeAtMs = 0;
  #busyMs = 0;

  /** Does something that came at `nowMs`. @returns when it begins and is done. */
  spend(nowMs: number, costUs: number): { readonly beginMs: number; readonly endMs: number } {
    const beginMs = Math.max(nowMs, this.#freeAtMs);
    this.#freeAtMs = beginMs + costUs / 1_000;
    this.#busyMs += costUs / 1_000;
    return { beginMs, endMs: this.#freeAtMs };
  }

  /** Share of the time it was asked to work; above 1 it falls behind. */
  load(spanMs: number): number {
    return this.#busyMs / spanMs;
  }
}

/** Mulberry32: the same numbers for the same seed. */
export function createChance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}
