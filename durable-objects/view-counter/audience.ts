import { addToSketch, emptySketch } from '../sketch.ts';

/** Who watched a video: kept by its first object only. */
export interface Audience {
  /** Whether a view of this viewer at that moment is one of its own, and not part of the last one. Remembers it if so. */
  isNewView(viewer: string, atMs: number, windowMs: number): boolean;
  /** Counts the viewer among those of the day, once. */
  noteViewer(day: string, viewer: string): void;
  dayViewers(day: string): { readonly viewers: number; readonly sketch: Uint8Array } | undefined;
  /** Whether a value made up by clients may stand by itself among the parts of a day. */
  admitValue(day: string, dimension: string, value: string): boolean;
  other(counterId: string): { readonly seq: number } | undefined;
  noteOther(
    counterId: string,
    seq: number,
    load: { readonly watching: number; readonly beatsPerSecond: number },
    nowMs: number,
  ): void;
  /** The load of all other objects that were heard since then. */
  otherLoad(sinceMs: number): { readonly watching: number; readonly beatsPerSecond: number };
  forget(before: {
    readonly viewedBeforeMs: number;
    readonly day: string;
    readonly seenBeforeMs: number;
  }): void;
}

const maxValuesPerDay = 200;

export function createAudience(sql: SqlStorage): Audience {
  const dayViewers: Audience['dayViewers'] = (day) => {
    const [row] = sql
      .exec<{ viewers: number; sketch: ArrayBuffer }>(
        'SELECT viewers, sketch FROM day_sketches WHERE day = ?',
        day,
      )
      .toArray();
    return row === undefined ? undefined : { viewers: row.viewers, sketch: new Uint8Array(row.sketch) };
  };
  return {
    isNewView(viewer, atMs, windowMs) {
      return (
        sql
          .exec(
            `INSERT INTO viewers (viewer, viewed_at_ms) VALUES (?, ?)
             ON CONFLICT DO UPDATE SET viewed_at_ms = excluded.viewed_at_ms WHERE excluded.viewed_at_ms - viewed_at_ms >= ?
             RETURNING 1`,
            viewer,
            atMs,
            windowMs,
          )
          .toArray().length > 0
      );
    },
    noteViewer(day, viewer) {
      const first = sql
        .exec(
          'INSERT INTO day_viewers (day, viewer) VALUES (?, ?) ON CONFLICT DO NOTHING RETURNING 1',
          day,
          viewer,
        )
        .toArray();
      if (first.length === 0) return;
      const known = dayViewers(day);
      const sketch = known?.sketch ?? emptySketch();
      addToSketch(sketch, viewer);
      sql.exec(
        'INSERT INTO day_sketches (day, viewers, sketch) VALUES (?, 1, ?) ON CONFLICT DO UPDATE SET viewers = viewers + 1, sketch = excluded.sketch',
        day,
        sketch,
      );
    },
    dayViewers,
    admitValue(day, dimension, value) {
      const known = sql
        .exec(
          'SELECT 1 FROM part_values WHERE day = ? AND dimension = ? AND value = ?',
          day,
          dimension,
          value,
        )
        .toArray();
      if (known.length > 0) return true;
      const { count } = sql
        .exec<{ count: number }>(
          'SELECT count(*) AS count FROM part_values WHERE day = ? AND dimension = ?',
          day,
          dimension,
        )
        .one();
      if (count >= maxValuesPerDay) return false;
      sql.exec('INSERT INTO part_values (day, dimension, value) VALUES (?, ?, ?)', day, dimension, value);
      return true;
    },
    other(counterId) {
      const [row] = sql
        .exec<{ seq: number }>('SELECT seq FROM others WHERE counter_id = ?', counterId)
        .toArray();
      return row;
    },
    noteOther(counterId, seq, { watching, beatsPerSecond }, nowMs) {
      sql.exec(
        `INSERT INTO others (counter_id, seq, watching, beats_per_second, seen_at_ms) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET seq = max(seq, excluded.seq), watching = excluded.watching,
           beats_per_second = excluded.beats_per_second, seen_at_ms = excluded.seen_at_ms`,
        counterId,
        seq,
        watching,
        beatsPerSecond,
        nowMs,
      );
    },
    otherLoad: (sinceMs) =>
      sql
        .exec<{ watching: number; beatsPerSecond: number }>(
          `SELECT coalesce(sum(watching), 0) AS watching, coalesce(sum(beats_per_second), 0) AS beatsPerSecond
           FROM others WHERE seen_at_ms >= ?`,
          sinceMs,
        )
        .one(),
    forget({ viewedBeforeMs, day, seenBeforeMs }) {
      sql.exec('DELETE FROM viewers WHERE viewed_at_ms < ?', viewedBeforeMs);
      sql.exec('DELETE FROM day_viewers WHERE day < ?', day);
      sql.exec('DELETE FROM day_sketches WHERE day < ?', day);
      sql.exec('DELETE FROM part_values WHERE day < ?', day);
      sql.exec('DELETE FROM others WHERE seen_at_ms < ?', seenBeforeMs);
    },
  };
}
