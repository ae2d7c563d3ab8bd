import { sql } from 'drizzle-orm';
import type { Db } from '../../db/client.ts';
import { maxVideoDays } from './analytics.policy.ts';

/** Some tenths of a second of merging. */
const sketchesPerBatch = 500;

/** Refreshes the materialised views of channels; false where another refresh runs. */
export async function refreshChannelViews(db: Db): Promise<boolean> {
  const result = await db.execute(sql`SELECT do_refresh_channel_views() AS refreshed`);
  return result.rows[0]?.refreshed === true;
}

/**
 * Merges the sketches of days of large channels whose viewers or videos are others than when they were last merged. What a flush
 * adds after the refresh may be in the sketch already; the next refresh finds it and merges once more. @returns how many days
 */
export async function mergeStaleSketches(db: Db): Promise<number> {
  const result = await db.execute(sql`
    WITH large AS (SELECT owner_id FROM channel_view_days GROUP BY owner_id HAVING sum(videos) > ${maxVideoDays}),
    stale AS (
      SELECT owner_id, day, channel.fingerprint, channel.videos,
        sum(channel.videos) OVER (ORDER BY day DESC, owner_id ROWS UNBOUNDED PRECEDING) - channel.videos AS before
      FROM channel_view_days AS channel JOIN large USING (owner_id) JOIN users ON users.id = owner_id
        LEFT JOIN channel_view_sketches AS known USING (owner_id, day)
      WHERE known.fingerprint IS DISTINCT FROM channel.fingerprint
    ), batch AS MATERIALIZED (SELECT owner_id, day, fingerprint, videos FROM stale WHERE before < ${sketchesPerBatch}),
    -- Read from its place outside the row once, not for every register of it.
    sketches AS MATERIALIZED (
      SELECT batch.owner_id, batch.day, watched.viewers_sketch || ''::bytea AS sketch
      FROM batch JOIN videos AS video ON video.owner_id = batch.owner_id AND video.deleted_at IS NULL AND video.replaces_id IS NULL
        JOIN video_view_days AS watched ON watched.video_id = video.id AND watched.day = batch.day
      WHERE watched.viewers_sketch IS NOT NULL
    ), registers AS (
      SELECT owner_id, day, register, max(get_byte(sketch, register)) AS rank
      FROM sketches, generate_series(0, 2047) AS register GROUP BY owner_id, day, register
    ), merged AS (
      SELECT owner_id, day, string_agg(set_byte('\\x00'::bytea, 0, rank), ''::bytea ORDER BY register) AS sketch
      FROM registers GROUP BY owner_id, day
    )
    INSERT INTO channel_view_sketches (owner_id, day, fingerprint, viewers_sketch)
    SELECT batch.owner_id, batch.day, batch.fingerprint, merged.sketch FROM batch LEFT JOIN merged USING (owner_id, day)
    ON CONFLICT (owner_id, day) DO UPDATE
      SET fingerprint = excluded.fingerprint, viewers_sketch = excluded.viewers_sketch`);
  return result.rowCount;
}

/** Drops the sketches of days of which nothing is left, and notes that all others are as the refresh found them. */
export async function finishSketches(db: Db): Promise<void> {
  await db.execute(sql`
    WITH gone AS (
      DELETE FROM channel_view_sketches AS sketch WHERE NOT EXISTS (
        SELECT FROM channel_view_days AS known WHERE known.owner_id = sketch.owner_id AND known.day = sketch.day)
    )
    UPDATE channel_view_refresh SET viewers_at = refreshed_at`);
}
