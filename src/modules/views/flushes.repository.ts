import { sql } from 'drizzle-orm';
import type { Flush, FlushResult } from '../../../durable-objects/view-counter/protocol.ts';
import type { Db } from '../../db/client.ts';

/**
 * Adds a flush of a counter object to the totals of its video, in one statement and once: the same number again, or a lower
 * one, changes nothing. Safe to repeat whatever became of an earlier try. The tables come in the order in which
 * `keep_monthly_partitions` locks them, so that the two rarely meet in a deadlock.
 */
export async function applyFlush(db: Db, flush: Flush): Promise<FlushResult> {
  const { videoId, counterId, seq, views, shards } = flush;
  const result = await db.execute(sql`
    WITH video AS (SELECT id FROM videos WHERE id = ${videoId}::uuid AND deleted_at IS NULL),
    applied AS (
      INSERT INTO view_flushes (video_id, counter_id, seq) SELECT id, ${counterId}::uuid, ${seq}::bigint FROM video
      ON CONFLICT (video_id, counter_id) DO UPDATE SET seq = excluded.seq, flushed_at = now()
        WHERE view_flushes.seq < excluded.seq
      RETURNING video_id
    ), counter AS (
      INSERT INTO video_counters (video_id, views, view_shards)
      SELECT video_id, ${views}::bigint, ${shards}::smallint FROM applied
      ON CONFLICT (video_id) DO UPDATE
        SET views = video_counters.views + excluded.views, view_shards = excluded.view_shards
      RETURNING views
    ), days AS (
      INSERT INTO video_view_days AS known (video_id, day, views, viewers, viewers_sketch, plays, watch_ms, completions,
        retention, startups, startup_ms, rebuffer_ms, errors)
      SELECT applied.video_id, day, views, viewers, decode(sketch, 'hex'), plays, "watchMs", completions, retention,
        startups, "startupMs", "rebufferMs", errors
      FROM applied, jsonb_to_recordset(${JSON.stringify(flush.days)}::jsonb) AS item (
        day date, views bigint, viewers bigint, sketch text, plays bigint, "watchMs" bigint, completions bigint,
        retention bigint[], startups bigint, "startupMs" bigint, "rebufferMs" bigint, errors bigint)
      ON CONFLICT (video_id, day) DO UPDATE SET
        views = known.views + excluded.views,
        -- The counter knows the viewers of the whole day.
        viewers = greatest(known.viewers, excluded.viewers),
        viewers_sketch = CASE WHEN excluded.viewers >= known.viewers THEN coalesce(excluded.viewers_sketch, known.viewers_sketch)
          ELSE known.viewers_sketch END,
        plays = known.plays + excluded.plays,
        watch_ms = known.watch_ms + excluded.watch_ms,
        completions = known.completions + excluded.completions,
        retention = ARRAY(
          SELECT before + after FROM unnest(known.retention, excluded.retention) WITH ORDINALITY AS share (before, after, bucket)
          ORDER BY bucket),
        startups = known.startups + excluded.startups,
        startup_ms = known.startup_ms + excluded.startup_ms,
        rebuffer_ms = known.rebuffer_ms + excluded.rebuffer_ms,
        errors = known.errors + excluded.errors
    ), minutes AS (
      INSERT INTO video_view_minutes AS known (video_id, minute, views, watch_ms)
      SELECT applied.video_id, minute, views, "watchMs"
      FROM applied, jsonb_to_recordset(${JSON.stringify(flush.minutes)}::jsonb) AS item (
        minute timestamptz, views bigint, "watchMs" bigint)
      ON CONFLICT (video_id, minute) DO UPDATE
        SET views = known.views + excluded.views, watch_ms = known.watch_ms + excluded.watch_ms
    ), parts AS (
      INSERT INTO video_view_parts AS known (video_id, day, dimension, value, views, plays, watch_ms, errors)
      SELECT applied.video_id, day, dimension, value, views, plays, "watchMs", errors
      FROM applied, jsonb_to_recordset(${JSON.stringify(flush.parts)}::jsonb) AS item (
        day date, dimension text, value text, views bigint, plays bigint, "watchMs" bigint, errors bigint)
      ON CONFLICT (video_id, day, dimension, value) DO UPDATE SET views = known.views + excluded.views,
        plays = known.plays + excluded.plays, watch_ms = known.watch_ms + excluded.watch_ms,
        errors = known.errors + excluded.errors
    )
    SELECT EXISTS (SELECT FROM video) AS known,
      coalesce((SELECT views FROM counter), (SELECT views FROM video_counters WHERE video_id = ${videoId}::uuid), 0)::float8 AS views`);
  const [row] = result.rows as unknown as { readonly known: boolean; readonly views: number }[];
  return row?.known === true ? { known: true, views: row.views } : { known: false };
}
