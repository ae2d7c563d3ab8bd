import { type SQL, sql } from 'drizzle-orm';
import type { Db } from '../../db/client.ts';
import { insertEventIfAny, type OutboxEvent } from '../../db/outbox.ts';
import { runningStates } from './encode-queue.repository.ts';
import {
  type EncodePlan,
  encodePlanSchema,
  type JobKind,
  mediaPrefix,
  type Rung,
} from './policy/encode-plan.ts';
import type { JobFacts, JobPhase, JobState } from './policy/encode-state.ts';
import { type FailureCode, failures } from './policy/failures.ts';
import { hasMoved } from './replacements.repository.ts';
import type { VideoState } from './videos.schemas.ts';

export interface EncodeJobRow {
  readonly id: string;
  readonly videoId: string;
  readonly ownerId: string;
  readonly revision: number;
  readonly attempt: number;
  readonly kind: JobKind;
  readonly isLatestAttempt: boolean;
  readonly providerJobId: string | null;
  readonly state: JobState;
  readonly phase: JobPhase | null;
  readonly percent: number;
  readonly lastReportMs: number | null;
  readonly plan: EncodePlan;
  readonly ageSeconds: number;
  readonly videoState: VideoState;
  readonly videoRevision: number;
  readonly videoDeleted: boolean;
  /** Its file was found harmful. */
  readonly videoWithdrawn: boolean;
  /** The published video whose file is being replaced. */
  readonly replacesId: string | null;
  /** Changes with every applied report; see `saveTransition`. */
  readonly version: string;
}

// `xmin` is the transaction that wrote the row last, so it tells whether the row is still the one that was read.
const jobColumns: SQL = sql`job.id, job.video_id AS "videoId", video.owner_id AS "ownerId", job.revision, job.attempt, job.kind,
  NOT EXISTS (
    SELECT FROM encode_jobs AS later
    WHERE later.video_id = job.video_id AND later.revision = job.revision AND later.kind = job.kind
      AND later.attempt > job.attempt
  ) AS "isLatestAttempt",
  job.provider_job_id AS "providerJobId", job.state, job.phase, job.percent,
  round(extract(epoch FROM job.last_event_at) * 1000)::float8 AS "lastReportMs", job.plan,
  extract(epoch FROM now() - coalesce(job.started_at, job.created_at))::float8 AS "ageSeconds", video.state AS "videoState",
  video.revision AS "videoRevision", video.deleted_at IS NOT NULL AND NOT ${hasMoved('video')} AS "videoDeleted",
  video.state = 'failed' AND video.failure_code = 'infected' AS "videoWithdrawn",
  video.replaces_id AS "replacesId", job.xmin::text AS version`;

const toJob = (row: Record<string, unknown>): EncodeJobRow =>
  ({ ...row, plan: encodePlanSchema.parse(row.plan) }) as unknown as EncodeJobRow;

async function findJob(db: Db, condition: SQL): Promise<EncodeJobRow | undefined> {
  const result = await db.execute(sql`
    SELECT ${jobColumns} FROM encode_jobs AS job JOIN videos AS video ON video.id = job.video_id
    WHERE ${condition} LIMIT 1`);
  const [row] = result.rows;
  return row === undefined ? undefined : toJob(row);
}

/**
 * The job a report speaks of: by MediaConvert's id, or, when its answer to our submission has not been stored yet, by the
 * id we sent along.
 */
export const findReportedJob = (
  db: Db,
  reference: { readonly providerJobId: string | undefined; readonly jobId: string | undefined },
): Promise<EncodeJobRow | undefined> =>
  findJob(
    db,
    sql`job.provider_job_id = ${reference.providerJobId ?? null}::text
      OR (job.id = ${reference.jobId ?? null}::uuid AND job.provider_job_id IS NULL)`,
  );

/** The job that waits to be handed to MediaConvert; without an id, that of what is played of a video's revision. */
export const findSubmittingJob = (
  db: Db,
  wanted: { readonly videoId: string; readonly revision: number; readonly jobId: string | undefined },
): Promise<EncodeJobRow | undefined> =>
  findJob(
    db,
    sql`job.video_id = ${wanted.videoId}::uuid AND job.revision = ${wanted.revision} AND job.state = 'submitting'
      AND ${wanted.jobId === undefined ? sql`job.kind = 'stream'` : sql`job.id = ${wanted.jobId}::uuid`}`,
  );

/** Remembers which MediaConvert job does the work. False when the job has ended meanwhile or has another one. */
export async function markSubmitted(db: Db, jobId: string, providerJobId: string): Promise<boolean> {
  const result = await db.execute(sql`
    UPDATE encode_jobs
    SET provider_job_id = ${providerJobId}, state = CASE state WHEN 'submitting' THEN 'submitted' ELSE state END,
      last_checked_at = now()
    WHERE id = ${jobId}::uuid AND state IN ${runningStates}
      AND coalesce(provider_job_id, ${providerJobId}) = ${providerJobId}
    RETURNING 1`);
  return result.rows.length > 0;
}

