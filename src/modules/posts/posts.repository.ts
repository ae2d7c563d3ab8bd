import { type SQL, sql } from 'drizzle-orm';
import type { RequestContext } from '../../context.ts';
import { insertAuditIfAny } from '../../db/audit.ts';
import type { Db } from '../../db/client.ts';
import { countChange, counters, insertEventFrom, likeId } from '../../db/counting.ts';
import { insertEventIfAny, type OutboxEvent } from '../../db/outbox.ts';
import { notBlocked } from '../graph/index.ts';
import { userSummaryJson } from '../users/index.ts';
import { videoSummaryJson, videoVisibleTo } from '../videos/index.ts';
import type { FacetCandidate } from './posts.policy.ts';
import type { PostRow } from './posts.views.ts';

type ViewerId = string | undefined;

const viewerParameter = (viewerId: ViewerId): SQL => sql`${viewerId ?? null}::uuid`;

/**
 * The condition that a row of `posts AS p` has something to show this viewer: it is not deleted, and has words or a
 * video they may play. Authors always see their own. Says nothing about the author: see `authorVisible`.
 */
export const postShows = (viewerId: ViewerId): SQL =>
  sql`p.deleted_at IS NULL AND (p.text <> '' OR p.author_id = ${viewerParameter(viewerId)}
    OR EXISTS (
      SELECT FROM videos AS video JOIN users AS owner ON owner.id = video.owner_id
      WHERE video.id = p.video_id AND ${videoVisibleTo(viewerId)}))`;

/** The condition that the viewer may see what a row of `users AS author` posts. */
export const authorVisible = (viewerId: ViewerId): SQL =>
  sql`author.status = 'active' AND ${notBlocked(viewerId, sql`author.id`)}`;

/**
 * Selects `PostRow`s of `source`: SQL for a FROM item of posts (or rows like them) as `p`, with any joins that narrow
 * it.
 */
export const selectPosts = (source: SQL, viewerId: ViewerId): SQL => sql`
  SELECT p.id, p.text, p.facets,
    to_char(p.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "createdAt",
    ${userSummaryJson('author')} AS author,
    CASE WHEN video.id IS NOT NULL THEN ${videoSummaryJson('video')} END AS video,
    greatest(coalesce(counters.likes, 0), (own_like.user_id IS NOT NULL)::integer) AS likes,
    own_like.user_id IS NOT NULL AS liked
  FROM ${source}
  JOIN users AS author ON author.id = p.author_id
  LEFT JOIN videos AS video ON video.id = p.video_id AND ${videoVisibleTo(viewerId, 'author')}
  LEFT JOIN post_counters AS counters ON counters.post_id = p.id
  LEFT JOIN post_likes AS own_like ON own_like.post_id = p.id AND own_like.user_id = ${viewerParameter(viewerId)}`;

export interface NewPost {
  readonly id: string;
  readonly authorId: string;
  readonly text: string;
  readonly facets: readonly FacetCandidate[];
  readonly videoId: string | undefined;
}

/**
 * One row with `list`: what was found in an author's text, mentions resolved to people who can be mentioned: active, and not
 * blocking or blocked. The others are plain text.
 */
export const resolveFacets = (authorId: string, facets: readonly FacetCandidate[]): SQL => sql`
  SELECT coalesce(jsonb_agg(
    CASE WHEN mentioned.id IS NULL THEN facet
         ELSE facet - 'username' || jsonb_build_object('userId', mentioned.id) END
    ORDER BY position), '[]') AS list
  FROM jsonb_array_elements(${JSON.stringify(facets)}::jsonb) WITH ORDINALITY AS given (facet, position)
  LEFT JOIN users AS mentioned ON mentioned.username_key = lower(facet ->> 'username')
    AND mentioned.status = 'active' AND ${notBlocked(authorId, sql`mentioned.id`)}
  WHERE facet ->> 'type' <> 'mention' OR mentioned.id IS NOT NULL`;

/**
 * Writes a post with its counters, event and audit entry. A post of this id and author that is there already is returned as it is.
 * @returns undefined when the author is not active or the video may not be attached; nothing is written then.
 */
