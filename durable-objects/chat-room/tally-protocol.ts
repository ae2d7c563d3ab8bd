import type { TopEntry } from './top-list.ts';

/** What happened in a room in a minute, or in all of them. */
export interface TallySums {
  readonly messages: number;
  /** Different people who wrote; of all minutes, an estimate. */
  readonly chatters: number;
  readonly positive: number;
  readonly negative: number;
  /** Sum of `sentimentOf` the messages. */
  readonly score: number;
  readonly peakViewers: number;
  /** Time that viewers spent, added up. */
  readonly viewerMs: number;
  /** Time in which anybody looked on. */
  readonly watchedMs: number;
}

export interface MinuteTally extends TallySums {
  /** Its beginning, Unix milliseconds. */
  readonly minute: number;
}

export interface TallyTotals extends TallySums {
  readonly peakAtMs: number | null;
}

/** How a room stands: everything since its beginning, and the minutes that are not in the database for good. */
export interface TallyReport {
  /** How many look on. */
  readonly viewers: number;
  readonly totals: TallyTotals;
  readonly emotes: readonly TopEntry[];
  readonly topChatters: readonly TopEntry[];
  readonly minutes: readonly MinuteTally[];
}

/** The same on its way to the database. Numbers are of the whole room or minute, so a flush may arrive twice; a later one counts. */
export interface TallyFlush extends TallyReport {
  readonly streamId: string;
  readonly seq: number;
  readonly atMs: number;
}

/** Puts a flush into the database. @returns false when there is no such stream any more. */
export type ApplyTally = (flush: TallyFlush) => Promise<boolean>;

export const minuteMs = 60_000;
export const minuteOf = (atMs: number): number => Math.floor(atMs / minuteMs) * minuteMs;
