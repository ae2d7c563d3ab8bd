import { sql } from 'drizzle-orm';
import type { Db } from '../../db/client.ts';
import { followPayload } from './graph.repository.ts';

/**
 * Ends up to `limit` follows of and by a user, with the event of each that counts it and clears the timeline.
 * @returns how many there were.
 */
export async function eraseFollows(
  db: Db,
  userId: string,
  { limit, traceparent }: { readonly limit: number; readonly traceparent: string },
): Promise<number> {
  const user = sql`${userId}::uuid`;
  const result = await db.execute(sql`
    WITH gone AS (
      DELETE FROM follows WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM follows WHERE follower_id = ${user} OR followee_id = ${user} LIMIT ${limit} FOR UPDATE))
      RETURNING *
    ),
    event AS (
      INSERT INTO outbox (id, type, payload, traceparent)
      SELECT gen_random_uuid(), 'user.unfollowed', ${followPayload}, ${traceparent} FROM gone AS follow
    )
    SELECT count(*)::integer AS count FROM gone`);
  return Number(result.rows[0]?.count);
}
