import { type SQL, sql } from 'drizzle-orm';
import type { RequestContext } from '../../context.ts';
import { insertAuditIfAny } from '../../db/audit.ts';
import { atomic, type Db } from '../../db/client.ts';
import { insertEventIfAny, type OutboxEvent } from '../../db/outbox.ts';
import type { ScanReport } from '../../integrations/scanner/index.ts';
import { type FailureCode, failures } from './policy/failures.ts';
import type { ScanVerdict } from './policy/scan-state.ts';
import { ownersTurn } from './upload-reservations.repository.ts';
import type { VideoState } from './videos.schemas.ts';

/** The scan of an uploaded file, with what it belongs to. */
export interface ScanRow {
  readonly uploadId: string;
  readonly videoId: string;
  readonly ownerId: string;
  readonly revision: number;
  readonly videoState: VideoState;
  readonly videoDeleted: boolean;
  readonly failureCode: string | null;
  readonly objectKey: string;
  readonly contentType: string;
  readonly sizeBytes: number;
  readonly verdict: ScanVerdict;
  readonly etag: string | null;
  readonly requests: number;
  /** Since the file was scanned or asked to be. */
  readonly waitingSeconds: number;
  readonly copyUploadId: string | null;
  readonly settled: boolean;
  readonly cleared: boolean;
  /** The released copy of the file is what a video is made of. */
  readonly originalInUse: boolean;
}

const scanColumns = (now: SQL): SQL => sql`scan.upload_id AS "uploadId", scan.video_id AS "videoId",
  video.owner_id AS "ownerId", video.revision, video.state AS "videoState",
  video.deleted_at IS NOT NULL AS "videoDeleted", video.failure_code AS "failureCode", upload.object_key AS "objectKey",
  upload.content_type AS "contentType", upload.size_bytes::float8 AS "sizeBytes", scan.verdict, scan.etag, scan.requests,
  extract(epoch FROM ${now} - scan.requested_at)::float8 AS "waitingSeconds", scan.copy_upload_id AS "copyUploadId",
  scan.settled_at IS NOT NULL AS settled, scan.cleared_at IS NOT NULL AS cleared,
  EXISTS (
    SELECT FROM videos AS made
    WHERE made.id IN (video.id, video.replaces_id) AND made.deleted_at IS NULL
      AND made.source_key = regexp_replace(upload.object_key, '^quarantine/', 'originals/')
  ) AS "originalInUse"`;

const joined: SQL = sql`JOIN uploads AS upload ON upload.id = scan.upload_id
  JOIN videos AS video ON video.id = scan.video_id`;

export async function findScan(db: Db, uploadId: string): Promise<ScanRow | undefined> {
  const result = await db.execute(sql`
    SELECT ${scanColumns(sql`now()`)} FROM upload_scans AS scan ${joined} WHERE scan.upload_id = ${uploadId}::uuid`);
  return result.rows[0] as ScanRow | undefined;
}

/** The scans of a video's files that have something left to be done. */
export async function findOpenScans(db: Db, videoId: string): Promise<ScanRow[]> {
  const result = await db.execute(sql`
    SELECT ${scanColumns(sql`now()`)} FROM upload_scans AS scan ${joined}
    WHERE scan.video_id = ${videoId}::uuid AND scan.cleared_at IS NULL AND upload.state NOT IN ('open', 'completing')`);
  return result.rows as unknown as ScanRow[];
}

/**
 * Remembers what a scan has found; `verdictAfter` says what stands after several reports. The report may come before the
 * upload counts as completed. Nothing changes once the file was released or refused.
 * @returns whether the upload exists and is still undecided.
 */
