import { type SQL, sql } from 'drizzle-orm';
import type { Db } from '../../db/client.ts';
import { insertEventFrom } from '../../db/counting.ts';
import type { OutboxEvent } from '../../db/outbox.ts';
import type { VideoState } from './videos.schemas.ts';

/**
 * A file that is to replace a video's goes through the pipeline in a row of its own, which nobody is shown: `replaces_id` names
 * the video. When it is done its files move there in one statement, and the row stays behind, `published` and deleted.
 */
export const hasMoved = (alias: string): SQL => {
  const video = sql.identifier(alias);
  return sql`(${video}.replaces_id IS NOT NULL AND ${video}.state = 'published')`;
};

export interface ReplacementRow {
  readonly uploadId: string | null;
  readonly state: VideoState;
  readonly progressPercent: number;
  readonly failureCode: string | null;
  readonly failureMessage: string | null;
}

/** The `ReplacementRow` of `video`, for its owner only. */
export const replacementJson = (viewerId: string | undefined): SQL => sql`
  CASE WHEN video.owner_id = ${viewerId ?? null}::uuid THEN (
    SELECT json_build_object('state', next.state, 'progressPercent', next.progress_percent,
      'failureCode', next.failure_code, 'failureMessage', next.failure_message,
      'uploadId', (SELECT uploads.id FROM uploads WHERE uploads.video_id = next.id ORDER BY uploads.id DESC LIMIT 1))
    FROM videos AS next
    WHERE next.replaces_id = video.id AND next.deleted_at IS NULL ORDER BY next.id DESC LIMIT 1
  ) END`;

/** The CTEs that end the uploads and jobs of the videos whose ids `source` has. */
export const endWorkOf = (source: SQL): SQL => sql`
  ended_uploads AS (
    UPDATE uploads SET state = 'aborted', finished_at = now()
    FROM ${source} AS ended WHERE uploads.video_id = ended.id AND uploads.state IN ('open', 'completing')
  ), ended_jobs AS (
    UPDATE encode_jobs SET state = 'canceled', finished_at = now()
    FROM ${source} AS ended
    WHERE encode_jobs.video_id = ended.id AND encode_jobs.state IN ('queued', 'submitting', 'submitted', 'progressing')
  )`;

/**
 * Gives up what was to replace a video's file; `deleted` has it removed, its payload is filled in.
 * @returns false when nothing was.
 */
export async function endReplacement(
  db: Db,
  videoId: string,
  ownerId: string,
  deleted: OutboxEvent,
): Promise<boolean> {
  const result = await db.execute(sql`
    WITH replacement AS (
      UPDATE videos SET deleted_at = now(), updated_at = now()
      WHERE replaces_id = ${videoId}::uuid AND owner_id = ${ownerId}::uuid AND deleted_at IS NULL RETURNING id
    ), ${endWorkOf(sql`replacement`)},
    event AS (${insertEventFrom(
      deleted,
      sql`jsonb_build_object('video_id', replacement.id, 'owner_id', ${ownerId}::text)`,
      sql`(SELECT id FROM replacement LIMIT 1) AS replacement`,
    )})
    SELECT 1 FROM replacement`);
  return result.rows.length > 0;
}

/** A video and every row whose files were or are to be its own. */
export async function listFamily(db: Db, videoId: string): Promise<string[]> {
  const result = await db.execute(sql`
    SELECT id FROM videos WHERE id = ${videoId}::uuid OR replaces_id = ${videoId}::uuid ORDER BY id`);
  return result.rows.map((row) => String(row.id));
}

export interface FailedReplacement {
  /** The video that stays as it is. */
  readonly videoId: string;
  readonly title: string;
  readonly uploadId: string | null;
  readonly failureCode: string;
  readonly failureMessage: string | null;
}

