import { sql } from 'drizzle-orm';
import type { Db } from '../../db/client.ts';
import { likePayload } from './posts.repository.ts';

/**
 * Deletes up to `limit` posts of an author for good, with the event of each that was not deleted before.
 * @returns how many there were.
 */
export async function erasePosts(
  db: Db,
  authorId: string,
  { limit, traceparent }: { readonly limit: number; readonly traceparent: string },
): Promise<number> {
  const result = await db.execute(sql`
    WITH gone AS (
      DELETE FROM posts WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM posts WHERE author_id = ${authorId}::uuid LIMIT ${limit} FOR UPDATE))
      RETURNING id, author_id, deleted_at
    ),
    event AS (
      INSERT INTO outbox (id, type, payload, traceparent)
      SELECT gen_random_uuid(), 'post.deleted', jsonb_build_object('post_id', id, 'author_id', author_id), ${traceparent}
      FROM gone WHERE deleted_at IS NULL
    )
    SELECT count(*)::integer AS count FROM gone`);
  return Number(result.rows[0]?.count);
}

/**
 * Takes up to `limit` likes of a user back, with the event that counts each.
 * @returns how many there were.
 */
export async function eraseLikes(
  db: Db,
  userId: string,
  { limit, traceparent }: { readonly limit: number; readonly traceparent: string },
): Promise<number> {
  const result = await db.execute(sql`
    WITH gone AS (
      DELETE FROM post_likes WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM post_likes WHERE user_id = ${userId}::uuid LIMIT ${limit} FOR UPDATE))
      RETURNING *
    ),
    event AS (
      INSERT INTO outbox (id, type, payload, traceparent)
      SELECT gen_random_uuid(), 'post.unliked', ${likePayload}, ${traceparent} FROM gone AS given
    )
    SELECT count(*)::integer AS count FROM gone`);
  return Number(result.rows[0]?.count);
}