export async function recordScan(db: Db, uploadId: string, report: ScanReport): Promise<boolean> {
  const result = await db.execute(sql`
    INSERT INTO upload_scans AS scan (upload_id, video_id, verdict, etag, threats, reasons)
    SELECT upload.id, upload.video_id, ${report.status}, ${report.etag},
      ARRAY(SELECT jsonb_array_elements_text(${JSON.stringify(report.threats)}::jsonb)),
      ARRAY(SELECT jsonb_array_elements_text(${JSON.stringify(report.reasons)}::jsonb))
    FROM uploads AS upload
    WHERE upload.id = ${uploadId}::uuid AND upload.object_key = ${report.key}
      AND upload.state IN ('open', 'completing', 'completed')
    ON CONFLICT (upload_id) DO UPDATE
    SET verdict = excluded.verdict, etag = excluded.etag, threats = excluded.threats, reasons = excluded.reasons
    WHERE scan.settled_at IS NULL AND (scan.verdict IS NULL OR scan.verdict = 'failed' OR
      (excluded.verdict = 'infected' AND scan.verdict <> 'infected'))
    RETURNING 1`);
  return result.rows.length > 0;
}

/** Counts a new request for a scan; false when the scan has moved on meanwhile. */
export async function recordScanRequest(db: Db, scan: ScanRow): Promise<boolean> {
  const result = await db.execute(sql`
    UPDATE upload_scans SET verdict = NULL, requests = requests + 1, requested_at = now()
    WHERE upload_id = ${scan.uploadId}::uuid AND settled_at IS NULL AND requests = ${scan.requests}
      AND (verdict IS NULL OR verdict = 'failed')
    RETURNING 1`);
  return result.rows.length > 0;
}

/** Remembers S3's id of a copy in pieces unless another is remembered already; returns the one that counts. */
export async function keepCopyUploadId(
  db: Db,
  uploadId: string,
  copyUploadId: string,
): Promise<string | undefined> {
  const result = await db.execute(sql`
    UPDATE upload_scans SET copy_upload_id = coalesce(copy_upload_id, ${copyUploadId}), last_checked_at = now()
    WHERE upload_id = ${uploadId}::uuid AND settled_at IS NULL RETURNING copy_upload_id AS "copyUploadId"`);
  return result.rows[0]?.copyUploadId as string | undefined;
}

/** Forgets a copy in pieces that is no more. */
export async function forgetCopyUploadId(db: Db, uploadId: string, copyUploadId: string): Promise<void> {
  await db.execute(sql`
    UPDATE upload_scans SET copy_upload_id = NULL
    WHERE upload_id = ${uploadId}::uuid AND copy_upload_id = ${copyUploadId} AND settled_at IS NULL`);
}

/** The file was found clean and lies among the originals: its video goes on to be probed, and `released` tells so. Once only. */
export async function releaseFile(
  db: Db,
  uploadId: string,
  sourceKey: string,
  released: OutboxEvent,
): Promise<boolean> {
  const result = await db.execute(sql`
    WITH scan AS (
      SELECT upload_id, video_id FROM upload_scans
      WHERE upload_id = ${uploadId}::uuid AND settled_at IS NULL AND verdict IN ('clean', 'waived') FOR UPDATE
    ), video AS (
      UPDATE videos SET state = 'probing', source_key = ${sourceKey}, updated_at = now()
      FROM scan
      WHERE videos.id = scan.video_id AND videos.state = 'scanning' AND videos.deleted_at IS NULL
      RETURNING videos.id
    ), settled AS (
      UPDATE upload_scans SET settled_at = now(), last_checked_at = now(), copy_upload_id = NULL
      FROM scan, video WHERE upload_scans.upload_id = scan.upload_id
    ), event AS (${insertEventIfAny(released, sql`video`)})
    SELECT 1 FROM video`);
  return result.rows.length > 0;
}

/**
 * The file may not be used: its video fails with the reason and `failed` tells so. Once only, and only while the verdict is
 * the one this was decided on.
 */
