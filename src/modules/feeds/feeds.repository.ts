import { type SQL, sql } from 'drizzle-orm';
import type { Db } from '../../db/client.ts';
import { firstTime, insertEventIfAny, type OutboxEvent, textArray } from '../../db/outbox.ts';
import { authorVisible, type PostRow, postShows, selectPosts } from '../posts/index.ts';

/** In `processed_events` under an author's id: they have posts that were left for their followers to pull. */
const leftToPull = 'feeds.left_to_pull';

/**
 * The condition that the posts of `author_id` (SQL) are pulled at read: they have `pullThreshold` followers now, or
 * had when they posted something of late that was therefore never pushed.
 */
const isPulled = (authorId: SQL, pullThreshold: number): SQL => sql`(
  EXISTS (SELECT FROM user_counters WHERE user_id = ${authorId} AND followers >= ${pullThreshold})
  OR EXISTS (SELECT FROM processed_events WHERE handler = ${leftToPull} AND event_id = ${authorId}))`;

export interface HomePageRequest {
  readonly viewerId: string;
  /** Ids from the viewer's timeline, newest first. */
  readonly skeleton: readonly string[];
  /** Only posts before this one. */
  readonly before: string | undefined;
  /** Only this post and later ones: further back the skeleton does not reach. */
  readonly floor: string | undefined;
  readonly limit: number;
  readonly pullThreshold: number;
  /** Follows made since this moment (RFC 3339) are not expected in the skeleton yet. */
  readonly freshSince: string;
}

/**
 * The posts of a home feed page, newest first: those of the skeleton, and the latest of the authors whose posts are
 * not, or not yet, in it (large ones, those followed a moment ago, the viewer). Every rule about who sees what is
 * applied here, so deletions, unfollows and blocks take effect at once whatever the timeline still holds.
 */
export async function listHomePosts(db: Db, request: HomePageRequest): Promise<PostRow[]> {
  const { viewerId, skeleton, before, floor, limit, pullThreshold, freshSince } = request;
  const viewer = sql`${viewerId}::uuid`;
  const inRange = sql`${before === undefined ? sql`true` : sql`p.id < ${before}::uuid`}
    AND ${floor === undefined ? sql`true` : sql`p.id >= ${floor}::uuid`}`;
  const result = await db.execute(sql`
    WITH pulled AS (
      SELECT followee_id AS author_id FROM follows
      WHERE follower_id = ${viewer} AND (
        created_at > ${freshSince}::timestamptz
        OR ${isPulled(sql`followee_id`, pullThreshold)})
      UNION ALL SELECT ${viewer}
    ),
    candidates AS (
      SELECT p.id FROM unnest(${textArray(skeleton)}::uuid[]) AS skeleton (id) JOIN posts AS p ON p.id = skeleton.id
      WHERE EXISTS (SELECT FROM follows WHERE follower_id = ${viewer} AND followee_id = p.author_id)
      UNION
      SELECT recent.id FROM pulled CROSS JOIN LATERAL (
        SELECT p.id FROM posts AS p
        WHERE p.author_id = pulled.author_id AND ${inRange} AND ${postShows(viewerId)}
        ORDER BY p.id DESC LIMIT ${limit}
      ) AS recent
    )
    ${selectPosts(sql`candidates JOIN posts AS p ON p.id = candidates.id`, viewerId)}
    WHERE ${inRange} AND ${postShows(viewerId)} AND ${authorVisible(viewerId)}
    ORDER BY p.id DESC LIMIT ${limit}`);
  return result.rows as unknown as PostRow[];
}

/**
 * Decides once how a new post reaches its author's followers: writes `firstPage`, or notes that they will pull it.
 * @returns whether `firstPage` was written.
 */
export async function beginFanOut(
  db: Db,
  post: { readonly id: string; readonly authorId: string },
  messageId: string,
  pullThreshold: number,
  firstPage: OutboxEvent,
): Promise<boolean> {
  const result = await db.execute(sql`
    WITH first AS (${firstTime('feeds.begin_fan_out', messageId)}),
    live AS (
      SELECT coalesce(followers, 0) >= ${pullThreshold} AS large
      FROM posts LEFT JOIN user_counters ON user_id = author_id
      WHERE id = ${post.id}::uuid AND author_id = ${post.authorId}::uuid AND deleted_at IS NULL
        AND EXISTS (SELECT FROM first)
    ),
    left_to_pull AS (
      INSERT INTO processed_events (handler, event_id) SELECT ${leftToPull}, ${post.authorId}::uuid FROM live WHERE large
      ON CONFLICT (handler, event_id) DO UPDATE SET processed_at = now()
    ),
    pushed AS (SELECT FROM live WHERE NOT large),
    event AS (${insertEventIfAny(firstPage, sql`pushed`)})
    SELECT EXISTS (SELECT FROM pushed) AS pushed`);
  return result.rows[0]?.pushed === true;
}

/** The next followers of an author in order of id; none when the post is gone. */
export async function listFollowersAfter(
  db: Db,
  post: { readonly id: string; readonly authorId: string },
  afterFollowerId: string | null,
  limit: number,
): Promise<string[]> {
  const beyond = afterFollowerId === null ? sql`true` : sql`follower_id > ${afterFollowerId}::uuid`;
  const result = await db.execute(sql`
    SELECT follower_id AS id FROM follows
    WHERE followee_id = ${post.authorId}::uuid AND ${beyond}
      AND EXISTS (SELECT FROM posts WHERE id = ${post.id}::uuid AND deleted_at IS NULL)
    ORDER BY follower_id LIMIT ${limit}`);
  return result.rows.map((row) => String(row.id));
}

/**
 * Queues the page after the one `messageId` asked for, once.
 * @returns whether `nextPage` was written.
 */
export async function queueNextPage(db: Db, messageId: string, nextPage: OutboxEvent): Promise<boolean> {
  const result = await db.execute(sql`
    WITH first AS (${firstTime('feeds.fan_out', messageId)}),
    event AS (${insertEventIfAny(nextPage, sql`first`)})
    SELECT EXISTS (SELECT FROM first) AS queued`);
  return result.rows[0]?.queued === true;
}

export interface FollowState {
  readonly following: boolean;
  /** The author's newest posts, if followed. */
  readonly postIds: readonly string[];
}

/** Whether someone follows an author now, and if so the author's newest posts. */
export async function readFollowState(
  db: Db,
  followerId: string,
  authorId: string,
  limit: number,
): Promise<FollowState> {
  const result = await db.execute(sql`
    WITH follow AS (
      SELECT followee_id FROM follows WHERE follower_id = ${followerId}::uuid AND followee_id = ${authorId}::uuid
    )
    SELECT EXISTS (SELECT FROM follow) AS following,
      (SELECT coalesce(json_agg(id), '[]') FROM (
        SELECT id FROM posts WHERE author_id = (SELECT followee_id FROM follow) AND deleted_at IS NULL
        ORDER BY id DESC LIMIT ${limit}
      ) AS newest) AS "postIds"`);
  return result.rows[0] as unknown as FollowState;
}
