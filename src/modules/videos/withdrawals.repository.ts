import { sql } from 'drizzle-orm';
import type { RequestContext } from '../../context.ts';
import { insertAuditIfAny } from '../../db/audit.ts';
import { atomic, type Db } from '../../db/client.ts';
import { textArray } from '../../db/outbox.ts';
import type { ScanReport } from '../../integrations/scanner/index.ts';
import { traceparentOf } from '../../observability/trace.ts';
import { playedPrefix } from './access.repository.ts';
import { mediaPrefix } from './policy/encode-plan.ts';
import { failures } from './policy/failures.ts';
import { originalKeyOf } from './policy/upload-keys.ts';
import { endWorkOf } from './replacements.repository.ts';
import type { ScanRow } from './scans.repository.ts';

/** Of one statement; more are made by later ones. */
const maxWithdrawn = 20;
// Of each video: its failure, its files, and what was to replace its own. One more for the files of the upload itself.
const eventsOf = (videos: number): number => 4 * videos + 1;
/** An upload begins a row. */
const firstRevision = 1;

export interface Withdrawn {
  readonly videoIds: readonly string[];
  readonly eventIds: readonly string[];
}

/**
 * A file that had left quarantine was found harmful: videos that are made of it, clips too, fail and are played no more, what was
 * to replace their files ends with them, and events have their owners told and everything made of the file removed. Repeating
 * it finds nothing left to do.
 */
export async function withdrawFile(
  ctx: RequestContext,
  scan: ScanRow,
  report: ScanReport,
): Promise<Withdrawn> {
  const { primary } = ctx.databases;
  const made = sql`${scan.videoId}::uuid`;
  const family = sql`(SELECT id FROM videos WHERE id = ${made} UNION ALL SELECT replaces_id FROM videos WHERE id = ${made})`;
  const ids = Array.from({ length: eventsOf(maxWithdrawn) }, () => ctx.ids.next());
  const [, , result] = await atomic(primary, [
    // In the order of those who report on jobs, so that a file which is just taking the place of another is found at its new one.
    primary.execute(sql`SELECT id FROM encode_jobs WHERE video_id IN ${family} ORDER BY id FOR UPDATE`),
    primary.execute(
      sql`SELECT id FROM videos WHERE id IN ${family} ORDER BY replaces_id IS NOT NULL, id FOR UPDATE`,
    ),
    primary.execute(sql`
      WITH scan AS (
        SELECT scan.upload_id, scan.video_id, made.owner_id
        FROM upload_scans AS scan JOIN videos AS made ON made.id = scan.video_id
        WHERE scan.upload_id = ${scan.uploadId}::uuid
          AND (scan.settled_at IS NOT NULL OR made.state NOT IN ('uploading', 'scanning'))
      ), marked AS (
        UPDATE upload_scans SET verdict = 'infected', etag = ${report.etag},
          threats = ARRAY(SELECT jsonb_array_elements_text(${JSON.stringify(report.threats)}::jsonb)),
          reasons = ARRAY(SELECT jsonb_array_elements_text(${JSON.stringify(report.reasons)}::jsonb)),
          settled_at = coalesce(settled_at, now()), cleared_at = NULL, last_checked_at = now()
        FROM scan
        WHERE upload_scans.upload_id = scan.upload_id AND upload_scans.verdict IS DISTINCT FROM 'infected'
        RETURNING scan.video_id AS id, scan.owner_id
      ), chosen AS (
        SELECT video.id, ${playedPrefix} AS prefix FROM videos AS video
        WHERE EXISTS (SELECT FROM scan) AND video.deleted_at IS NULL
          AND (video.source_key = ${originalKeyOf(scan.objectKey)}
            OR (video.id = ${made} AND video.source_key IS NULL AND video.state = 'failed'))
          AND NOT (video.state = 'failed' AND video.failure_code IS NOT DISTINCT FROM 'infected')
        ORDER BY video.id LIMIT ${maxWithdrawn}
      ), video AS (
        UPDATE videos SET state = 'failed', failure_code = 'infected',
          failure_message = ${failures.infected.message}, progress_percent = 0, source_key = NULL, source_bytes = NULL,
          hls_key = NULL, dash_key = NULL, storyboard_key = NULL, preview_key = NULL, download_key = NULL,
          captions_built = 0, captions_played = '[]', updated_at = now()
        FROM chosen WHERE videos.id = chosen.id
        RETURNING videos.id, videos.owner_id, chosen.prefix
      ), replacement AS (
        UPDATE videos SET deleted_at = now(), updated_at = now()
        FROM video WHERE videos.replaces_id = video.id AND videos.deleted_at IS NULL
        RETURNING videos.id, videos.owner_id
      ), gone AS (SELECT id FROM video UNION ALL SELECT id FROM replacement),
      ${endWorkOf(sql`gone`)},
      stills AS (DELETE FROM thumbnails USING video WHERE thumbnails.video_id = video.id),
      sizes AS (DELETE FROM renditions USING video WHERE renditions.video_id = video.id),
      news AS (
        SELECT 'video.failed' AS type, jsonb_build_object('video_id', id, 'owner_id', owner_id) AS payload FROM video
        UNION ALL
        SELECT 'video.withdrawn', jsonb_build_object('video_id', id, 'owner_id', owner_id, 'prefix', prefix) FROM video
        UNION ALL
        SELECT 'video.deleted', jsonb_build_object('video_id', id, 'owner_id', owner_id) FROM replacement
        UNION ALL
        SELECT 'video.withdrawn', jsonb_build_object('video_id', id, 'owner_id', owner_id,
          'prefix', ${mediaPrefix(scan.videoId, firstRevision)}::text) FROM marked
      ), told AS (
        INSERT INTO outbox (id, type, payload, traceparent)
        SELECT given.id, numbered.type, numbered.payload, ${traceparentOf(ctx.trace)}
        FROM (SELECT news.*, row_number() OVER () AS place FROM news) AS numbered
          JOIN unnest(${textArray(ids)}::uuid[]) WITH ORDINALITY AS given (id, place) USING (place)
        RETURNING id
      ), audit AS (${insertAuditIfAny(
        ctx,
        {
          action: 'video.withdraw',
          target: {
            kind: 'video',
            id: sql`(SELECT coalesce(replaces_id, id)::text FROM videos WHERE id = ${made})`,
          },
          detail: { code: 'infected', upload_id: scan.uploadId },
        },
        sql`(SELECT id FROM marked UNION ALL SELECT id FROM video) AS found`,
      )})
      SELECT (SELECT coalesce(json_agg(id), '[]') FROM video) AS "videoIds",
        (SELECT coalesce(json_agg(id), '[]') FROM told) AS "eventIds"`),
  ]);
  return result.rows[0] as unknown as Withdrawn;
}

/** MediaConvert's ids of the jobs of a video that write below `prefix`. */
export async function findJobsWriting(db: Db, videoId: string, prefix: string): Promise<string[]> {
  const result = await db.execute(sql`
    SELECT provider_job_id AS id FROM encode_jobs
    WHERE video_id = ${videoId}::uuid AND provider_job_id IS NOT NULL
      AND coalesce(plan ->> 'prefix', 'media/' || video_id::text || '/v' || revision::text || '/') = ${prefix}`);
  return result.rows.map((row) => String(row.id));
}