export async function insertPost(
  ctx: RequestContext,
  post: NewPost,
  event: OutboxEvent,
): Promise<PostRow | undefined> {
  const { id, authorId, text, videoId = null } = post;
  const audit = { action: 'post.create', target: { kind: 'post', id } } as const;
  const result = await ctx.databases.primary.execute(sql`
    WITH author AS (SELECT id FROM users WHERE id = ${authorId}::uuid AND status = 'active'),
    attachable AS (
      SELECT FROM videos WHERE id = ${videoId}::uuid AND owner_id = ${authorId}::uuid
        AND state = 'published' AND visibility <> 'private' AND deleted_at IS NULL
    ),
    facets AS (${resolveFacets(authorId, post.facets)}),
    made AS (
      INSERT INTO posts (id, author_id, text, facets, video_id)
      SELECT ${id}::uuid, author.id, ${text}, facets.list, ${videoId}::uuid FROM author, facets
      WHERE ${videoId}::uuid IS NULL OR EXISTS (SELECT FROM attachable)
      ON CONFLICT (id) DO NOTHING RETURNING *
    ),
    new_counters AS (INSERT INTO post_counters (post_id) SELECT id FROM made),
    event AS (${insertEventIfAny(event, sql`made`)}),
    audit AS (${insertAuditIfAny(ctx, audit, sql`made`)}),
    written AS (
      SELECT * FROM made
      UNION ALL SELECT * FROM posts WHERE id = ${id}::uuid AND author_id = ${authorId}::uuid AND deleted_at IS NULL
    )
    ${selectPosts(sql`written AS p`, authorId)}`);
  return result.rows[0] as unknown as PostRow | undefined;
}

/** A post, if the viewer may see it. */
export async function findPost(db: Db, id: string, viewerId: ViewerId): Promise<PostRow | undefined> {
  const result = await db.execute(sql`
    ${selectPosts(sql`posts AS p`, viewerId)}
    WHERE p.id = ${id}::uuid AND ${postShows(viewerId)} AND ${authorVisible(viewerId)}`);
  return result.rows[0] as unknown as PostRow | undefined;
}

/**
 * Deletes a post of the author's own. `found` stays true for one already deleted; `event` is written only the first
 * time.
 */
export async function deletePost(
  ctx: RequestContext,
  { id, authorId }: { readonly id: string; readonly authorId: string },
  event: OutboxEvent,
): Promise<{ readonly found: boolean; readonly changed: boolean }> {
  const audit = { action: 'post.delete', target: { kind: 'post', id } } as const;
  const now = new Date(ctx.clock.now()).toISOString();
  const result = await ctx.databases.primary.execute(sql`
    WITH gone AS (
      UPDATE posts SET deleted_at = ${now}::timestamptz
      WHERE id = ${id}::uuid AND author_id = ${authorId}::uuid AND deleted_at IS NULL RETURNING id
    ),
    event AS (${insertEventIfAny(event, sql`gone`)}),
    audit AS (${insertAuditIfAny(ctx, audit, sql`gone`)})
    SELECT EXISTS (SELECT FROM posts WHERE id = ${id}::uuid AND author_id = ${authorId}::uuid) AS found,
           EXISTS (SELECT FROM gone) AS changed`);
  return result.rows[0] as unknown as { found: boolean; changed: boolean };
}

export interface LikeOutcome {
  readonly found: boolean;
  readonly changed: boolean;
  /** The counter before the message about this change reaches it. */
  readonly likes: number;
}

/** What the event of a like tells; `given` names a FROM item with the columns of `post_likes`. */
export const likePayload = sql`jsonb_build_object('post_id', given.post_id, 'user_id', given.user_id,
  'like_id', ${likeId(sql`given`)})`;