/** What a finished encode made, for the video page. */
export interface EncodeOutputs {
  readonly hlsKey: string;
  readonly dashKey: string;
  readonly durationMs: number | null;
  readonly rungs: readonly (Rung & { readonly durationMs: number | null })[];
  readonly thumbnailKeys: readonly string[];
}

export interface TransitionToSave {
  /** Undefined when MediaConvert never took the job. */
  readonly providerJobId: string | undefined;
  readonly job: JobFacts;
  readonly error: { readonly code: string; readonly message: string } | undefined;
  readonly video:
    | { readonly state: 'transcoding' }
    | { readonly state: 'failed'; readonly code: FailureCode }
    | { readonly state: 'published'; readonly outputs: EncodeOutputs }
    // A file that was made of what is published already.
    | { readonly state: 'completed'; readonly file: 'preview' | 'download'; readonly key: string }
    | undefined;
  /** Written when the video changed. */
  readonly event: OutboxEvent | undefined;
  /** Written instead when the video is finished and its time has not come. */
  readonly waiting: OutboxEvent;
  /** Written beside either. */
  readonly extras: OutboxEvent | undefined;
  readonly actualCostMicros: bigint | undefined;
  readonly accelerationStatus: string | undefined;
  /** Set when a message caused this: it then counts as handled in the same transaction. */
  readonly handled: { readonly handler: string; readonly messageId: string } | undefined;
}

/**
 * Applies a transition decided on `job` as it was read: everything in one statement, and only if nobody changed the job
 * since.
 * @returns `conflict` when somebody did: read again and decide anew. `repeated` when the message was handled before.
 */
export async function saveTransition(
  db: Db,
  job: EncodeJobRow,
  next: TransitionToSave,
): Promise<'saved' | 'repeated' | 'conflict'> {
  const { video } = next;
  const outputs = video?.state === 'published' ? video.outputs : undefined;
  const isFinal = next.job.state !== 'progressing';
  const fresh =
    next.handled === undefined
      ? sql`SELECT 1 FROM target`
      : sql`INSERT INTO processed_events (handler, event_id)
          SELECT ${next.handled.handler}, ${next.handled.messageId}::uuid FROM target
          ON CONFLICT DO NOTHING RETURNING 1`;
  const result = await db.execute(sql`
    WITH target AS (
      SELECT id FROM encode_jobs
      WHERE id = ${job.id}::uuid AND xmin::text = ${job.version} FOR UPDATE
    ), fresh AS (${fresh}),
    changed AS (
      UPDATE encode_jobs
      SET provider_job_id = coalesce(${next.providerJobId ?? null}, provider_job_id), state = ${next.job.state}, phase = ${next.job.phase},
        percent = ${next.job.percent}, last_event_at = to_timestamp(${next.job.lastReportMs}::float8 / 1000),
        actual_cost_micros = coalesce(${next.actualCostMicros?.toString() ?? null}::bigint, actual_cost_micros),
        acceleration_status = coalesce(${next.accelerationStatus ?? null}, acceleration_status),
        last_checked_at = now(), error_code = ${next.error?.code ?? null}, error_message = ${next.error?.message ?? null},
        finished_at = CASE WHEN ${isFinal} THEN now() END
      FROM target, fresh WHERE encode_jobs.id = target.id
      RETURNING encode_jobs.video_id
    ), ${outputs !== undefined && job.replacesId !== null ? movedVideo(job, job.replacesId, outputs) : changedVideo(job, next)},
    new_renditions AS (
      INSERT INTO renditions (video_id, revision, name, width, height, max_bitrate, duration_ms)
      SELECT video.id, video.revision, rung.name, rung.width, rung.height, rung."maxBitrate", rung."durationMs"
      FROM video, jsonb_to_recordset(${JSON.stringify(outputs?.rungs ?? [])}::jsonb)
        AS rung(name text, width int, height int, "maxBitrate" int, "durationMs" bigint)
      ON CONFLICT DO NOTHING
    ), new_thumbnails AS (
      INSERT INTO thumbnails (video_id, revision, position, object_key)
      SELECT video.id, video.revision, thumbnail.position - 1, thumbnail.key
      FROM video, jsonb_array_elements_text(${JSON.stringify(outputs?.thumbnailKeys ?? [])}::jsonb)
        WITH ORDINALITY AS thumbnail(key, position)
      ON CONFLICT DO NOTHING
    ), event AS (${eventWhere(next.event, sql`(SELECT FROM video WHERE NOT is_waiting) AS told`)}),
    waiting AS (${eventWhere(next.event === undefined ? undefined : next.waiting, sql`(SELECT FROM video WHERE is_waiting) AS told`)}),
    extras AS (${eventWhere(next.extras, sql`video`)})
    SELECT (SELECT count(*) FROM target)::int AS target, (SELECT count(*) FROM fresh)::int AS fresh`);
  const row = result.rows[0] as { target: number; fresh: number } | undefined;
  if (row === undefined || row.target === 0) return 'conflict';
  return row.fresh === 0 ? 'repeated' : 'saved';
}

const eventWhere = (event: OutboxEvent | undefined, source: SQL): SQL =>
  event === undefined ? sql`SELECT 1 WHERE false` : insertEventIfAny(event, source);