/** The file that was to replace a video's and could not; undefined when `id` is no such row, or its owner has gone on since. */
export async function findFailedReplacement(db: Db, id: string): Promise<FailedReplacement | undefined> {
  const result = await db.execute(sql`
    SELECT video.id AS "videoId", video.title, next.failure_code AS "failureCode",
      next.failure_message AS "failureMessage",
      (SELECT uploads.id FROM uploads WHERE uploads.video_id = next.id ORDER BY uploads.id DESC LIMIT 1) AS "uploadId"
    FROM videos AS next JOIN videos AS video ON video.id = next.replaces_id
    WHERE next.id = ${id}::uuid AND next.state = 'failed' AND next.failure_code IS NOT NULL
      AND next.deleted_at IS NULL AND video.deleted_at IS NULL`);
  return result.rows[0] as FailedReplacement | undefined;
}

export interface OwnReplacement {
  /** The newest file that is to replace the video's, or was; null when there is none. */
  readonly next: {
    readonly id: string;
    readonly state: VideoState;
    readonly revision: number;
    readonly failureCode: string | null;
  } | null;
  /** Whether a job with the given id works, or has worked, for such a file. */
  readonly hasJob: boolean;
}

/** How the replacement of an owner's file stands; undefined when the owner has no such video. */
export async function findOwnReplacement(
  db: Db,
  videoId: string,
  ownerId: string,
  jobId: string,
): Promise<OwnReplacement | undefined> {
  const result = await db.execute(sql`
    SELECT (
        SELECT json_build_object('id', next.id, 'state', next.state, 'revision', next.revision,
          'failureCode', next.failure_code)
        FROM videos AS next
        WHERE next.replaces_id = video.id AND next.deleted_at IS NULL ORDER BY next.id DESC LIMIT 1
      ) AS next,
      EXISTS (
        SELECT FROM encode_jobs AS job JOIN videos AS made ON made.id = job.video_id
        WHERE job.id = ${jobId}::uuid AND made.replaces_id = video.id
      ) AS "hasJob"
    FROM videos AS video
    WHERE video.id = ${videoId}::uuid AND video.owner_id = ${ownerId}::uuid AND video.deleted_at IS NULL
      AND video.replaces_id IS NULL`);
  return result.rows[0] as OwnReplacement | undefined;
}

/** The video a row nobody sees is to replace. */
export async function findReplaced(db: Db, videoId: string): Promise<string | undefined> {
  const result = await db.execute(sql`
    SELECT replaces_id AS "replacesId" FROM videos WHERE id = ${videoId}::uuid AND replaces_id IS NOT NULL`);
  return result.rows[0]?.replacesId as string | undefined;
}

export interface Superseded {
  readonly id: string;
  /** As the database writes it, to compare. */
  readonly since: string;
  readonly sourceKey: string | null;
  readonly mediaPrefix: string | null;
  /** The rows whose files were the video's once or are now: its own and those that moved. */
  readonly familyIds: readonly string[];
}

/** Videos whose files before the last replacement are older than the grace. */
export async function listSuperseded(
  db: Db,
  options: { readonly beforeMs: number; readonly limit: number },
): Promise<Superseded[]> {
  const result = await db.execute(sql`
    SELECT video.id, video.superseded_at::text AS since, video.source_key AS "sourceKey",
      video.media_prefix AS "mediaPrefix",
      (SELECT json_agg(member.id) FROM videos AS member
        WHERE member.id = video.id OR (member.replaces_id = video.id AND ${hasMoved('member')})) AS "familyIds"
    FROM videos AS video
    WHERE video.superseded_at < to_timestamp(${options.beforeMs}::float8 / 1000) AND video.deleted_at IS NULL
    ORDER BY video.superseded_at LIMIT ${options.limit}`);
  return result.rows as unknown as Superseded[];
}

/** Notes that nothing of what was superseded is left, unless the file was replaced again since. */
export async function settleSuperseded(db: Db, superseded: Superseded): Promise<void> {
  await db.execute(sql`
    UPDATE videos SET superseded_at = NULL
    WHERE id = ${superseded.id}::uuid AND superseded_at = ${superseded.since}::timestamptz`);
}
