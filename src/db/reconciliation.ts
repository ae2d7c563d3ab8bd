import { type SQL, sql } from 'drizzle-orm';
import type { RequestContext } from '../context.ts';
import { atomic, type Db } from './client.ts';
import {
  type Counter,
  commentLikeId,
  counters,
  createdRecently,
  followId,
  likeId,
  ratingId,
  showingId,
} from './counting.ts';
import { oldestEventAgeSeconds } from './outbox.ts';

const reconcileBatch = 500;
const backlogSeconds = 300;

/** How many of each had wrong counters. */
export interface Reconciled {
  readonly users: number;
  readonly posts: number;
  readonly videos: number;
  readonly comments: number;
}

/**
 * Compares the counters of every user, post, video and comment with the rows they count and corrects those that differ, page
 * by page. Waits for the next run while events are held up, since their changes are in the rows and not yet in the counters.
 */
export async function reconcileCounters(ctx: RequestContext): Promise<Reconciled> {
  const { primary } = ctx.databases;
  if ((await oldestEventAgeSeconds(primary)) > backlogSeconds) {
    ctx.log.log('warn', 'counters.reconcile_postponed');
    return { users: 0, posts: 0, videos: 0, comments: 0 };
  }
  const nowMs = ctx.clock.now();
  const fixed = {
    users: await eachPage((after) => reconcileUsers(primary, after, nowMs)),
    posts: await eachPage((after) => reconcilePosts(primary, after, nowMs)),
    videos: await eachPage((after) => reconcileVideos(primary, after, nowMs)),
    comments: await eachPage((after) => reconcileComments(primary, after, nowMs)),
  };
  ctx.log.log('info', 'counters.reconciled', fixed);
  return fixed;
}

interface ReconciledPage {
  readonly fixed: number;
  readonly lastId: string | null;
}

async function eachPage(run: (after: string | null) => Promise<ReconciledPage>): Promise<number> {
  let total = 0;
  let after: string | null = null;
  do {
    const page: ReconciledPage = await run(after);
    total += page.fixed;
    after = page.lastId;
  } while (after !== null);
  return total;
}

const pageOf = (table: SQL, after: string | null): SQL =>
  sql`SELECT id FROM ${table} WHERE ${after === null ? sql`true` : sql`id > ${after}::uuid`} ORDER BY id LIMIT ${reconcileBatch}`;

const pageResult = sql`SELECT (SELECT count(*) FROM fixed)::integer AS fixed,
  (SELECT id FROM page ORDER BY id DESC LIMIT 1) AS "lastId"`;

// What the new value includes is marked as counted, so that a message still on its way does not count it again.
const markCounted = (counter: Counter, id: SQL, source: SQL): SQL =>
  sql`INSERT INTO processed_events (handler, event_id) SELECT ${counter}, ${id} FROM ${source} ON CONFLICT DO NOTHING`;

async function reconcileUsers(db: Db, after: string | null, nowMs: number): Promise<ReconciledPage> {
  const page = pageOf(sql`users`, after);
  const recent = createdRecently(sql`link.created_at`, nowMs);
  const [, result] = await atomic(db, [
    lockRows(db, sql`user_counters`, sql`user_id`, page),
    db.execute(sql`
      WITH page AS (${page}),
      truth AS (
        SELECT page.id, counters.user_id IS NULL AS missing,
          counters.followers AS old_followers, counters.following AS old_following, counters.posts AS old_posts,
          (SELECT count(*)::integer FROM follows WHERE followee_id = page.id) AS followers,
          (SELECT count(*)::integer FROM follows WHERE follower_id = page.id) AS following,
          (SELECT count(*)::integer FROM posts WHERE author_id = page.id AND deleted_at IS NULL) AS posts
        FROM page LEFT JOIN user_counters AS counters ON counters.user_id = page.id
      ),
      wrong AS (
        SELECT * FROM truth WHERE missing OR (old_followers, old_following, old_posts) <> (followers, following, posts)
      ),
      followers_marked AS (${markCounted(
        counters.followers,
        followId(sql`link`),
        sql`follows AS link JOIN wrong ON link.followee_id = wrong.id AND ${recent}`,
      )}),
      following_marked AS (${markCounted(
        counters.following,
        followId(sql`link`),
        sql`follows AS link JOIN wrong ON link.follower_id = wrong.id AND ${recent}`,
      )}),
      posts_marked AS (${markCounted(
        counters.posts,
        sql`link.id`,
        sql`posts AS link JOIN wrong ON link.author_id = wrong.id AND link.deleted_at IS NULL AND ${recent}`,
      )}),
      fixed AS (
        INSERT INTO user_counters (user_id, followers, following, posts)
        SELECT id, followers, following, posts FROM wrong
        ON CONFLICT (user_id) DO UPDATE
          SET followers = excluded.followers, following = excluded.following, posts = excluded.posts
        RETURNING 1
      )
      ${pageResult}`),
  ]);
  return result.rows[0] as unknown as ReconciledPage;
}

