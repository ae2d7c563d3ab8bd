import { type SQL, sql } from 'drizzle-orm';
import type { Db } from '../../db/client.ts';
import { insertEventIfAny, type OutboxEvent } from '../../db/outbox.ts';
import { videoVisibleTo } from './visibility.repository.ts';

export type CaptionKind = 'subtitles' | 'captions';

export interface CaptionRow {
  readonly language: string;
  readonly label: string;
  readonly kind: CaptionKind;
  readonly objectKey: string;
  readonly cueCount: number;
  readonly sizeBytes: number;
  readonly updatedAt: string;
}

const captionJson = (alias: string): SQL => {
  const track = sql.identifier(alias);
  return sql`json_build_object('language', ${track}.language, 'label', ${track}.label, 'kind', ${track}.kind,
    'objectKey', ${track}.object_key, 'cueCount', ${track}.cue_count, 'sizeBytes', ${track}.size_bytes,
    'updatedAt', to_char(${track}.updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))`;
};

/** The tracks of `videos AS video` by language, as a JSON array. */
export const captionsOf: SQL = sql`(
  SELECT coalesce(json_agg(${captionJson('track')} ORDER BY track.language), '[]')
  FROM captions AS track WHERE track.video_id = video.id)`;

/** A track as the manifests that are played name it. */
export interface PlayedCaptions extends Pick<CaptionRow, 'language' | 'label' | 'kind'> {
  /** Of its WebVTT file, beside the manifests. */
  readonly key: string;
}

/** The tracks the manifests of `videos AS video` name, without those that were taken away since: their files are empty. */
export const playedCaptionsOf: SQL = sql`(
  SELECT coalesce(jsonb_agg(played.track ORDER BY played.track ->> 'language'), '[]')
  FROM jsonb_array_elements(video.captions_played) AS played (track)
  WHERE EXISTS (SELECT FROM captions AS track
    WHERE track.video_id = video.id AND track.language = played.track ->> 'language'))`;

export interface CaptionTracks {
  readonly captions: readonly CaptionRow[];
  readonly hlsKey: string | null;
  /** Whether the manifests name all of them. */
  readonly isBuilt: boolean;
  readonly isOwner: boolean;
}

/** The tracks of a video the viewer may see; undefined when they may not. */
export async function listCaptions(
  db: Db,
  videoId: string,
  viewerId: string | undefined,
): Promise<CaptionTracks | undefined> {
  const result = await db.execute(sql`
    SELECT ${captionsOf} AS captions, video.hls_key AS "hlsKey",
      video.captions_built >= video.captions_wanted AS "isBuilt", video.owner_id IS NOT DISTINCT FROM ${viewerId ?? null}::uuid AS "isOwner"
    FROM videos AS video JOIN users AS owner ON owner.id = video.owner_id
    WHERE video.id = ${videoId}::uuid AND ${videoVisibleTo(viewerId)}`);
  return result.rows[0] as CaptionTracks | undefined;
}

/** Whether this is a video of the owner's that may have captions. */
export async function mayHaveCaptions(db: Db, videoId: string, ownerId: string): Promise<boolean> {
  const result = await db.execute(sql`
    SELECT 1 FROM videos
    WHERE id = ${videoId}::uuid AND owner_id = ${ownerId}::uuid AND deleted_at IS NULL AND replaces_id IS NULL`);
  return result.rows.length > 0;
}

export const maxTracks = 50;

/**
 * Gives an owner's video a track, in place of one in that language if there is one; `changed` has the manifests name it.
 * @returns `missing` when the owner has no such video, `full` when it has as many tracks as it may.
 */
export async function saveCaption(
  db: Db,
  video: { readonly id: string; readonly ownerId: string },
  track: Omit<CaptionRow, 'updatedAt'>,
  changed: OutboxEvent,
): Promise<'missing' | 'full' | { readonly saved: CaptionRow }> {
  const result = await db.execute(sql`
    WITH video AS (
      SELECT id FROM videos
      WHERE id = ${video.id}::uuid AND owner_id = ${video.ownerId}::uuid AND deleted_at IS NULL
        AND replaces_id IS NULL FOR UPDATE
    ), room AS (
      SELECT video.id FROM video
      WHERE (SELECT count(*) FROM captions AS other
        WHERE other.video_id = video.id AND other.language <> ${track.language}) < ${maxTracks}
    ), track AS (
      INSERT INTO captions (video_id, language, label, kind, object_key, cue_count, size_bytes)
      SELECT room.id, ${track.language}, ${track.label}, ${track.kind}, ${track.objectKey}, ${track.cueCount},
        ${track.sizeBytes}
      FROM room
      ON CONFLICT (video_id, language) DO UPDATE SET label = excluded.label, kind = excluded.kind,
        object_key = excluded.object_key, cue_count = excluded.cue_count, size_bytes = excluded.size_bytes,
        updated_at = now()
      RETURNING *
    ), counted AS (
      UPDATE videos SET captions_wanted = captions_wanted + 1, updated_at = now()
      FROM track WHERE videos.id = track.video_id RETURNING 1
    ), event AS (${insertEventIfAny(changed, sql`counted`)})
    SELECT (SELECT ${captionJson('track')} FROM track) AS saved FROM video`);
  const row = result.rows[0] as { saved: CaptionRow | null } | undefined;
  return row === undefined ? 'missing' : row.saved === null ? 'full' : { saved: row.saved };
}

/**
 * Takes a track away from an owner's video.
 * @returns the key of its file, and the manifest it may be beside; undefined when there is no such track.
 */
export async function deleteCaption(
  db: Db,
  track: { readonly videoId: string; readonly ownerId: string; readonly language: string },
  changed: OutboxEvent,
): Promise<{ readonly objectKey: string; readonly hlsKey: string | null } | undefined> {
  const result = await db.execute(sql`
    WITH track AS (
      DELETE FROM captions USING videos
      WHERE captions.video_id = ${track.videoId}::uuid AND captions.language = ${track.language}
        AND videos.id = captions.video_id AND videos.owner_id = ${track.ownerId}::uuid AND videos.deleted_at IS NULL
      RETURNING captions.video_id, captions.object_key, videos.hls_key
    ), counted AS (
      UPDATE videos SET captions_wanted = captions_wanted + 1, updated_at = now()
      FROM track WHERE videos.id = track.video_id RETURNING 1
    ), event AS (${insertEventIfAny(changed, sql`counted`)})
    SELECT object_key AS "objectKey", hls_key AS "hlsKey" FROM track`);
  return result.rows[0] as { objectKey: string; hlsKey: string | null } | undefined;
}