export async function refuseFile(
  ctx: RequestContext,
  scan: Pick<ScanRow, 'uploadId' | 'videoId' | 'verdict'>,
  refusal: { readonly code: FailureCode; readonly failed: OutboxEvent },
): Promise<boolean> {
  const result = await ctx.databases.primary.execute(sql`
    WITH scan AS (
      SELECT upload_id, video_id, threats FROM upload_scans
      WHERE upload_id = ${scan.uploadId}::uuid AND settled_at IS NULL
        AND verdict IS NOT DISTINCT FROM ${scan.verdict}::text FOR UPDATE
    ), video AS (
      UPDATE videos SET state = 'failed', failure_code = ${refusal.code},
        failure_message = ${failures[refusal.code].message}, updated_at = now()
      FROM scan
      WHERE videos.id = scan.video_id AND videos.state = 'scanning' AND videos.deleted_at IS NULL
      RETURNING videos.id
    ), settled AS (
      UPDATE upload_scans SET settled_at = now(), last_checked_at = now()
      FROM scan, video WHERE upload_scans.upload_id = scan.upload_id
    ), event AS (${insertEventIfAny(refusal.failed, sql`video`)}),
    audit AS (${insertAuditIfAny(
      ctx,
      {
        action: 'video.refuse_file',
        target: { kind: 'video', id: scan.videoId },
        outcome: 'denied',
        detail: { code: refusal.code, upload_id: scan.uploadId },
      },
      sql`video`,
    )})
    SELECT 1 FROM video`);
  return result.rows.length > 0;
}

/** Nothing of the upload is left in quarantine that is to be removed. */
export async function markCleared(db: Db, uploadId: string): Promise<void> {
  await db.execute(sql`
    UPDATE upload_scans SET cleared_at = now(), settled_at = coalesce(settled_at, now())
    WHERE upload_id = ${uploadId}::uuid AND cleared_at IS NULL`);
}

/** Has the file of a failed video scanned anew, if a scan that came to nothing is why it failed. Once only. */
export async function restartScan(
  db: Db,
  retry: {
    readonly videoId: string;
    readonly ownerId: string;
    readonly failureCode: string;
    readonly uploaded: OutboxEvent;
  },
): Promise<boolean> {
  const [, result] = await atomic(db, [
    ownersTurn(db, retry.ownerId),
    db.execute(sql`
    WITH scan AS (
      SELECT upload_id, video_id FROM upload_scans
      WHERE video_id = ${retry.videoId}::uuid AND settled_at IS NOT NULL
        AND (verdict IS NULL OR verdict IN ('failed', 'clean')) FOR UPDATE
    ), video AS (
      UPDATE videos SET state = 'scanning', failure_code = NULL, failure_message = NULL, progress_percent = 0,
        updated_at = now()
      FROM scan
      WHERE videos.id = scan.video_id AND owner_id = ${retry.ownerId}::uuid AND state = 'failed'
        AND failure_code = ${retry.failureCode} AND deleted_at IS NULL
      RETURNING videos.id
    ), restarted AS (
      UPDATE upload_scans SET verdict = 'failed', requests = 0, requested_at = now(), last_checked_at = now(),
        settled_at = NULL, cleared_at = NULL
      FROM scan, video WHERE upload_scans.upload_id = scan.upload_id
    ), event AS (${insertEventIfAny(retry.uploaded, sql`video`)})
    SELECT 1 FROM video`),
  ]);
  return result.rows.length > 0;
}

/** Scans nobody has looked at for `silentSeconds` that have something left to be done; they count as looked at from now on. */
export async function claimSilentScans(
  db: Db,
  options: { readonly nowMs: number; readonly silentSeconds: number; readonly limit: number },
): Promise<ScanRow[]> {
  const now = sql`to_timestamp(${options.nowMs}::float8 / 1000)`;
  const result = await db.execute(sql`
    WITH silent AS (
      SELECT scan.upload_id FROM upload_scans AS scan JOIN uploads AS upload ON upload.id = scan.upload_id
      WHERE scan.cleared_at IS NULL AND upload.state NOT IN ('open', 'completing')
        AND scan.last_checked_at < ${now} - make_interval(secs => ${options.silentSeconds})
      ORDER BY scan.last_checked_at LIMIT ${options.limit} FOR UPDATE OF scan SKIP LOCKED
    ), scan AS (
      UPDATE upload_scans SET last_checked_at = ${now} FROM silent
      WHERE upload_scans.upload_id = silent.upload_id RETURNING upload_scans.*
    )
    SELECT ${scanColumns(now)} FROM scan ${joined}`);
  return result.rows as unknown as ScanRow[];
}