/** The CTE `video`: the job's own video, changed. */
const changedVideo = (job: EncodeJobRow, next: TransitionToSave): SQL => sql`
  video AS (
    UPDATE videos SET ${videoAssignments(next)}
    FROM changed
    WHERE ${next.video !== undefined} AND videos.id = changed.video_id
      AND videos.state = ${next.video?.state === 'completed' ? 'published' : 'transcoding'}
      AND videos.revision = ${job.revision} AND videos.deleted_at IS NULL
    RETURNING videos.id, videos.revision, videos.state = 'published' AND videos.announced_at IS NULL AS is_waiting
  )`;

/**
 * The CTE `video`: the video that is replaced, with a new revision that is played from the files of the job's own, which is
 * left behind. The replaced one is locked first, as deleting does. What waits to be made of the old file is not made any more;
 * what is being made is of an older revision, and changes nothing when it is done.
 */
const movedVideo = (job: EncodeJobRow, replacesId: string, outputs: EncodeOutputs): SQL => sql`
  replaced AS (
    SELECT id FROM videos WHERE id = ${replacesId}::uuid AND state = 'published' AND deleted_at IS NULL FOR UPDATE
  ), moved AS (
    UPDATE videos SET state = 'published', ${playedFrom(outputs)}, published_at = now(), deleted_at = now(),
      updated_at = now()
    FROM changed, replaced
    WHERE videos.id = changed.video_id AND videos.state = 'transcoding' AND videos.revision = ${job.revision}
      AND videos.deleted_at IS NULL
    RETURNING videos.*
  ), video AS (
    UPDATE videos SET ${playedFrom(outputs, sql`moved.duration_ms`)}, revision = videos.revision + 1,
      media_prefix = ${mediaPrefix(job.videoId, job.revision)}, source_key = moved.source_key,
      source_bytes = moved.source_bytes, container = moved.container, width = moved.width, height = moved.height,
      frame_rate = moved.frame_rate, video_codec = moved.video_codec, audio_codec = moved.audio_codec,
      superseded_at = now(), updated_at = now()
    FROM moved WHERE videos.id = moved.replaces_id
    RETURNING videos.id, videos.revision, false AS is_waiting
  ), obsolete AS (
    UPDATE encode_jobs SET state = 'canceled', finished_at = now()
    FROM video WHERE encode_jobs.video_id = video.id AND encode_jobs.state = 'queued'
  )`;

const playedFrom = (outputs: EncodeOutputs, durationMs: SQL = sql`duration_ms`): SQL =>
  sql`progress_percent = 100, hls_key = ${outputs.hlsKey}, dash_key = ${outputs.dashKey},
    captions_built = 0, captions_played = '[]', storyboard_key = NULL, preview_key = NULL, download_key = NULL,
    extras_due_at = now(),
    duration_ms = coalesce(${outputs.durationMs}::bigint, ${durationMs})`;

function videoAssignments({ job, video }: TransitionToSave): SQL {
  switch (video?.state) {
    case 'published':
      return sql`state = 'published', ${playedFrom(video.outputs)}, published_at = greatest(now(), publish_at),
        announced_at = CASE WHEN publish_at > now() THEN NULL ELSE now() END, updated_at = now()`;
    case 'completed':
      return video.file === 'preview' ? sql`preview_key = ${video.key}` : sql`download_key = ${video.key}`;
    case 'failed':
      return sql`state = 'failed', failure_code = ${video.code}, failure_message = ${failures[video.code].message},
        updated_at = now()`;
    default:
      return sql`progress_percent = ${job.percent}, updated_at = now()`;
  }
}

/** Running jobs nobody has heard of for `silentSeconds`, oldest news first; they count as looked at from now on. */
export async function claimSilentJobs(
  db: Db,
  options: { readonly nowMs: number; readonly silentSeconds: number; readonly limit: number },
): Promise<EncodeJobRow[]> {
  const result = await db.execute(sql`
    WITH silent AS (
      SELECT id FROM encode_jobs
      WHERE state IN ${runningStates}
        AND last_checked_at < to_timestamp(${options.nowMs}::float8 / 1000) - make_interval(secs => ${options.silentSeconds})
      ORDER BY last_checked_at LIMIT ${options.limit} FOR UPDATE SKIP LOCKED
    ), job AS (
      UPDATE encode_jobs SET last_checked_at = to_timestamp(${options.nowMs}::float8 / 1000)
      FROM silent WHERE encode_jobs.id = silent.id
      RETURNING encode_jobs.*, encode_jobs.xmin AS xmin
    )
    SELECT ${jobColumns} FROM job JOIN videos AS video ON video.id = job.video_id`);
  return result.rows.map(toJob);
}

/** MediaConvert's ids of every job a video ever had. */
export async function findProviderJobIds(db: Db, videoId: string): Promise<string[]> {
  const result = await db.execute(sql`
    SELECT provider_job_id AS id FROM encode_jobs
    WHERE video_id = ${videoId}::uuid AND provider_job_id IS NOT NULL`);
  return result.rows.map((row) => String(row.id));
}
