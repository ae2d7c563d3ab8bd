import { type SQL, sql } from 'drizzle-orm';
import type { Db } from '../../db/client.ts';
import { type CaptionRow, captionsOf, type PlayedCaptions } from './captions.repository.ts';
import { queueJob } from './encode-queue.repository.ts';
import { type EncodePlan, encodePlanSchema } from './policy/encode-plan.ts';
import type { NewEncodeJob } from './policy/encode-queue.ts';

const maxAttempts = 3;

/** A published video and what it has beside what is played. */
export interface VideoExtras {
  readonly id: string;
  readonly revision: number;
  readonly hlsKey: string;
  readonly dashKey: string;
  readonly durationMs: number;
  readonly storyboardKey: string | null;
  readonly wantsPreview: boolean;
  readonly wantsDownload: boolean;
  readonly captionsWanted: number;
  readonly captionsBuilt: number;
  readonly captions: readonly CaptionRow[];
  /** Of the job whose files are played; null when it is not known any more. */
  readonly plan: EncodePlan | null;
  /** Since when something may be missing, as the database writes it, to compare. */
  readonly dueSince: string | null;
}

/** The plan of the job whose files `videos AS video` plays, as JSON. */
export const playedPlan: SQL = sql`(
  SELECT job.plan FROM encode_jobs AS job
    WHERE job.video_id = coalesce(split_part(video.media_prefix, '/', 2)::uuid, video.id)
      AND job.revision = coalesce(substring(split_part(video.media_prefix, '/', 3) FROM 2)::int, video.revision)
      AND job.kind = 'stream'
      AND job.state = 'complete'
    ORDER BY job.attempt DESC LIMIT 1)`;

export async function findVideoExtras(db: Db, videoId: string): Promise<VideoExtras | undefined> {
  const result = await db.execute(sql`
    SELECT video.id, video.revision, video.hls_key AS "hlsKey",
      video.dash_key AS "dashKey", coalesce(video.duration_ms, 0)::float8 AS "durationMs",
      video.storyboard_key AS "storyboardKey", video.preview_key IS NULL AS "wantsPreview",
      video.downloads_enabled AND video.download_key IS NULL AS "wantsDownload",
      video.extras_due_at::text AS "dueSince", video.captions_wanted AS "captionsWanted", video.captions_built AS "captionsBuilt", ${captionsOf} AS captions,
      ${playedPlan} AS plan
    FROM videos AS video
    WHERE video.id = ${videoId}::uuid AND video.state = 'published' AND video.deleted_at IS NULL
      AND video.replaces_id IS NULL AND video.hls_key IS NOT NULL AND video.dash_key IS NOT NULL`);
  const row = result.rows[0] as (Omit<VideoExtras, 'plan'> & { plan: unknown }) | undefined;
  if (row === undefined) return undefined;
  const plan = encodePlanSchema.safeParse(row.plan);
  return { ...row, plan: plan.success ? plan.data : null };
}

/** Notes where the scrub pictures' index of a revision is. */
export async function saveStoryboard(
  db: Db,
  video: Pick<VideoExtras, 'id' | 'revision'>,
  key: string,
): Promise<void> {
  await db.execute(sql`
    UPDATE videos SET storyboard_key = ${key}
    WHERE id = ${video.id}::uuid AND revision = ${video.revision} AND state = 'published' AND deleted_at IS NULL`);
}

/** Has the manifests with the tracks of `captionsWanted` changes played from now on, unless later ones are already. */
export async function saveManifests(
  db: Db,
  video: Pick<VideoExtras, 'id' | 'revision' | 'captionsWanted'>,
  made: {
    readonly hlsKey: string;
    readonly dashKey: string;
    /** What they name. */
    readonly captions: readonly PlayedCaptions[];
  },
): Promise<boolean> {
  const result = await db.execute(sql`
    UPDATE videos SET hls_key = ${made.hlsKey}, dash_key = ${made.dashKey}, captions_built = ${video.captionsWanted},
      captions_played = ${JSON.stringify(made.captions)}::jsonb, updated_at = now()
    WHERE id = ${video.id}::uuid AND revision = ${video.revision} AND captions_built < ${video.captionsWanted}
      AND state = 'published' AND deleted_at IS NULL
    RETURNING 1`);
  return result.rows.length > 0;
}

/** Queues a job for a single file of a published video, unless one is unfinished or it has failed too often. */
export async function queueExtra(db: Db, job: NewEncodeJob): Promise<boolean> {
  const { plan } = job;
  const result = await db.execute(sql`
    WITH wanted AS (
      SELECT videos.id AS video_id, videos.owner_id, videos.revision, 1 + (
          SELECT coalesce(max(earlier.attempt), 0) FROM encode_jobs AS earlier
          WHERE earlier.video_id = videos.id AND earlier.revision = videos.revision AND earlier.kind = ${plan.kind}
        ) AS attempt
      FROM videos
      WHERE videos.id = ${plan.videoId}::uuid AND videos.revision = ${plan.revision} AND videos.state = 'published'
        AND videos.deleted_at IS NULL
        AND CASE ${plan.kind} WHEN 'preview' THEN videos.preview_key ELSE videos.download_key END IS NULL
    ), room AS (SELECT * FROM wanted WHERE attempt <= ${maxAttempts}),
    job AS (${queueJob(job, sql`room`)})
    SELECT id FROM job`);
  return result.rows.length > 0;
}

/** Notes that nothing is missing beside what is played, unless that may have changed since the video was read. */
export async function settleExtras(db: Db, video: Pick<VideoExtras, 'id' | 'dueSince'>): Promise<void> {
  await db.execute(sql`
    UPDATE videos SET extras_due_at = NULL
    WHERE id = ${video.id}::uuid AND extras_due_at = ${video.dueSince}::timestamptz`);
}

/**
 * Published videos that may have missed something beside what is played for `silentSeconds`; they count as looked at from now
 * on, so that one that fails again and again lets others go first.
 */
export async function claimMissingExtras(
  db: Db,
  options: { readonly nowMs: number; readonly silentSeconds: number; readonly limit: number },
): Promise<string[]> {
  const now = sql`to_timestamp(${options.nowMs}::float8 / 1000)`;
  const result = await db.execute(sql`
    WITH due AS (
      SELECT id FROM videos
      WHERE extras_due_at < ${now} - make_interval(secs => ${options.silentSeconds}) AND state = 'published'
        AND deleted_at IS NULL AND replaces_id IS NULL
      ORDER BY extras_due_at LIMIT ${options.limit} FOR UPDATE SKIP LOCKED
    )
    UPDATE videos SET extras_due_at = ${now} FROM due WHERE videos.id = due.id RETURNING videos.id`);
  return result.rows.map((row) => String(row.id));
}

/** Published videos whose manifests do not know all their tracks though nothing has happened for a while. */
export async function findUnbuiltCaptions(db: Db, silentSeconds: number, limit: number): Promise<string[]> {
  const result = await db.execute(sql`
    SELECT id FROM videos
    WHERE captions_built < captions_wanted AND state = 'published' AND deleted_at IS NULL AND hls_key IS NOT NULL
      AND updated_at < now() - make_interval(secs => ${silentSeconds})
    ORDER BY updated_at LIMIT ${limit}`);
  return result.rows.map((row) => String(row.id));
}