async function reconcilePosts(db: Db, after: string | null, nowMs: number): Promise<ReconciledPage> {
  const page = pageOf(sql`posts`, after);
  const recent = createdRecently(sql`link.created_at`, nowMs);
  const [, result] = await atomic(db, [
    lockRows(db, sql`post_counters`, sql`post_id`, page),
    db.execute(sql`
      WITH page AS (${page}),
      truth AS (
        SELECT page.id, counters.likes AS old_likes,
          (SELECT count(*)::integer FROM post_likes WHERE post_id = page.id) AS likes
        FROM page LEFT JOIN post_counters AS counters ON counters.post_id = page.id
      ),
      wrong AS (SELECT * FROM truth WHERE old_likes IS DISTINCT FROM likes),
      likes_marked AS (${markCounted(
        counters.likes,
        likeId(sql`link`),
        sql`post_likes AS link JOIN wrong ON link.post_id = wrong.id AND ${recent}`,
      )}),
      fixed AS (
        INSERT INTO post_counters (post_id, likes) SELECT id, likes FROM wrong
        ON CONFLICT (post_id) DO UPDATE SET likes = excluded.likes RETURNING 1
      )
      ${pageResult}`),
  ]);
  return result.rows[0] as unknown as ReconciledPage;
}

async function reconcileVideos(db: Db, after: string | null, nowMs: number): Promise<ReconciledPage> {
  const page = pageOf(sql`videos`, after);
  const recent = createdRecently(sql`link.created_at`, nowMs);
  const markRatings = (counter: Counter, rating: string): SQL =>
    markCounted(
      counter,
      ratingId(sql`link`),
      sql`video_ratings AS link JOIN wrong ON link.video_id = wrong.id AND link.rating = ${rating} AND ${recent}`,
    );
  const [, result] = await atomic(db, [
    lockRows(db, sql`video_counters`, sql`video_id`, page),
    db.execute(sql`
      WITH page AS (${page}),
      truth AS (
        SELECT page.id, coalesce(counters.likes, 0) AS old_likes, coalesce(counters.dislikes, 0) AS old_dislikes,
          coalesce(counters.comments, 0) AS old_comments,
          (SELECT count(*)::integer FROM video_ratings WHERE video_id = page.id AND rating = 'like') AS likes,
          (SELECT count(*)::integer FROM video_ratings WHERE video_id = page.id AND rating = 'dislike') AS dislikes,
          (SELECT count(*)::integer FROM comments WHERE video_id = page.id AND shown_at IS NOT NULL) AS comments
        FROM page LEFT JOIN video_counters AS counters ON counters.video_id = page.id
      ),
      wrong AS (
        SELECT * FROM truth WHERE (old_likes, old_dislikes, old_comments) <> (likes, dislikes, comments)
      ),
      likes_marked AS (${markRatings(counters.videoLikes, 'like')}),
      dislikes_marked AS (${markRatings(counters.videoDislikes, 'dislike')}),
      comments_marked AS (${markCounted(
        counters.videoComments,
        showingId(sql`link`),
        sql`comments AS link JOIN wrong ON link.video_id = wrong.id AND ${createdRecently(sql`link.shown_at`, nowMs)}`,
      )}),
      fixed AS (
        INSERT INTO video_counters (video_id, likes, dislikes, comments)
        SELECT id, likes, dislikes, comments FROM wrong
        ON CONFLICT (video_id) DO UPDATE
          SET likes = excluded.likes, dislikes = excluded.dislikes, comments = excluded.comments
        RETURNING 1
      )
      ${pageResult}`),
  ]);
  return result.rows[0] as unknown as ReconciledPage;
}

async function reconcileComments(db: Db, after: string | null, nowMs: number): Promise<ReconciledPage> {
  const page = pageOf(sql`comments`, after);
  const [, result] = await atomic(db, [
    lockRows(db, sql`comments`, sql`id`, page),
    db.execute(sql`
      WITH page AS (${page}),
      truth AS (
        SELECT page.id, comment.likes AS old_likes, comment.replies AS old_replies,
          (SELECT count(*)::integer FROM comment_likes WHERE comment_id = page.id) AS likes,
          (SELECT count(*)::integer FROM comments AS reply
            WHERE reply.root_id = page.id AND reply.shown_at IS NOT NULL) AS replies
        FROM page JOIN comments AS comment ON comment.id = page.id
      ),
      wrong AS (SELECT * FROM truth WHERE (old_likes, old_replies) <> (likes, replies)),
      likes_marked AS (${markCounted(
        counters.commentLikes,
        commentLikeId(sql`link`),
        sql`comment_likes AS link JOIN wrong ON link.comment_id = wrong.id AND ${createdRecently(sql`link.created_at`, nowMs)}`,
      )}),
      replies_marked AS (${markCounted(
        counters.commentReplies,
        showingId(sql`link`),
        sql`comments AS link JOIN wrong ON link.root_id = wrong.id AND ${createdRecently(sql`link.shown_at`, nowMs)}`,
      )}),
      fixed AS (
        UPDATE comments SET likes = wrong.likes, replies = wrong.replies FROM wrong
        WHERE comments.id = wrong.id RETURNING 1
      )
      ${pageResult}`),
  ]);
  return result.rows[0] as unknown as ReconciledPage;
}

// Held to the end of the batch: handlers that move these counters wait, and the next statement sees what they did before.
const lockRows = (db: Db, table: SQL, key: SQL, page: SQL) =>
  db.execute(sql`WITH page AS (${page})
    SELECT 1 AS locked FROM ${table} WHERE ${key} IN (SELECT id FROM page) ORDER BY ${key} FOR NO KEY UPDATE`);
