import { sql } from 'drizzle-orm';
import type { Db } from '../../db/client.ts';

/** The newest published videos of an owner. */
export async function listPublishedIds(db: Db, ownerId: string, limit: number): Promise<string[]> {
  const result = await db.execute(sql`
    SELECT id FROM videos
    WHERE owner_id = ${ownerId}::uuid AND state = 'published' AND deleted_at IS NULL AND replaces_id IS NULL
    ORDER BY id DESC LIMIT ${limit}`);
  return result.rows.map((row) => String(row.id));
}

/** The next videos of an owner, deleted or not. What was to replace their files, and what did, goes with them. */
export async function listVideosToErase(
  db: Db,
  ownerId: string,
  limit: number,
): Promise<{ readonly id: string; readonly deleted: boolean }[]> {
  const result = await db.execute(sql`
    SELECT id, deleted_at IS NOT NULL AS deleted FROM videos
    WHERE owner_id = ${ownerId}::uuid AND replaces_id IS NULL ORDER BY id LIMIT ${limit}`);
  return result.rows as unknown as { id: string; deleted: boolean }[];
}

/** Removes what is left of a deleted video, with its uploads, jobs, renditions and stills. */
export async function eraseVideo(db: Db, videoId: string, ownerId: string): Promise<void> {
  await db.execute(sql`
    DELETE FROM videos WHERE id = ${videoId}::uuid AND owner_id = ${ownerId}::uuid AND deleted_at IS NOT NULL`);
}
