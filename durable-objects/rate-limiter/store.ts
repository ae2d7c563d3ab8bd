import type { RateWindow } from './gcra.ts';
import type { LogEntry } from './sliding-log.ts';

/** Theoretical arrival times by key and window. */
export interface ArrivalStore {
  read(key: string, window: RateWindow): number | undefined;
  /** `fullAtMs`: when the row means the same as no row. */
  write(key: string, window: RateWindow, tatTicks: number, fullAtMs: number): void;
}

/** What was taken of strict windows, by key, window and moment. */
export interface LogStore {
  /** The entries later than `afterMs`, the oldest first. */
  since(key: string, window: RateWindow, afterMs: number): readonly LogEntry[];
  /** Adds to what was taken at that moment. */
  add(key: string, window: RateWindow, atMs: number, units: number): void;
  /** Takes away from what was taken at that moment, at most all of it. */
  remove(key: string, window: RateWindow, atMs: number, units: number): void;
}

export interface CountStore {
  readonly arrivals: ArrivalStore;
  readonly log: LogStore;
}

/** Counts in SQLite. */
export interface SqlCountStore extends CountStore {
  /** Forgets up to `limit` rows of each kind that count no more, the oldest first. */
  prune(nowMs: number, limit: number): void;
  /** When the next row can be forgotten, or undefined when there is none. */
  nextFullAt(): number | undefined;
}

export const createCountStore = (sql: SqlStorage): SqlCountStore => ({
  arrivals: createArrivalStore(sql),
  log: createLogStore(sql),
  prune(nowMs, limit) {
    sql.exec(
      `DELETE FROM arrivals WHERE (key, quota, period_seconds) IN
         (SELECT key, quota, period_seconds FROM arrivals WHERE full_at_ms <= ? ORDER BY full_at_ms LIMIT ?)`,
      nowMs,
      limit,
    );
    sql.exec(
      `DELETE FROM takes WHERE (key, period_seconds, at_ms) IN
         (SELECT key, period_seconds, at_ms FROM takes WHERE out_at_ms <= ? ORDER BY out_at_ms LIMIT ?)`,
      nowMs,
      limit,
    );
  },
  nextFullAt() {
    const { at } = sql
      .exec<{ at: number | null }>(
        `SELECT min(at) AS at FROM
           (SELECT min(full_at_ms) AS at FROM arrivals UNION ALL SELECT min(out_at_ms) FROM takes)`,
      )
      .one();
    return at ?? undefined;
  },
});

const createArrivalStore = (sql: SqlStorage): ArrivalStore => ({
  read(key, window) {
    const [row] = sql
      .exec<{ tat_ticks: number }>(
        'SELECT tat_ticks FROM arrivals WHERE key = ? AND quota = ? AND period_seconds = ?',
        key,
        window.limit,
        window.periodSeconds,
      )
      .toArray();
    return row?.tat_ticks;
  },
  write(key, window, tatTicks, fullAtMs) {
    sql.exec(
      `INSERT INTO arrivals (key, quota, period_seconds, tat_ticks, full_at_ms) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET tat_ticks = excluded.tat_ticks, full_at_ms = excluded.full_at_ms`,
      key,
      window.limit,
      window.periodSeconds,
      tatTicks,
      fullAtMs,
    );
  },
});

const createLogStore = (sql: SqlStorage): LogStore => ({
  since: (key, window, afterMs) =>
    sql
      .exec<{ atMs: number; units: number }>(
        'SELECT at_ms AS atMs, units FROM takes WHERE key = ? AND period_seconds = ? AND at_ms > ? AND units > 0 ORDER BY at_ms',
        key,
        window.periodSeconds,
        afterMs,
      )
      .toArray(),
  add(key, { periodSeconds }, atMs, units) {
    sql.exec(
      `INSERT INTO takes (key, period_seconds, at_ms, units, out_at_ms) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET units = units + excluded.units`,
      key,
      periodSeconds,
      atMs,
      units,
      atMs + periodSeconds * 1_000,
    );
  },
  remove(key, { periodSeconds }, atMs, units) {
    sql.exec(
      'UPDATE takes SET units = max(0, units - ?) WHERE key = ? AND period_seconds = ? AND at_ms = ?',
      units,
      key,
      periodSeconds,
      atMs,
    );
  },
});
