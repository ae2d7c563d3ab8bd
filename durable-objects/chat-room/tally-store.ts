import { emptySketch } from '../sketch.ts';
import type { MinuteTally } from './tally-protocol.ts';
import type { TopEntry } from './top-list.ts';

/** What a tally must remember beside its minutes. */
export interface TallyState {
  /** Number of the last event of the log that is counted. */
  seq: number;
  /** Number of the last flush. */
  flush: number;
  flushDueAtMs: number | null;
  owesSummary: boolean;
  messages: number;
  positive: number;
  negative: number;
  score: number;
  peakViewers: number;
  peakAtMs: number | null;
  viewerMs: number;
  watchedMs: number;
  /** How many looked on at `viewersAtMs`. */
  viewers: number;
  viewersAtMs: number;
  /** What the provider of the video counted last. */
  provider: { readonly count: number; readonly atMs: number } | null;
}

export type Minute = { -readonly [Key in keyof MinuteTally]: MinuteTally[Key] };

export interface TallyLists {
  readonly emotes: readonly TopEntry[];
  readonly chatters: readonly TopEntry[];
}

/** Where a tally is kept through sleep. */
export interface TallyStore {
  state(): TallyState;
  saveState(state: TallyState): void;
  lists(): TallyLists;
  saveLists(lists: TallyLists): void;
  /** Of all who wrote. */
  sketch(): Uint8Array;
  saveSketch(sketch: Uint8Array): void;
  minutes(): Minute[];
  saveMinute(minute: Minute): void;
  dropMinutesBefore(minute: number): void;
}

export const emptyMinute = (minute: number): Minute => ({
  minute,
  messages: 0,
  chatters: 0,
  positive: 0,
  negative: 0,
  score: 0,
  peakViewers: 0,
  viewerMs: 0,
  watchedMs: 0,
});

const emptyState: TallyState = {
  seq: 0,
  flush: 0,
  flushDueAtMs: null,
  owesSummary: false,
  messages: 0,
  positive: 0,
  negative: 0,
  score: 0,
  peakViewers: 0,
  peakAtMs: null,
  viewerMs: 0,
  watchedMs: 0,
  viewers: 0,
  viewersAtMs: 0,
  provider: null,
};

export function createTallyStore(sql: SqlStorage): TallyStore {
  const value = (name: string): string | ArrayBuffer | undefined =>
    sql.exec<{ value: string | ArrayBuffer }>('SELECT value FROM tally WHERE name = ?', name).toArray()[0]
      ?.value;
  const save = (name: string, saved: string | Uint8Array): void => {
    sql.exec(
      'INSERT INTO tally (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
      name,
      saved,
    );
  };
  const json = <T>(name: string, otherwise: T): T => {
    const text = value(name);
    return typeof text === 'string' ? (JSON.parse(text) as T) : otherwise;
  };
  return {
    state: () => json('state', { ...emptyState }),
    saveState: (state) => save('state', JSON.stringify(state)),
    lists: () => json<TallyLists>('lists', { emotes: [], chatters: [] }),
    saveLists: (lists) => save('lists', JSON.stringify(lists)),
    sketch() {
      const bytes = value('sketch');
      return bytes === undefined || typeof bytes === 'string' ? emptySketch() : new Uint8Array(bytes);
    },
    saveSketch: (sketch) => save('sketch', sketch),
    minutes: () =>
      sql
        .exec<Record<keyof Minute, number>>(
          `SELECT minute, messages, chatters, positive, negative, score, peak_viewers AS peakViewers,
             viewer_ms AS viewerMs, watched_ms AS watchedMs FROM tally_minutes ORDER BY minute`,
        )
        .toArray(),
    saveMinute(minute) {
      sql.exec(
        'INSERT OR REPLACE INTO tally_minutes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
        minute.minute,
        minute.messages,
        minute.chatters,
        minute.positive,
        minute.negative,
        minute.score,
        minute.peakViewers,
        minute.viewerMs,
        minute.watchedMs,
      );
    },
    dropMinutesBefore(minute) {
      sql.exec('DELETE FROM tally_minutes WHERE minute < ?', minute);
    },
  };
}
