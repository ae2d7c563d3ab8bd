import { sql } from 'drizzle-orm';
import type { Db } from '../../db/client.ts';
import { commentLikePayload, showingPayload } from './counting.repository.ts';

interface Batch {
  readonly limit: number;
  readonly traceparent: string;
}

/**
 * Empties up to `limit` comments of an author, with the event of each that others saw. What is left is nobody's, and keeps
 * the answers to it in their place.
 * @returns how many there were.
 */
export async function eraseComments(
  db: Db,
  authorId: string,
  { limit, traceparent }: Batch,
): Promise<number> {
  const result = await db.execute(sql`
    WITH target AS (
      SELECT * FROM comments WHERE author_id = ${authorId}::uuid LIMIT ${limit} FOR UPDATE
    ),
    gone AS (
      UPDATE comments SET author_id = NULL, text = '', facets = '[]', state = 'deleted', shown_at = NULL, held_for = NULL,
        pinned_at = NULL, hearted_at = NULL, edited_at = NULL, deleted_at = coalesce(comments.deleted_at, now()),
        deletion = coalesce(comments.deletion, 'author')
      FROM target WHERE comments.id = target.id RETURNING comments.id
    ),
    event AS (
      INSERT INTO outbox (id, type, payload, traceparent)
      SELECT gen_random_uuid(), 'comment.hidden', ${showingPayload}, ${traceparent}
      FROM target AS comment WHERE comment.shown_at IS NOT NULL
    )
    SELECT count(*)::integer AS count FROM gone`);
  return Number(result.rows[0]?.count);
}

/**
 * Takes up to `limit` likes of comments of a user back, with the event that counts each.
 * @returns how many there were.
 */
export async function eraseCommentLikes(
  db: Db,
  userId: string,
  { limit, traceparent }: Batch,
): Promise<number> {
  const result = await db.execute(sql`
    WITH gone AS (
      DELETE FROM comment_likes WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM comment_likes WHERE user_id = ${userId}::uuid LIMIT ${limit} FOR UPDATE))
      RETURNING *
    ),
    event AS (
      INSERT INTO outbox (id, type, payload, traceparent)
      SELECT gen_random_uuid(), 'comment.unliked', ${commentLikePayload}, ${traceparent} FROM gone AS given
    )
    SELECT count(*)::integer AS count FROM gone`);
  return Number(result.rows[0]?.count);
}
