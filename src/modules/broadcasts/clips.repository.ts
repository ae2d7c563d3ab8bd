import { sql } from 'drizzle-orm';
import type { Db } from '../../db/client.ts';
import { insertEventIfAny, type OutboxEvent } from '../../db/outbox.ts';
import { isSentAway } from '../live/index.ts';
import { streamVisibleTo } from '../streams/index.ts';
import { insertRecordedVideos } from '../videos/index.ts';
import { instant } from './life.repository.ts';

export type ClipProblem = 'sent_away' | 'not_live' | 'clips_off' | 'not_recorded' | 'too_many';

/** Clips one viewer may have cut out of one stream within an hour: each is an encode at the cost of the owner's channel. */
export const maxClipsPerHour = 10;

/**
 * Makes a video, of the stream's owner, of the last `seconds` of a live stream this viewer may see; it waits for its moment to be
 * recorded. Undefined when there is no such stream for them.
 */
export async function insertStreamClip(
  db: Db,
  clip: {
    readonly videoId: string;
    readonly streamId: string;
    readonly creatorId: string;
    readonly title: string | undefined;
    readonly seconds: number;
    readonly nowMs: number;
  },
): Promise<{ readonly problem: ClipProblem | null } | undefined> {
  const now = instant(clip.nowMs);
  const result = await db.execute(sql`
    WITH stream AS (
      SELECT stream.*, CASE
          WHEN ${isSentAway(sql`${clip.creatorId}::uuid`)} THEN 'sent_away'
          WHEN stream.state <> 'live' THEN 'not_live'
          WHEN NOT stream.clips_enabled AND stream.owner_id <> ${clip.creatorId}::uuid THEN 'clips_off'
          WHEN NOT EXISTS (SELECT FROM stream_recordings AS recording
            WHERE recording.stream_id = stream.id AND recording.ended_at IS NULL) THEN 'not_recorded'
          WHEN stream.owner_id <> ${clip.creatorId}::uuid AND (
            SELECT count(*) FROM stream_clips AS earlier
            WHERE earlier.stream_id = stream.id AND earlier.creator_id = ${clip.creatorId}::uuid
              AND earlier.to_at > ${now} - interval '1 hour') >= ${maxClipsPerHour} THEN 'too_many'
        END AS problem
      FROM streams AS stream JOIN users AS owner ON owner.id = stream.owner_id
      WHERE stream.id = ${clip.streamId}::uuid AND ${streamVisibleTo(clip.creatorId)}
    ), source AS (
      SELECT ${clip.videoId}::uuid AS id, owner_id, coalesce(${clip.title ?? null}::text, title) AS title, '' AS description,
        visibility, NULL::text AS source_key, '[]'::jsonb AS chapters
      FROM stream WHERE problem IS NULL
    ), video AS (${insertRecordedVideos(sql`source`)}),
    clip AS (
      INSERT INTO stream_clips (video_id, stream_id, creator_id, from_at, to_at)
      SELECT video.id, stream.id, ${clip.creatorId}::uuid,
        ${now} - make_interval(secs => ${clip.seconds}), ${now} FROM video, stream
    )
    SELECT problem FROM stream`);
  return result.rows[0] as { problem: ClipProblem | null } | undefined;
}

/** A clip whose video waits for its source. */
export interface WaitingClip {
  readonly videoId: string;
  readonly ownerId: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** Of the recording its moment lies in; null when there is none. */
  readonly prefix: string | null;
  readonly beganAtMs: number | null;
  readonly isOver: boolean;
}

export async function findWaitingClips(db: Db, limit: number): Promise<WaitingClip[]> {
  const result = await db.execute(sql`
    SELECT video.id AS "videoId", video.owner_id AS "ownerId", (extract(epoch FROM clip.from_at) * 1000)::float8 AS "fromMs",
      (extract(epoch FROM clip.to_at) * 1000)::float8 AS "toMs", recording.prefix,
      (extract(epoch FROM recording.began_at) * 1000)::float8 AS "beganAtMs",
      recording.prefix IS NULL OR recording.ended_at IS NOT NULL AS "isOver"
    FROM videos AS video JOIN stream_clips AS clip ON clip.video_id = video.id
    LEFT JOIN LATERAL (
      SELECT * FROM stream_recordings
      WHERE stream_id = clip.stream_id AND began_at < clip.to_at ORDER BY began_at DESC LIMIT 1
    ) AS recording ON true
    WHERE video.state = 'probing' AND video.source_key IS NULL AND video.deleted_at IS NULL
    -- Those that cannot be cut yet, or fail, must not stand in the way of others.
    ORDER BY random() LIMIT ${limit}`);
  return result.rows as unknown as WaitingClip[];
}

/** Gives the video of a clip its source, once, and has it probed. */
export async function releaseClip(
  db: Db,
  clip: { readonly videoId: string; readonly sourceKey: string; readonly released: OutboxEvent },
): Promise<boolean> {
  const result = await db.execute(sql`
    WITH video AS (
      UPDATE videos SET source_key = ${clip.sourceKey}, updated_at = now()
      WHERE id = ${clip.videoId}::uuid AND state = 'probing' AND source_key IS NULL AND deleted_at IS NULL RETURNING id
    ), event AS (${insertEventIfAny(clip.released, sql`video`)})
    SELECT 1 FROM video`);
  return result.rows.length > 0;
}
