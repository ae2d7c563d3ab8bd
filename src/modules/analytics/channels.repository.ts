import { sql } from 'drizzle-orm';
import type { Db } from '../../db/client.ts';
import { base64, fromBase64 } from '../../shared/encoding.ts';
import { maxVideoDays } from './analytics.policy.ts';

/** Refreshes the materialised views of channels; false where another refresh runs. */
export async function refreshChannelViews(db: Db): Promise<boolean> {
  const result = await db.execute(sql`SELECT do_refresh_channel_views() AS refreshed`);
  return result.rows[0]?.refreshed === true;
}

/** A channel's day whose viewers or videos are others than when its sketch was merged. */
export interface StaleDay {
  readonly ownerId: string;
  readonly day: string;
  readonly videos: number;
  /** Of the view: what a flush adds after its refresh is in the sketch already, and found to differ after the next. */
  readonly fingerprint: string;
}

/** Days of large channels to be merged, the newest first. */
export async function findStaleDays(db: Db, limit: number): Promise<readonly StaleDay[]> {
  const result = await db.execute(sql`
    WITH large AS (SELECT owner_id FROM channel_view_days GROUP BY owner_id HAVING sum(videos) > ${maxVideoDays})
    SELECT owner_id AS "ownerId", to_char(day, 'YYYY-MM-DD') AS day, channel.videos::int AS videos,
      channel.fingerprint::text AS fingerprint
    FROM channel_view_days AS channel JOIN large USING (owner_id) JOIN users ON users.id = owner_id
      LEFT JOIN channel_view_sketches AS known USING (owner_id, day)
    WHERE known.fingerprint IS DISTINCT FROM channel.fingerprint
    ORDER BY day DESC, owner_id LIMIT ${limit}`);
  return result.rows as unknown as readonly StaleDay[];
}

export interface VideoSketch {
  readonly ownerId: string;
  readonly day: string;
  readonly videoId: string;
  readonly sketch: Uint8Array;
}

/** The sketches of all videos of these days in order of their keys, after a key. */
export async function findSketches(
  db: Db,
  days: readonly StaleDay[],
  after: Omit<VideoSketch, 'sketch'> | undefined,
  limit: number,
): Promise<readonly VideoSketch[]> {
  const from =
    after === undefined
      ? sql``
      : sql`AND (video.owner_id, watched.day, video.id)
    > (${after.ownerId}::uuid, ${after.day}::date, ${after.videoId}::uuid)`;
  const result = await db.execute(sql`
    SELECT video.owner_id AS "ownerId", to_char(watched.day, 'YYYY-MM-DD') AS day, video.id AS "videoId",
      encode(watched.viewers_sketch, 'base64') AS sketch
    FROM jsonb_to_recordset(${JSON.stringify(days)}::jsonb) AS stale ("ownerId" uuid, day date)
      JOIN videos AS video ON video.owner_id = stale."ownerId" AND video.deleted_at IS NULL AND video.replaces_id IS NULL
      JOIN video_view_days AS watched ON watched.video_id = video.id AND watched.day = stale.day
    WHERE watched.viewers_sketch IS NOT NULL ${from}
    ORDER BY video.owner_id, watched.day, video.id LIMIT ${limit}`);
  const rows = result.rows as unknown as readonly (Omit<VideoSketch, 'sketch'> & { sketch: string })[];
  return rows.map(({ sketch, ...row }) => ({ ...row, sketch: fromBase64(sketch) }));
}

/** Keeps merged sketches; undefined for days on which nobody watched enough for a view. */
export async function keepSketches(
  db: Db,
  merged: readonly (StaleDay & { readonly sketch: Uint8Array | undefined })[],
): Promise<void> {
  const rows = merged.map(({ ownerId, day, fingerprint, sketch }) => ({
    ownerId,
    day,
    fingerprint,
    sketch: sketch === undefined ? null : base64(sketch),
  }));
  await db.execute(sql`
    INSERT INTO channel_view_sketches (owner_id, day, fingerprint, viewers_sketch)
    SELECT "ownerId", day, fingerprint, decode(sketch, 'base64')
    FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS item ("ownerId" uuid, day date, fingerprint bigint, sketch text)
      JOIN users ON users.id = "ownerId"
    ON CONFLICT (owner_id, day) DO UPDATE
      SET fingerprint = excluded.fingerprint, viewers_sketch = excluded.viewers_sketch`);
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
