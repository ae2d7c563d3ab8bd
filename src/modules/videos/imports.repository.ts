import { type SQL, sql } from 'drizzle-orm';
import type { Db } from '../../db/client.ts';
import type { Quarter } from './policy/upload-progress.ts';
import { insertQuarters, type QuarterEvent } from './quarter-events.repository.ts';
import { type UploadRow, uploadColumns } from './uploads.repository.ts';

/** How long a run may be silent before another takes over. */
const leaseSeconds = 120;
const lease = sql`now() + make_interval(secs => ${leaseSeconds})`;

export interface ClaimedImport {
  readonly upload: UploadRow;
  /** In hex. */
  readonly sealedUrl: string;
  readonly validator: string | null;
  readonly totalBytes: number | null;
  readonly doneBytes: number;
}

/** Takes an import that nobody is fetching; undefined when somebody is, or it has ended. */
export async function claimImport(
  db: Db,
  uploadId: string,
  leaseId: string,
): Promise<ClaimedImport | undefined> {
  const result = await db.execute(sql`
    WITH import AS (
      UPDATE video_imports SET lease = ${leaseId}::uuid, leased_until = ${lease}, updated_at = now()
      FROM uploads
      WHERE video_imports.upload_id = ${uploadId}::uuid AND uploads.id = video_imports.upload_id
        AND uploads.state IN ('open', 'completing') AND uploads.expires_at > now()
        AND video_imports.finished_at IS NULL AND sealed_url IS NOT NULL
        AND (leased_until IS NULL OR leased_until < now())
      RETURNING video_imports.*
    )
    SELECT ${uploadColumns('uploads')}, encode(import.sealed_url, 'hex') AS "sealedUrl", import.validator,
      import.total_bytes::float8 AS "totalBytes", import.done_bytes::float8 AS "doneBytes"
    FROM import JOIN uploads ON uploads.id = import.upload_id`);
  const row = result.rows[0] as (UploadRow & Omit<ClaimedImport, 'upload'>) | undefined;
  if (row === undefined) return undefined;
  const { sealedUrl, validator, totalBytes, doneBytes, ...upload } = row;
  return { upload, sealedUrl, validator, totalBytes, doneBytes };
}

/** The CTE `held`: the import, if the run still has it and its upload goes on. */
const held = (uploadId: string, leaseId: string): SQL => sql`
  held AS (
    SELECT video_imports.upload_id, uploads.video_id FROM video_imports
    JOIN uploads ON uploads.id = video_imports.upload_id
    WHERE video_imports.upload_id = ${uploadId}::uuid AND lease = ${leaseId}::uuid
      AND video_imports.finished_at IS NULL AND uploads.state = 'open'
    FOR UPDATE OF video_imports, uploads
  )`;

/** Begins a file at its first byte, forgetting parts of another; false when the run has lost the import. */
export async function restartImport(
  db: Db,
  run: { readonly uploadId: string; readonly leaseId: string },
  file: { readonly validator: string | null; readonly totalBytes: number | null },
): Promise<boolean> {
  const result = await db.execute(sql`
    WITH ${held(run.uploadId, run.leaseId)},
    parts AS (DELETE FROM upload_parts USING held WHERE upload_parts.upload_id = held.upload_id)
    UPDATE video_imports SET validator = ${file.validator}, total_bytes = ${file.totalBytes}::bigint, done_bytes = 0,
      leased_until = ${lease}, updated_at = now()
    FROM held WHERE video_imports.upload_id = held.upload_id RETURNING 1`);
  return result.rows.length > 0;
}

/** Keeps an import for a run whose part takes long; false when the run has lost it. */
export async function renewLease(
  db: Db,
  run: { readonly uploadId: string; readonly leaseId: string },
): Promise<boolean> {
  const result = await db.execute(sql`
    WITH ${held(run.uploadId, run.leaseId)}
    UPDATE video_imports SET leased_until = ${lease}, updated_at = now()
    FROM held WHERE video_imports.upload_id = held.upload_id RETURNING 1`);
  return result.rows.length > 0;
}

