import { sql } from 'drizzle-orm';
import type { Db } from '../../db/client.ts';
import { insertEventIfAny, type OutboxEvent } from '../../db/outbox.ts';
import { queueJob } from './encode-queue.repository.ts';
import type { EncodePlan } from './policy/encode-plan.ts';
import type { NewEncodeJob } from './policy/encode-queue.ts';
import { type FailureCode, failures } from './policy/failures.ts';
import type { Watermark } from './policy/plan-pictures.ts';
import type { ProbeFacts } from './policy/probe-verdict.ts';
import { watermarkOf } from './watermarks.repository.ts';

export interface VideoToProbe {
  readonly id: string;
  readonly ownerId: string;
  readonly revision: number;
  readonly sourceKey: string;
  readonly sourceBytes: number;
  readonly watermark: Watermark | null;
  /** Captions to draw into the picture, where some were asked for and are there. */
  readonly burnIn: EncodePlan['burnIn'];
}

/** A video that waits to be probed. */
export async function findVideoToProbe(
  db: Db,
  videoId: string,
  revision: number,
): Promise<VideoToProbe | undefined> {
  const result = await db.execute(sql`
    SELECT id, owner_id AS "ownerId", revision, source_key AS "sourceKey", source_bytes::float8 AS "sourceBytes",
      ${watermarkOf(sql`videos.owner_id`)} AS watermark,
      (SELECT json_build_object('language', track.language, 'key', track.object_key) FROM captions AS track
        WHERE track.video_id = videos.id AND track.language = videos.burn_in_captions) AS "burnIn"
    FROM videos
    WHERE id = ${videoId}::uuid AND revision = ${revision} AND state = 'probing' AND source_key IS NOT NULL
      AND deleted_at IS NULL`);
  return result.rows[0] as VideoToProbe | undefined;
}

/** Keeps what the probe found and queues the encode. Once only. */
export async function acceptProbe(
  db: Db,
  accepted: {
    readonly facts: ProbeFacts;
    readonly job: NewEncodeJob;
  },
): Promise<boolean> {
  const { facts, job } = accepted;
  const { plan } = job;
  const result = await db.execute(sql`
    WITH video AS (
      UPDATE videos SET state = 'transcoding', container = ${facts.container}, duration_ms = ${facts.durationMs}::bigint,
        width = ${facts.picture?.width ?? null}::int, height = ${facts.picture?.height ?? null}::int,
        frame_rate = ${facts.picture?.frameRate ?? null}::float8, video_codec = ${facts.picture?.codec ?? null},
        audio_codec = ${facts.sound?.codec ?? null}, updated_at = now()
      WHERE id = ${plan.videoId}::uuid AND revision = ${plan.revision} AND state = 'probing' AND deleted_at IS NULL
      RETURNING id AS video_id, owner_id, revision, 1 AS attempt
    ), job AS (${queueJob(job, sql`video`)})
    SELECT 1 FROM video`);
  return result.rows.length > 0;
}

/** Ends a video that cannot be published, with the reason. Once only. */
export async function refuseVideo(
  db: Db,
  refused: {
    readonly videoId: string;
    readonly revision: number;
    readonly code: FailureCode;
    readonly failed: OutboxEvent;
  },
): Promise<boolean> {
  const result = await db.execute(sql`
    WITH video AS (
      UPDATE videos SET state = 'failed', failure_code = ${refused.code},
        failure_message = ${failures[refused.code].message}, updated_at = now()
      WHERE id = ${refused.videoId}::uuid AND revision = ${refused.revision} AND state = 'probing'
        AND deleted_at IS NULL
      RETURNING id
    ), event AS (${insertEventIfAny(refused.failed, sql`video`)})
    SELECT 1 FROM video`);
  return result.rows.length > 0;
}

export interface StalledProbe {
  readonly id: string;
  readonly ownerId: string;
  readonly revision: number;
  /** Since the file arrived, or the recording ended. */
  readonly waitingSeconds: number;
}

/** Videos that have waited for their probe longer than `silentSeconds`; they count as looked at from now on. */
export async function claimStalledProbes(
  db: Db,
  options: { readonly nowMs: number; readonly silentSeconds: number; readonly limit: number },
): Promise<StalledProbe[]> {
  const now = sql`to_timestamp(${options.nowMs}::float8 / 1000)`;
  const result = await db.execute(sql`
    WITH stalled AS (
      SELECT id FROM videos
      WHERE state = 'probing' AND source_key IS NOT NULL AND deleted_at IS NULL
        AND updated_at < ${now} - make_interval(secs => ${options.silentSeconds})
      ORDER BY updated_at LIMIT ${options.limit} FOR UPDATE SKIP LOCKED
    )
    UPDATE videos SET updated_at = ${now} FROM stalled WHERE videos.id = stalled.id
    RETURNING videos.id, videos.owner_id AS "ownerId", videos.revision,
      extract(epoch FROM ${now} - coalesce((
        SELECT max(uploads.finished_at) FROM uploads WHERE uploads.video_id = videos.id
      ), videos.created_at))::float8 AS "waitingSeconds"`);
  return result.rows as unknown as StalledProbe[];
}
