import { sql } from 'drizzle-orm';
import type { Db } from '../../db/client.ts';
import { type CaptionRow, maxTracks } from './captions.repository.ts';
import type { CaptionsToCut } from './policy/clip-captions.ts';

/** What a clip still waits for; undefined when that is nothing. */
export async function findCaptionsToCut(
  db: Db,
  clipId: string,
): Promise<readonly CaptionsToCut[] | undefined> {
  const result = await db.execute(sql`
    SELECT captions_to_cut AS tracks FROM videos
    WHERE id = ${clipId}::uuid AND captions_to_cut IS NOT NULL AND deleted_at IS NULL`);
  return result.rows[0]?.tracks as readonly CaptionsToCut[] | undefined;
}

/**
 * Gives a clip the tracks that were cut for it, but for languages it has been given others in since, and notes that nothing is
 * left to cut: once, however often it is tried.
 * @returns whether it has a new track.
 */
export async function saveCutCaptions(
  db: Db,
  clipId: string,
  tracks: readonly Omit<CaptionRow, 'updatedAt'>[],
): Promise<boolean> {
  const result = await db.execute(sql`
    WITH clip AS (
      SELECT id FROM videos
      WHERE id = ${clipId}::uuid AND captions_to_cut IS NOT NULL AND deleted_at IS NULL FOR UPDATE
    ), track AS (
      INSERT INTO captions (video_id, language, label, kind, object_key, cue_count, size_bytes)
      SELECT clip.id, given.language, given.label, given.kind, given."objectKey", given."cueCount", given."sizeBytes"
      FROM clip, jsonb_to_recordset(${JSON.stringify(tracks)}::jsonb) AS given (
        language text, label text, kind text, "objectKey" text, "cueCount" integer, "sizeBytes" integer)
      WHERE NOT EXISTS (SELECT FROM captions AS own WHERE own.video_id = clip.id AND own.language = given.language)
      ORDER BY given.language
      LIMIT greatest(0, ${maxTracks} - (SELECT count(*) FROM captions AS own WHERE own.video_id = ${clipId}::uuid))
      ON CONFLICT (video_id, language) DO NOTHING
      RETURNING 1
    )
    UPDATE videos SET captions_to_cut = NULL, updated_at = now(),
      captions_wanted = captions_wanted + (EXISTS (SELECT FROM track))::int
    FROM clip WHERE videos.id = clip.id
    RETURNING EXISTS (SELECT FROM track) AS any`);
  return result.rows[0]?.any === true;
}
