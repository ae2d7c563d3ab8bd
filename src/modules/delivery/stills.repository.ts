import { type SQL, sql } from 'drizzle-orm';
import type { Db } from '../../db/client.ts';
import { openPrefix, playedPrefix } from '../videos/index.ts';

// The predicates of the indexes `videos_stills_to_open` and `videos_stills_to_close` (0024, 0032), and `hasOpenStills` of the policy.
const toOpen: SQL = sql`video.state = 'published' AND video.deleted_at IS NULL AND video.replaces_id IS NULL
  AND video.visibility IN ('public', 'unlisted') AND video.password_hash IS NULL AND NOT video.age_restricted
  AND video.open_prefix IS DISTINCT FROM 'open/' || substr(coalesce(video.media_prefix,
    'media/' || video.id::text || '/v' || video.revision::text || '/'), 7)
  AND (video.publish_at IS NULL OR video.publish_at <= now())`;

const toClose: SQL = sql`video.open_prefix IS NOT NULL
  AND (video.deleted_at IS NOT NULL OR video.visibility NOT IN ('public', 'unlisted')
    OR video.password_hash IS NOT NULL OR video.age_restricted OR video.state = 'failed')`;

/** Videos whose stills are to be copied to where all may fetch them, or taken away from there; in no order. */
export async function listUnsettledStills(db: Db, limit: number): Promise<string[]> {
  const result = await db.execute(sql`
    SELECT id FROM (
      SELECT id FROM videos AS video WHERE ${toOpen} UNION ALL SELECT id FROM videos AS video WHERE ${toClose}
    ) AS unsettled ORDER BY random() LIMIT ${limit}`);
  return result.rows.map((row) => String(row.id));
}

export interface StillsToOpen {
  /** Folder of what is played, ending in a slash. */
  readonly mediaPrefix: string;
  /** Folder of the copies, ending in a slash. */
  readonly openPrefix: string;
  /** What there was before, when the file has been replaced since; ends in a slash if pages showed it. */
  readonly replacedPrefix: string | null;
  readonly keys: readonly string[];
  readonly storyboardKey: string | null;
}

/**
 * Notes that copies are about to be made, so that they are found and taken away whatever happens next.
 * @returns undefined when there is nothing to open.
 */
export async function beginOpening(db: Db, videoId: string): Promise<StillsToOpen | undefined> {
  const result = await db.execute(sql`
    WITH before AS (
      SELECT id AS before_id, open_prefix AS known FROM videos AS video
      WHERE video.id = ${videoId}::uuid AND ${toOpen} FOR UPDATE
    )
    UPDATE videos AS video SET open_prefix = rtrim(${openPrefix}, '/') FROM before
    WHERE video.id = before_id AND ${toOpen}
    RETURNING CASE WHEN known <> rtrim(${openPrefix}, '/') THEN known END AS "replacedPrefix", ${playedPrefix} AS "mediaPrefix", ${openPrefix} AS "openPrefix", video.storyboard_key AS "storyboardKey",
      (SELECT coalesce(json_agg(key), '[]') FROM (
        SELECT object_key AS key FROM thumbnails
        WHERE thumbnails.video_id = video.id AND thumbnails.revision = video.revision
        UNION SELECT video.custom_thumbnail_key UNION SELECT video.preview_key UNION SELECT video.storyboard_key
      ) AS keys WHERE key IS NOT NULL) AS keys`);
  return result.rows[0] as StillsToOpen | undefined;
}

/**
 * Lets pages show the copies, if what was copied is still what is played and still open to all.
 * @returns whether it is.
 */
export async function finishOpening(db: Db, videoId: string, stills: StillsToOpen): Promise<boolean> {
  const result = await db.execute(sql`
    UPDATE videos AS video SET open_prefix = ${stills.openPrefix}
    WHERE video.id = ${videoId}::uuid AND ${toOpen} AND ${playedPrefix} = ${stills.mediaPrefix} RETURNING 1`);
  return result.rows.length > 0;
}

/** The folder in which copies lie that may no longer, ending in a slash; undefined when there is none. */
export async function prefixToClose(db: Db, videoId: string): Promise<string | undefined> {
  const result = await db.execute(
    sql`SELECT rtrim(video.open_prefix, '/') || '/' AS prefix FROM videos AS video WHERE video.id = ${videoId}::uuid AND ${toClose}`,
  );
  return result.rows[0]?.prefix as string | undefined;
}

/** Notes that the copies are gone. */
export async function finishClosing(db: Db, videoId: string): Promise<void> {
  await db.execute(sql`
    UPDATE videos AS video SET open_prefix = NULL WHERE video.id = ${videoId}::uuid AND ${toClose}`);
}
