import { sql } from 'drizzle-orm';
import type { Db } from '../../db/client.ts';
import { insertEventFrom } from '../../db/counting.ts';
import type { OutboxEvent } from '../../db/outbox.ts';
import { type LikeOutcome, readableComment } from './comments.repository.ts';
import { commentLikePayload } from './counting.repository.ts';

interface Like {
  readonly commentId: string;
  readonly userId: string;
}

/** Likes a comment the user may see and others see, too. Writes `event` when something changed. */
export async function insertCommentLike(
  db: Db,
  { commentId, userId }: Like,
  event: OutboxEvent,
): Promise<LikeOutcome> {
  const result = await db.execute(sql`
    WITH comment AS (${readableComment(commentId, userId)}),
    made AS (
      INSERT INTO comment_likes (comment_id, user_id) SELECT id, ${userId}::uuid FROM comment WHERE state = 'visible'
      ON CONFLICT DO NOTHING RETURNING *
    ),
    event AS (${insertEventFrom(event, commentLikePayload, sql`made AS given`)})
    SELECT EXISTS (SELECT FROM comment) AS found, EXISTS (SELECT FROM comment WHERE state = 'visible') AS shown,
      EXISTS (SELECT FROM made) AS changed, coalesce((SELECT likes FROM comment), 0) AS likes`);
  return result.rows[0] as unknown as LikeOutcome;
}

/** Takes a like back, also from a comment the user may no longer see. Writes `event` when something changed. */
export async function deleteCommentLike(
  db: Db,
  { commentId, userId }: Like,
  event: OutboxEvent,
): Promise<LikeOutcome> {
  const result = await db.execute(sql`
    WITH comment AS (${readableComment(commentId, userId)}),
    gone AS (
      DELETE FROM comment_likes WHERE comment_id = ${commentId}::uuid AND user_id = ${userId}::uuid RETURNING *
    ),
    event AS (${insertEventFrom(event, commentLikePayload, sql`gone AS given`)})
    SELECT EXISTS (SELECT FROM gone) OR EXISTS (SELECT FROM comment) AS found, true AS shown,
      EXISTS (SELECT FROM gone) AS changed,
      coalesce((SELECT likes FROM comments WHERE id = ${commentId}::uuid), 0) AS likes`);
  return result.rows[0] as unknown as LikeOutcome;
}
