import { type SQL, sql } from 'drizzle-orm';
import type { RequestContext } from '../../context.ts';
import { insertAuditIfAny } from '../../db/audit.ts';
import type { Db } from '../../db/client.ts';
import { insertEventIfAny, type OutboxEvent } from '../../db/outbox.ts';
import type { CaptionRow } from './captions.repository.ts';
import { captionsOf } from './captions.repository.ts';
import { queueJob } from './encode-queue.repository.ts';
import { playedPlan } from './extras.repository.ts';
import type { CaptionsToCut } from './policy/clip-captions.ts';
import type { Colour } from './policy/colour.ts';
import type { EncodePlan, JobKind } from './policy/encode-plan.ts';
import type { NewEncodeJob } from './policy/encode-queue.ts';
import type { JobState } from './policy/encode-state.ts';
import type { Watermark } from './policy/plan-pictures.ts';
import { watermarkOf } from './watermarks.repository.ts';

const utc = (column: SQL): SQL => sql`to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** What the page of a video shows of what was made beside what is played. */
export interface ExtrasRow {
  readonly storyboardKey: string | null;
  readonly previewKey: string | null;
  readonly downloadKey: string | null;
  readonly captionsBuilt: boolean;
  readonly captions: readonly CaptionRow[];
  readonly clippedFrom: string | null;
}

/** The columns of `ExtrasRow` of `videos AS video` as a JSON object. */
export const extrasJson: SQL = sql`json_build_object('storyboardKey', video.storyboard_key,
  'previewKey', video.preview_key,
  'downloadKey', CASE WHEN video.downloads_enabled THEN video.download_key END,
  'captionsBuilt', video.captions_built >= video.captions_wanted, 'captions', ${captionsOf},
  'clippedFrom', video.clipped_from)`;

export interface JobView {
  readonly id: string;
  readonly kind: JobKind;
  readonly revision: number;
  readonly attempt: number;
  readonly state: JobState;
  readonly percent: number;
  readonly queuePosition: number | null;
  readonly accelerationStatus: string | null;
  readonly plan: Pick<EncodePlan, 'burnIn' | 'watermark' | 'acceleration' | 'lane'>;
  readonly estimatedCostMicros: string | null;
  readonly actualCostMicros: string | null;
  readonly currency: string | null;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
}

export interface EncodingRow {
  readonly downloadsEnabled: boolean;
  readonly burnInCaptions: string | null;
  readonly jobs: readonly JobView[];
}

const maxJobsShown = 50;

// Of `video`, a row of `videos`, the newest job first.
const encodingColumns: SQL = sql`video.downloads_enabled AS "downloadsEnabled", video.burn_in_captions AS "burnInCaptions",
      (SELECT coalesce(json_agg(json_build_object(
          'id', job.id, 'kind', job.kind, 'revision', job.revision, 'attempt', job.attempt, 'state', job.state,
          'percent', job.percent, 'accelerationStatus', job.acceleration_status,
          'queuePosition', CASE WHEN job.state = 'queued' THEN 1 + (
            SELECT count(*) FROM encode_jobs AS before
            WHERE before.state = 'queued' AND (before.due_at, before.id) < (job.due_at, job.id)) END,
          'plan', json_build_object('burnIn', job.plan -> 'burnIn', 'watermark', job.plan -> 'watermark',
            'acceleration', job.plan -> 'acceleration', 'lane', job.plan -> 'lane'),
          'estimatedCostMicros', job.estimated_cost_micros::text, 'actualCostMicros', job.actual_cost_micros::text,
          'currency', job.currency, 'createdAt', ${utc(sql`job.created_at`)},
          'startedAt', ${utc(sql`job.started_at`)}, 'finishedAt', ${utc(sql`job.finished_at`)})
          ORDER BY job.created_at DESC, job.id DESC), '[]')
        FROM (SELECT * FROM encode_jobs WHERE video_id = video.id ORDER BY created_at DESC, id DESC LIMIT ${maxJobsShown})
          AS job) AS jobs`;

/** How an owner's video was and is converted. */
export async function findEncoding(
  db: Db,
  videoId: string,
  ownerId: string,
): Promise<EncodingRow | undefined> {
  const result = await db.execute(sql`
    SELECT ${encodingColumns} FROM videos AS video
    WHERE video.id = ${videoId}::uuid AND video.owner_id = ${ownerId}::uuid AND video.deleted_at IS NULL
      AND video.replaces_id IS NULL`);
  return result.rows[0] as EncodingRow | undefined;
}

/** How anybody's video was and is converted, for staff; the look is written down in the same statement. */
export async function findEncodingForStaff(
  ctx: RequestContext,
  videoId: string,
): Promise<EncodingRow | undefined> {
  const audit = { action: 'video.encoding_viewed', target: { kind: 'video', id: videoId } } as const;
  const result = await ctx.databases.primary.execute(sql`
    WITH video AS (SELECT * FROM videos WHERE id = ${videoId}::uuid),
    audit AS (${insertAuditIfAny(ctx, audit, sql`video`)})
    SELECT ${encodingColumns} FROM video`);
  return result.rows[0] as EncodingRow | undefined;
}

export interface EncodingChange {
  readonly downloadsEnabled: boolean | undefined;
  /** Null for none; undefined leaves it. */
  readonly burnInCaptions: string | null | undefined;
}

/**
 * Changes how an owner's video is converted; `wanted` has what is missing made.
 * @returns undefined when there is no such video, `too_late` when the pictures are being made or are made already.
 */
export async function changeEncoding(
  db: Db,
  video: { readonly id: string; readonly ownerId: string },
  change: EncodingChange,
  wanted: OutboxEvent,
): Promise<'changed' | 'too_late' | undefined> {
  const assignments = [sql`updated_at = now()`];
  if (change.downloadsEnabled !== undefined)
    assignments.push(sql`downloads_enabled = ${change.downloadsEnabled}, extras_due_at = now()`);
  if (change.burnInCaptions !== undefined) assignments.push(sql`burn_in_captions = ${change.burnInCaptions}`);
  const inTime =
    change.burnInCaptions === undefined ? sql`true` : sql`state IN ('uploading', 'scanning', 'probing')`;
  const result = await db.execute(sql`
    WITH target AS (
      SELECT id, ${inTime} AS in_time FROM videos
      WHERE id = ${video.id}::uuid AND owner_id = ${video.ownerId}::uuid AND deleted_at IS NULL
        AND replaces_id IS NULL FOR UPDATE
    ), changed AS (
      UPDATE videos SET ${sql.join(assignments, sql`, `)} FROM target
      WHERE videos.id = target.id AND target.in_time RETURNING videos.id
    ), event AS (${insertEventIfAny(wanted, sql`changed`)})
    SELECT target.in_time AS "inTime" FROM target`);
  const [row] = result.rows;
  return row === undefined ? undefined : row.inTime === true ? 'changed' : 'too_late';
}

/** A video as a clip is made of it. */
export interface ClipSource {
  readonly id: string;
  readonly title: string;
  readonly visibility: string;
  readonly state: string;
  readonly sourceKey: string | null;
  readonly sourceBytes: number | null;
  readonly container: string | null;
  readonly durationMs: number | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly frameRate: number | null;
  readonly videoCodec: string | null;
  readonly audioCodec: string | null;
  readonly colour: Colour;
  /** Where the source itself begins in its original, when it is a clip. */
  readonly offsetMs: number;
  readonly watermark: Watermark | null;
  readonly captions: readonly CaptionRow[];
  /** What it still waits for itself, when it is a clip. */
  readonly captionsToCut: readonly CaptionsToCut[] | null;
  /** Whether a video with the new clip's id exists already. */
  readonly exists: boolean;
}

export async function findClipSource(
  db: Db,
  videoId: string,
  ownerId: string,
  clipId: string,
): Promise<ClipSource | undefined> {
  const result = await db.execute(sql`
    SELECT video.id, video.title, video.visibility, video.state, video.source_key AS "sourceKey",
      video.source_bytes::float8 AS "sourceBytes", video.container, video.duration_ms::float8 AS "durationMs",
      video.width, video.height, video.frame_rate AS "frameRate", video.video_codec AS "videoCodec",
      video.audio_codec AS "audioCodec", coalesce(video.clip_start_ms, 0)::float8 AS "offsetMs",
      ${watermarkOf(sql`video.owner_id`)} AS watermark, ${captionsOf} AS captions,
      video.captions_to_cut AS "captionsToCut", coalesce(${playedPlan} ->> 'colour', 'plain') AS colour,
      EXISTS (SELECT FROM videos AS clip WHERE clip.id = ${clipId}::uuid) AS exists
    FROM videos AS video
    WHERE video.id = ${videoId}::uuid AND video.owner_id = ${ownerId}::uuid AND video.deleted_at IS NULL
      AND video.replaces_id IS NULL`);
  return result.rows[0] as ClipSource | undefined;
}

export interface NewClip {
  readonly id: string;
  readonly ownerId: string;
  readonly sourceId: string;
  readonly title: string;
  readonly description: string;
  readonly visibility: string;
  /** Within the original file. */
  readonly startMs: number;
  readonly endMs: number;
  readonly captionsToCut: readonly CaptionsToCut[];
  readonly job: NewEncodeJob;
}

/**
 * Makes a clip of an owner's published video, for those whom that is for, and queues its encode; `wanted` has its captions cut, if there are any.
 * @returns false when the video is not there any more.
 */
export async function insertClip(db: Db, clip: NewClip, wanted: OutboxEvent): Promise<boolean> {
  const toCut = clip.captionsToCut.length === 0 ? null : JSON.stringify(clip.captionsToCut);
  const result = await db.execute(sql`
    WITH clip AS (
      INSERT INTO videos (id, owner_id, title, description, visibility, state, source_key, source_bytes, container,
        duration_ms, width, height, frame_rate, video_codec, audio_codec, clipped_from, clip_start_ms, clip_end_ms,
        captions_to_cut, publish_at, password_hash, age_restricted, geo_mode, geo_countries, embed_mode, embed_domains)
      SELECT ${clip.id}::uuid, owner_id, ${clip.title}, ${clip.description}, ${clip.visibility}, 'transcoding',
        source_key, source_bytes, container, ${clip.endMs - clip.startMs}::bigint, width, height, frame_rate,
        video_codec, audio_codec, id, ${clip.startMs}::bigint, ${clip.endMs}::bigint, ${toCut}::jsonb,
        CASE WHEN publish_at > now() THEN publish_at END, password_hash, age_restricted, geo_mode, geo_countries,
        embed_mode, embed_domains
      FROM videos
      WHERE id = ${clip.sourceId}::uuid AND owner_id = ${clip.ownerId}::uuid AND state = 'published'
        AND deleted_at IS NULL AND replaces_id IS NULL
      -- Who takes it back at this moment either finds the clip or is found.
      FOR SHARE
      ON CONFLICT (id) DO NOTHING
      RETURNING id AS video_id, owner_id, revision, 1 AS attempt, captions_to_cut
    ), job AS (${queueJob(clip.job, sql`clip`)}),
    captioned AS (SELECT FROM clip WHERE captions_to_cut IS NOT NULL),
    event AS (${insertEventIfAny(wanted, sql`captioned`)})
    SELECT 1 FROM clip`);
  return result.rows.length > 0;
}