/** Keeps a part that S3 has taken, and tells of progress; false when the run has lost the import. */
export async function saveImportedPart(
  db: Db,
  run: { readonly uploadId: string; readonly leaseId: string },
  part: {
    readonly partNumber: number;
    readonly etag: string;
    readonly doneBytes: number;
    readonly percent: number;
    readonly quarter: Quarter | 0;
  },
  events: readonly QuarterEvent[],
): Promise<boolean> {
  const result = await db.execute(sql`
    WITH ${held(run.uploadId, run.leaseId)},
    kept AS (
      INSERT INTO upload_parts (upload_id, part_number, etag, confirmed)
      SELECT upload_id, ${part.partNumber}::int, ${part.etag}, true FROM held
      ON CONFLICT (upload_id, part_number) DO UPDATE SET etag = excluded.etag, confirmed = true
    ), import AS (
      UPDATE video_imports SET done_bytes = ${part.doneBytes}::bigint, failures = 0, leased_until = ${lease},
        updated_at = now()
      FROM held WHERE video_imports.upload_id = held.upload_id
    ), video AS (
      UPDATE videos SET progress_percent = ${Math.min(99, part.percent)}::smallint, updated_at = now()
      FROM held WHERE videos.id = held.video_id AND videos.state = 'uploading'
    ), before AS (
      SELECT uploads.id, uploads.told_percent FROM uploads JOIN held ON held.upload_id = uploads.id
    ), told AS (
      UPDATE uploads SET told_percent = greatest(before.told_percent, ${part.quarter}::smallint), checked_at = now()
      FROM before WHERE uploads.id = before.id
      RETURNING before.told_percent AS "toldBefore", uploads.told_percent AS "toldNow"
    ), events AS (${insertQuarters(events, sql`told`)})
    SELECT 1 FROM held`);
  return result.rows.length > 0;
}

/** The parts of an import in order, as S3 joins them. */
export async function listImportedParts(
  db: Db,
  uploadId: string,
): Promise<{ readonly partNumber: number; readonly etag: string }[]> {
  const result = await db.execute(sql`
    SELECT part_number AS "partNumber", etag FROM upload_parts
    WHERE upload_id = ${uploadId}::uuid ORDER BY part_number`);
  return result.rows as unknown as { partNumber: number; etag: string }[];
}

/** Lets go of an import; returns how often it failed since a part arrived, this time included if `failed`. */
export async function releaseImport(
  db: Db,
  run: { readonly uploadId: string; readonly leaseId: string },
  failed: boolean,
): Promise<number> {
  const result = await db.execute(sql`
    UPDATE video_imports SET lease = NULL, leased_until = NULL, failures = failures + ${failed ? 1 : 0},
      updated_at = now()
    WHERE upload_id = ${run.uploadId}::uuid AND lease = ${run.leaseId}::uuid RETURNING failures`);
  return Number(result.rows[0]?.failures ?? 0);
}

/** The import has ended; its address is forgotten. */
export async function endImport(db: Db, uploadId: string, failureCode: string | null): Promise<void> {
  await db.execute(sql`
    UPDATE video_imports SET finished_at = now(), sealed_url = NULL, lease = NULL, leased_until = NULL,
      failure_code = ${failureCode}, updated_at = now()
    WHERE upload_id = ${uploadId}::uuid AND finished_at IS NULL`);
}

/** Imports nobody has worked on for a while; they count as looked at from now on. Ended ones are closed on the way. */
export async function claimIdleImports(
  db: Db,
  options: { readonly idleSeconds: number; readonly limit: number },
): Promise<string[]> {
  const result = await db.execute(sql`
    WITH idle AS (
      SELECT video_imports.upload_id, uploads.state IN ('open', 'completing') AS goes_on
      FROM video_imports JOIN uploads ON uploads.id = video_imports.upload_id
      WHERE video_imports.finished_at IS NULL
        AND video_imports.updated_at < now() - make_interval(secs => ${options.idleSeconds})
        AND (leased_until IS NULL OR leased_until < now())
      ORDER BY video_imports.updated_at LIMIT ${options.limit} FOR UPDATE OF video_imports SKIP LOCKED
    )
    UPDATE video_imports SET updated_at = now(),
      finished_at = CASE WHEN NOT idle.goes_on THEN now() END,
      sealed_url = CASE WHEN idle.goes_on THEN sealed_url END
    FROM idle WHERE video_imports.upload_id = idle.upload_id
    RETURNING video_imports.upload_id AS id, idle.goes_on AS "goesOn"`);
  return (result.rows as unknown as { id: string; goesOn: boolean }[])
    .filter((row) => row.goesOn)
    .map((row) => row.id);
}
