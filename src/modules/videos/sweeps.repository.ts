import { sql } from 'drizzle-orm';
import type { Db } from '../../db/client.ts';
import { textArray } from '../../db/outbox.ts';
import { failures } from './policy/failures.ts';
import { hasMoved } from './replacements.repository.ts';
import { at } from './uploads.repository.ts';

/** Failed videos whose original is still kept, and has been for long. */
export async function listFailedOriginals(
  db: Db,
  beforeMs: number,
  limit: number,
): Promise<{ readonly id: string; readonly failureCode: string }[]> {
  const result = await db.execute(sql`
    SELECT id, coalesce(failure_code, '') AS "failureCode" FROM videos
    WHERE state = 'failed' AND source_key IS NOT NULL AND deleted_at IS NULL AND updated_at < ${at(beforeMs)}
    ORDER BY updated_at LIMIT ${limit}`);
  return result.rows as unknown as { id: string; failureCode: string }[];
}

/** Notes that the original of a failed video is gone, which from now on is why it failed if `code` says so. */
export async function forgetOriginal(db: Db, videoId: string, code: string): Promise<void> {
  await db.execute(sql`
    UPDATE videos SET source_key = NULL, source_bytes = NULL, failure_code = ${code},
      failure_message = CASE WHEN ${code} = 'original_dropped' THEN ${failures.original_dropped.message} ELSE failure_message END
    WHERE id = ${videoId}::uuid AND state = 'failed'`);
}

/** How far a sweep got below a prefix; empty to begin anew. */
export async function readSweep(db: Db, prefix: string): Promise<string> {
  const result = await db.execute(sql`SELECT position FROM video_sweeps WHERE prefix = ${prefix}`);
  return String(result.rows[0]?.position ?? '');
}

export async function saveSweep(db: Db, prefix: string, position: string): Promise<void> {
  await db.execute(sql`
    INSERT INTO video_sweeps (prefix, position) VALUES (${prefix}, ${position})
    ON CONFLICT (prefix) DO UPDATE SET position = excluded.position, updated_at = now()`);
}

/** Those of `ids` that name no video whose files are in use; `ownerId` when its row is still there. */
export async function findVideosWithoutUse(
  db: Db,
  ids: readonly string[],
): Promise<{ readonly id: string; readonly ownerId: string | null }[]> {
  const result = await db.execute(sql`
    SELECT given.id, video.owner_id AS "ownerId"
    FROM unnest(${textArray(ids)}::uuid[]) AS given(id)
    LEFT JOIN videos AS video ON video.id = given.id
    WHERE video.id IS NULL OR (video.deleted_at IS NOT NULL AND NOT ${hasMoved('video')})`);
  return result.rows as unknown as { id: string; ownerId: string | null }[];
}

/** Those of S3's upload ids that belong to no unfinished upload and no copy out of quarantine. */
export async function findStrayUploads(db: Db, s3UploadIds: readonly string[]): Promise<ReadonlySet<string>> {
  const result = await db.execute(sql`
    SELECT given.id FROM unnest(${textArray(s3UploadIds)}::text[]) AS given(id)
    WHERE NOT EXISTS (
        SELECT FROM uploads WHERE uploads.s3_upload_id = given.id AND uploads.state IN ('open', 'completing'))
      AND NOT EXISTS (SELECT FROM upload_scans WHERE copy_upload_id = given.id AND settled_at IS NULL)`);
  return new Set(result.rows.map((row) => String(row.id)));
}
