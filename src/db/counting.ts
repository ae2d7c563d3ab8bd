import { type SQL, sql } from 'drizzle-orm';
import { uuidTime } from '../shared/ids.ts';
import type { OutboxEvent } from './outbox.ts';

/**
 * The counters that messages move. A like, follow or post is counted under the name of the counter and its own id, so a
 * message that comes again changes nothing, and an undoing that comes before the making it undoes cancels it.
 */
export const counters = {
  followers: 'user_counters.followers',
  following: 'user_counters.following',
  posts: 'user_counters.posts',
  likes: 'post_counters.likes',
  videoLikes: 'video_counters.likes',
  videoDislikes: 'video_counters.dislikes',
  videoComments: 'video_counters.comments',
  commentLikes: 'comments.likes',
  commentReplies: 'comments.replies',
} as const;

export type Counter = (typeof counters)[keyof typeof counters];

/** Days `processed_events` remembers what handlers did. Queues give a message up long before. */
export const processedEventsRetentionDays = 14;

/** Things older than this were surely counted, and their rows in `processed_events` may be gone. */
const pairingDays = processedEventsRetentionDays - 1;
const dayMs = 86_400_000;

/** Whether the making of a thing may still be on its way, or remembered. `thingId` is a UUIDv7. */
const isRecent = (thingId: string, nowMs: number): boolean => uuidTime(thingId) > nowMs - pairingDays * dayMs;

/** The SQL condition of `isRecent` for a row with a creation time. */
export const createdRecently = (createdAt: SQL, nowMs: number): SQL =>
  sql`${createdAt} > ${new Date(nowMs - pairingDays * dayMs).toISOString()}::timestamptz`;

/**
 * Named CTEs ending in `change(delta)`: one row with the step the counter takes (+1 or -1), or none when this message,
 * or its counterpart, has settled the matter. Put it first in a `WITH`, and move the counter `FROM change` in the same
 * statement.
 */
export function countChange(counter: Counter, kind: 'made' | 'undone', thingId: string, nowMs: number): SQL {
  const remember = (handler: string) =>
    sql`INSERT INTO processed_events (handler, event_id) VALUES (${handler}, ${thingId}::uuid) ON CONFLICT DO NOTHING RETURNING`;
  if (kind === 'made') return sql`change AS (${remember(counter)} 1 AS delta)`;
  const undone = `${counter}.undone`;
  if (!isRecent(thingId, nowMs)) return sql`change AS (${remember(undone)} -1 AS delta)`;
  return sql`overtaken AS (${remember(counter)} 1), undone AS (${remember(undone)} 1),
    change AS (SELECT -1 AS delta FROM undone WHERE NOT EXISTS (SELECT FROM overtaken))`;
}

/** The id a follow is counted under. `follow` is a FROM item with the columns of `follows`, never input. */
export const followId = (follow: SQL): SQL =>
  rowId(sql`${follow}.created_at`, sql`'follow', ${follow}.follower_id, ${follow}.followee_id`);

/** The id a like is counted under. `like` is a FROM item with the columns of `post_likes`, never input. */
export const likeId = (like: SQL): SQL =>
  rowId(sql`${like}.created_at`, sql`'like', ${like}.post_id, ${like}.user_id`);

/** The id a rating is counted under. `rating` is a FROM item with the columns of `video_ratings`, never input. */
export const ratingId = (rating: SQL): SQL =>
  rowId(sql`${rating}.created_at`, sql`${rating}.rating, ${rating}.video_id, ${rating}.user_id`);

/** The id under which a comment is counted while it is shown. `comment` is a FROM item with the columns of `comments`. */
export const showingId = (comment: SQL): SQL =>
  rowId(sql`${comment}.shown_at`, sql`'comment', ${comment}.id`);

/** The id a like of a comment is counted under. `like` is a FROM item with the columns of `comment_likes`, never input. */
export const commentLikeId = (like: SQL): SQL =>
  rowId(sql`${like}.created_at`, sql`'comment_like', ${like}.comment_id, ${like}.user_id`);

// A UUIDv7 for a row that has no id of its own: the moment it was made, and for random bits a digest of its key. The
// statement that makes the row and the one that deletes it arrive at the same.
const rowId = (createdAt: SQL, key: SQL): SQL => {
  const time = sql`lpad(to_hex(floor(extract(epoch FROM ${createdAt}) * 1000)::bigint), 12, '0')`;
  const digest = sql`md5(concat_ws(':', ${key}, extract(epoch FROM ${createdAt})))`;
  return sql`overlay(overlay(${time} || left(${digest}, 20) placing '7' from 13) placing '8' from 17)::uuid`;
};

/**
 * The body of a CTE that writes `event` for the row of `source` (the name of an earlier CTE, at most one row), with a
 * payload made from its columns.
 */
export const insertEventFrom = (event: OutboxEvent, payload: SQL, source: SQL): SQL =>
  sql`INSERT INTO outbox (id, type, payload, traceparent)
      SELECT ${event.id}::uuid, ${event.type}, ${payload}, ${event.traceparent} FROM ${source}`;
