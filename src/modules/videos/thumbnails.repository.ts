import { sql } from 'drizzle-orm';
import type { Db } from '../../db/client.ts';

// Pages show open copies of stills; these are made anew with the other picture (`open_prefix` of the stills to open).
const copyAnew = sql`open_prefix = rtrim(open_prefix, '/')`;

/** Whether an owner has such a video, and the picture they gave. */
export async function findThumbnail(
  db: Db,
  videoId: string,
  ownerId: string,
): Promise<{ readonly customKey: string | null } | undefined> {
  const result = await db.execute(sql`
    SELECT custom_thumbnail_key AS "customKey" FROM videos
    WHERE id = ${videoId}::uuid AND owner_id = ${ownerId}::uuid AND deleted_at IS NULL AND replaces_id IS NULL`);
  return result.rows[0] as { customKey: string | null } | undefined;
}

/**
 * Shows a video by a picture its owner gave, or by none of theirs.
 * @returns the key of the picture that was theirs before; undefined when there is no such video.
 */
export async function setCustomThumbnail(
  db: Db,
  videoId: string,
  ownerId: string,
  key: string | null,
): Promise<{ readonly formerKey: string | null } | undefined> {
  const result = await db.execute(sql`
    WITH video AS (
      SELECT id, custom_thumbnail_key AS former FROM videos
      WHERE id = ${videoId}::uuid AND owner_id = ${ownerId}::uuid AND deleted_at IS NULL AND replaces_id IS NULL
      FOR UPDATE
    )
    UPDATE videos SET custom_thumbnail_key = ${key}, thumbnail_position = ${
      key === null ? sql`thumbnail_position` : sql`NULL`
    }, ${copyAnew}, updated_at = now()
    FROM video WHERE videos.id = video.id RETURNING video.former AS "formerKey"`);
  return result.rows[0] as { formerKey: string | null } | undefined;
}

/** Shows a video by one of its stills; false when it has no such still, or there is no such video. */
export async function chooseStill(
  db: Db,
  videoId: string,
  ownerId: string,
  position: number | null,
): Promise<boolean> {
  const result = await db.execute(sql`
    UPDATE videos SET thumbnail_position = ${position}::smallint, updated_at = now()
    WHERE id = ${videoId}::uuid AND owner_id = ${ownerId}::uuid AND deleted_at IS NULL AND replaces_id IS NULL
      AND (${position}::smallint IS NULL OR EXISTS (
        SELECT FROM thumbnails
        WHERE thumbnails.video_id = videos.id AND thumbnails.revision = videos.revision
          AND thumbnails.position = ${position}::smallint))
    RETURNING 1`);
  return result.rows.length > 0;
}
