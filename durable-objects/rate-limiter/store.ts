import type { RateWindow } from './gcra.ts';

/** Theoretical arrival times by key and window, in SQLite. */
export interface ArrivalStore {
  read(key: string, window: RateWindow): number | undefined;
  /** `fullAtMs`: when the row means the same as no row. */
  write(key: string, window: RateWindow, tatTicks: number, fullAtMs: number): void;
  /** Forgets up to `limit` rows that are full again, the oldest first. */
  prune(nowMs: number, limit: number): void;
  /** When the next row can be forgotten, or undefined when there is none. */
  nextFullAt(): number | undefined;
}

export function createArrivalStore(sql: SqlStorage): ArrivalStore {
  return {
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
    prune(nowMs, limit) {
      sql.exec(
        `DELETE FROM arrivals WHERE (key, quota, period_seconds) IN
           (SELECT key, quota, period_seconds FROM arrivals WHERE full_at_ms <= ? ORDER BY full_at_ms LIMIT ?)`,
        nowMs,
        limit,
      );
    },
    nextFullAt() {
      const [row] = sql.exec<{ at: number | null }>('SELECT min(full_at_ms) AS at FROM arrivals').toArray();
      return row?.at ?? undefined;
    },
  };
}
