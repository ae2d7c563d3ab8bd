import { sql } from 'drizzle-orm';
import type { Db } from '../../db/client.ts';

/** The newest published videos of an owner. */
export async function listPublishedIds(db: Db, ownerId: string, limit: number): Promise<string[]> {
  const result = await db.execute(sql`
    SELECT id FROM videos
    WHERE owner_id = ${ownerId}::uuid AND state = 'published' AND deleted_at IS NULL
    ORDER BY id DESC LIMIT ${limit}`);
  return result.rows.map((row) => String(row.id));
}
