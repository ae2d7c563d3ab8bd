import type { LogItem } from '../chat-room/protocol.ts';
import { batchFrame } from './protocol.ts';

/** What a batch comes to for those who have no part in it, and what it leaves out. */
export interface Thinned {
  readonly frame: string;
  readonly omitted: readonly LogItem[];
}

/**
 * Makes a frame of a batch in which at most `readable` ordinary messages stand. What is kept for everybody stays; of the rest,
 * evenly spread ones. `also`: what this viewer gets beside that.
 */
export function thin(
  items: readonly LogItem[],
  after: number,
  readable: number,
  also: (item: LogItem) => boolean = () => false,
): Thinned {
  const ordinary = items.filter(({ isKept }) => !isKept).length;
  const chosen = new Set<LogItem>();
  let seen = 0;
  for (const item of items) {
    if (item.isKept) chosen.add(item);
    else {
      // Where the share of messages passes the next whole number, one stands.
      const isChosen =
        ordinary <= readable ||
        Math.floor(((seen + 1) * readable) / ordinary) > Math.floor((seen * readable) / ordinary);
      if (isChosen || also(item)) chosen.add(item);
      seen += 1;
    }
  }
  const shown = items.filter((item) => chosen.has(item));
  return {
    frame: batchFrame(
      after + 1,
      items.at(-1)?.seq ?? after,
      shown.map(({ text }) => text),
      rangesOf(items.filter((item) => !chosen.has(item)).map(({ seq }) => seq)),
    ),
    omitted: items.filter((item) => !chosen.has(item)),
  };
}

/** Runs of consecutive numbers, as `[first, last]`. */
export function rangesOf(numbers: readonly number[]): [number, number][] {
  const ranges: [number, number][] = [];
  for (const number of numbers) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === number - 1) last[1] = number;
    else ranges.push([number, number]);
  }
  return ranges;
}
