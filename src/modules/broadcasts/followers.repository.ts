import { sql } from 'drizzle-orm';
import type { Db } from '../../db/client.ts';
import { firstTime, insertEventIfAny, type OutboxEvent } from '../../db/outbox.ts';

/**
 * A page of those who are told that a stream is live: followers of its owner, or those of them who are members. Nobody is told
 * of one that is private or unlisted, or not live any more.
 */
export async function listFollowersToTell(
  db: Db,
  streamId: string,
  afterFollowerId: string | null,
  limit: number,
): Promise<string[]> {
  const beyond = afterFollowerId === null ? sql`true` : sql`follow.follower_id > ${afterFollowerId}::uuid`;
  const result = await db.execute(sql`
    SELECT follow.follower_id AS id FROM streams AS stream JOIN follows AS follow ON follow.followee_id = stream.owner_id
    WHERE stream.id = ${streamId}::uuid AND stream.state = 'live' AND ${beyond}
      AND (stream.visibility IN ('public', 'followers') OR (stream.visibility = 'members' AND EXISTS (
        SELECT FROM channel_members AS member
        WHERE member.owner_id = stream.owner_id AND member.user_id = follow.follower_id
          AND (member.expires_at IS NULL OR member.expires_at > now()))))
    ORDER BY follow.follower_id LIMIT ${limit}`);
  return result.rows.map(({ id }) => String(id));
}

/** Queues the first or next page once for the message that asks for it. @returns whether it was written. */
export async function queueTelling(db: Db, messageId: string, page: OutboxEvent): Promise<boolean> {
  const result = await db.execute(sql`
    WITH first AS (${firstTime('broadcasts.tell_followers', messageId)}),
    event AS (${insertEventIfAny(page, sql`first`)})
    SELECT EXISTS (SELECT FROM first) AS queued`);
  return result.rows[0]?.queued === true;
}