/** Likes a post the user may see. Writes `event` when something changed. */
export async function insertLike(
  db: Db,
  { postId, userId }: { readonly postId: string; readonly userId: string },
  event: OutboxEvent,
): Promise<LikeOutcome> {
  const result = await db.execute(sql`
    WITH post AS (
      SELECT p.id FROM posts AS p JOIN users AS author ON author.id = p.author_id
      WHERE p.id = ${postId}::uuid AND ${postShows(userId)} AND ${authorVisible(userId)}
    ),
    made AS (
      INSERT INTO post_likes (post_id, user_id) SELECT id, ${userId}::uuid FROM post
      ON CONFLICT DO NOTHING RETURNING *
    ),
    event AS (${insertEventFrom(event, likePayload, sql`made AS given`)})
    SELECT EXISTS (SELECT FROM post) AS found, EXISTS (SELECT FROM made) AS changed,
      coalesce((SELECT likes FROM post_counters WHERE post_id = ${postId}::uuid), 0) AS likes`);
  return result.rows[0] as unknown as LikeOutcome;
}

/**
 * Takes a like back, also from a post whose author has blocked the user since. Writes `event` when something changed.
 */
export async function deleteLike(
  db: Db,
  { postId, userId }: { readonly postId: string; readonly userId: string },
  event: OutboxEvent,
): Promise<LikeOutcome> {
  const result = await db.execute(sql`
    WITH gone AS (
      DELETE FROM post_likes WHERE post_id = ${postId}::uuid AND user_id = ${userId}::uuid RETURNING *
    ),
    event AS (${insertEventFrom(event, likePayload, sql`gone AS given`)})
    SELECT EXISTS (SELECT FROM gone) AS changed,
      EXISTS (SELECT FROM gone) OR EXISTS (
        SELECT FROM posts AS p JOIN users AS author ON author.id = p.author_id
        WHERE p.id = ${postId}::uuid AND ${postShows(userId)} AND ${authorVisible(userId)}) AS found,
      coalesce((SELECT likes FROM post_counters WHERE post_id = ${postId}::uuid), 0) AS likes`);
  return result.rows[0] as unknown as LikeOutcome;
}

/**
 * A page of an author's posts, newest first, before the given post.
 * @returns undefined when the author is not active or blocks the viewer.
 */
export async function listPostsByAuthor(
  db: Db,
  authorId: string,
  viewerId: ViewerId,
  { before, limit }: { readonly before: string | undefined; readonly limit: number },
): Promise<PostRow[] | undefined> {
  const older = before === undefined ? sql`true` : sql`p.id < ${before}::uuid`;
  const result = await db.execute(sql`
    SELECT page.*
    FROM users AS subject LEFT JOIN LATERAL (
      ${selectPosts(sql`posts AS p`, viewerId)}
      WHERE p.author_id = subject.id AND ${older} AND ${postShows(viewerId)} AND ${authorVisible(viewerId)}
      ORDER BY p.id DESC LIMIT ${limit}
    ) AS page ON true
    WHERE subject.id = ${authorId}::uuid AND subject.status = 'active'
      AND NOT EXISTS (
        SELECT FROM blocks WHERE blocker_id = subject.id AND blocked_id = ${viewerParameter(viewerId)})
    ORDER BY page.id DESC`);
  const rows = result.rows as unknown as (PostRow | { readonly id: null })[];
  return rows.length === 0 ? undefined : rows.filter((row): row is PostRow => row.id !== null);
}

/** Moves the post count of an author, once for a post and once for its deletion. */
export async function countPost(
  db: Db,
  kind: 'made' | 'undone',
  { postId, authorId }: { readonly postId: string; readonly authorId: string },
  nowMs: number,
): Promise<void> {
  await db.execute(sql`
    WITH ${countChange(counters.posts, kind, postId, nowMs)}
    UPDATE user_counters SET posts = greatest(posts + change.delta, 0)
    FROM change WHERE user_id = ${authorId}::uuid`);
}

/** Moves the like count of a post, once for a like and once for its end. */
export async function countLike(
  db: Db,
  kind: 'made' | 'undone',
  like: { readonly id: string; readonly postId: string },
  nowMs: number,
): Promise<void> {
  await db.execute(sql`
    WITH ${countChange(counters.likes, kind, like.id, nowMs)}
    UPDATE post_counters SET likes = greatest(likes + change.delta, 0)
    FROM change WHERE post_id = ${like.postId}::uuid`);
}
