import { type SQL, sql } from 'drizzle-orm';
import type { Db } from '../../db/client.ts';
import { insertEventIfAny, type OutboxEvent } from '../../db/outbox.ts';
import { type FailureCode, failures } from './policy/failures.ts';
import { insertQuarters, type QuarterEvent } from './quarter-events.repository.ts';

export type UploadState = 'open' | 'completing' | 'completed' | 'aborted' | 'expired';

export interface UploadRow {
  readonly id: string;
  readonly videoId: string;
  readonly ownerId: string;
  readonly state: UploadState;
  readonly fileName: string;
  readonly contentType: string;
  readonly sizeBytes: number;
  readonly partSizeBytes: number;
  readonly partCount: number;
  readonly objectKey: string;
  /** Null until S3 has answered. */
  readonly s3UploadId: string | null;
  /** The video whose file this one is to replace. */
  readonly replacesId: string | null;
  readonly expiresAtMs: number;
}

export const uploadColumns = (alias: string): SQL => {
  const upload = sql.identifier(alias);
  return sql`${upload}.id, ${upload}.video_id AS "videoId", ${upload}.owner_id AS "ownerId", ${upload}.state,
    ${upload}.file_name AS "fileName", ${upload}.content_type AS "contentType",
    ${upload}.size_bytes::float8 AS "sizeBytes", ${upload}.part_size_bytes::float8 AS "partSizeBytes",
    ${upload}.part_count AS "partCount", ${upload}.object_key AS "objectKey",
    ${upload}.s3_upload_id AS "s3UploadId", ${upload}.replaces_id AS "replacesId",
    round(extract(epoch FROM ${upload}.expires_at) * 1000)::float8 AS "expiresAtMs"`;
};

export const at = (unixMs: number | null): SQL => sql`to_timestamp(${unixMs}::float8 / 1000)`;

/** Remembers the S3 upload unless another is remembered already; returns the one that counts, undefined when not open. */
export async function keepS3UploadId(db: Db, id: string, s3UploadId: string): Promise<string | undefined> {
  const result = await db.execute(sql`
    UPDATE uploads SET s3_upload_id = coalesce(s3_upload_id, ${s3UploadId})
    WHERE id = ${id}::uuid AND state = 'open' RETURNING s3_upload_id AS "s3UploadId"`);
  return result.rows[0]?.s3UploadId as string | undefined;
}

/** Takes a reservation back that never reached S3. */
export async function discardReservation(db: Db, id: string): Promise<void> {
  await db.execute(sql`
    DELETE FROM videos USING uploads
    WHERE uploads.id = ${id}::uuid AND uploads.s3_upload_id IS NULL AND uploads.state = 'open'
      AND videos.id = uploads.video_id AND videos.state = 'uploading'`);
}

/** An upload of this owner. Anyone else's does not exist. */
export async function findUpload(db: Db, id: string, ownerId: string): Promise<UploadRow | undefined> {
  const result = await db.execute(sql`
    SELECT ${uploadColumns('uploads')} FROM uploads
    WHERE id = ${id}::uuid AND owner_id = ${ownerId}::uuid`);
  return result.rows[0] as UploadRow | undefined;
}

/** Marks that the parts are being joined; false when the upload has ended. */
export async function markCompleting(db: Db, id: string): Promise<boolean> {
  const result = await db.execute(sql`
    UPDATE uploads SET state = 'completing'
    WHERE id = ${id}::uuid AND state IN ('open', 'completing') RETURNING 1`);
  return result.rows.length > 0;
}

/** The parts could not be joined: their owner may send some again. */
export async function reopenUpload(db: Db, id: string): Promise<void> {
  await db.execute(sql`UPDATE uploads SET state = 'open' WHERE id = ${id}::uuid AND state = 'completing'`);
}

/**
 * The object is whole: the upload is completed, its video waits for the scan of its file, and `uploaded` and what is left of
 * `quarters` tell of it. Once only. A report of the scanner may have been faster.
 */
export async function finishUpload(
  db: Db,
  id: string,
  finish: {
    /** Scanning is turned off: the file counts as looked through. */
    readonly waived: boolean;
    readonly uploaded: OutboxEvent;
    readonly quarters: readonly QuarterEvent[];
  },
): Promise<boolean> {
  const result = await db.execute(sql`
    WITH unfinished AS (
      SELECT id, told_percent FROM uploads
      WHERE id = ${id}::uuid AND state IN ('open', 'completing') FOR UPDATE
    ), upload AS (
      UPDATE uploads SET state = 'completed', finished_at = now(), told_percent = 100
      FROM unfinished WHERE uploads.id = unfinished.id
      RETURNING uploads.id, video_id, size_bytes, unfinished.told_percent AS "toldBefore",
        uploads.told_percent AS "toldNow"
    ), parts AS (
      DELETE FROM upload_parts USING upload WHERE upload_parts.upload_id = upload.id
    ), told AS (${insertQuarters(finish.quarters, sql`upload`)}),
    video AS (
      UPDATE videos SET state = 'scanning', progress_percent = 0, source_bytes = upload.size_bytes, updated_at = now()
      FROM upload
      WHERE videos.id = upload.video_id AND videos.state = 'uploading' AND videos.deleted_at IS NULL
      RETURNING videos.id
    ), scan AS (
      INSERT INTO upload_scans AS scan (upload_id, video_id, verdict)
      SELECT upload.id, video.id, ${finish.waived ? 'waived' : null}
      FROM upload JOIN video ON video.id = upload.video_id
      ON CONFLICT (upload_id) DO UPDATE
      SET requested_at = now(), last_checked_at = now(), verdict = coalesce(scan.verdict, excluded.verdict)
    ), event AS (${insertEventIfAny(finish.uploaded, sql`video`)})
    SELECT 1 FROM upload`);
  return result.rows.length > 0;
}

/** The upload came to nothing: it ends as `state`, its video fails with a reason, and `failed` tells of it. Once only. */
export async function failUpload(
  db: Db,
  id: string,
  end: { readonly state: 'aborted' | 'expired'; readonly code: FailureCode; readonly failed: OutboxEvent },
): Promise<boolean> {
  const result = await db.execute(sql`
    WITH upload AS (
      UPDATE uploads SET state = ${end.state}, finished_at = now()
      WHERE id = ${id}::uuid AND state IN ('open', 'completing') RETURNING id, video_id
    ), parts AS (
      DELETE FROM upload_parts USING upload WHERE upload_parts.upload_id = upload.id
    ), video AS (
      UPDATE videos SET state = 'failed', failure_code = ${end.code}, failure_message = ${failures[end.code].message},
        updated_at = now()
      FROM upload
      WHERE videos.id = upload.video_id AND videos.state = 'uploading' AND videos.deleted_at IS NULL
      RETURNING videos.id
    ), event AS (${insertEventIfAny(end.failed, sql`video`)})
    SELECT 1 FROM upload`);
  return result.rows.length > 0;
}

/** Gives an unfinished upload up for its owner: the video goes with it, and `deleted` has S3 cleaned up. */
export async function abandonUpload(
  db: Db,
  id: string,
  ownerId: string,
  deleted: OutboxEvent,
): Promise<boolean> {
  const result = await db.execute(sql`
    WITH upload AS (
      UPDATE uploads SET state = 'aborted', finished_at = now()
      WHERE id = ${id}::uuid AND owner_id = ${ownerId}::uuid AND state IN ('open', 'completing') RETURNING video_id
    ), video AS (
      UPDATE videos SET deleted_at = coalesce(deleted_at, now()), updated_at = now()
      FROM upload WHERE videos.id = upload.video_id RETURNING videos.id
    ), event AS (${insertEventIfAny(deleted, sql`upload`)})
    SELECT 1 FROM upload`);
  return result.rows.length > 0;
}

/** Unfinished uploads whose time is over, the oldest first. */
export async function findOverdueUploads(db: Db, nowMs: number, limit: number): Promise<UploadRow[]> {
  const result = await db.execute(sql`
    SELECT ${uploadColumns('uploads')} FROM uploads
    WHERE state IN ('open', 'completing') AND expires_at < ${at(nowMs)}
    ORDER BY expires_at LIMIT ${limit}`);
  return result.rows as unknown as UploadRow[];
}
