import { type SQL, sql } from 'drizzle-orm';
import { atomic, type Db } from '../../db/client.ts';
import { countChange, counters, insertEventFrom, ratingId } from '../../db/counting.ts';
import type { OutboxEvent } from '../../db/outbox.ts';
import { type UserSummaryRow, userSummaryJson } from '../users/index.ts';
import type { LikedPosition, Rating } from './ratings.schemas.ts';
import { videoSummaryJson } from './summary.repository.ts';
import type { VideoSummaryRow } from './videos.views.ts';
import { videoVisibleTo } from './visibility.repository.ts';

export interface OwnVideo {
  readonly videoId: string;
  readonly userId: string;
}

/** What the event of a rating tells; `given` names a FROM item with the columns of `video_ratings`. */
const ratingPayload: SQL = sql`jsonb_build_object('video_id', given.video_id, 'user_id', given.user_id,
  'rating', given.rating, 'rating_id', ${ratingId(sql`given`)})`;

const visible = ({ videoId, userId }: OwnVideo): SQL => sql`
  SELECT video.id FROM videos AS video JOIN users AS owner ON owner.id = video.owner_id
  WHERE video.id = ${videoId}::uuid AND ${videoVisibleTo(userId)}`;

export interface RatingOutcome {
  readonly found: boolean;
  readonly changed: boolean;
  /** The rating before. */
  readonly previous: Rating | null;
  /** The counter before the messages about this change reach it. */
  readonly likes: number;
  readonly eventIds: readonly string[];
}

/**
 * Rates a video the user may see. Another rating takes the one before back: `unrated` and `rated` are written as far as they
 * are true. Ratings of one user queue behind a lock, so that of two at once the later one stands.
 */
export async function upsertRating(
  db: Db,
  own: OwnVideo,
  rating: Rating,
  events: { readonly rated: OutboxEvent; readonly unrated: OutboxEvent },
): Promise<RatingOutcome> {
  const key = `rating:${own.videoId}:${own.userId}`;
  const [, result] = await atomic(db, [
    db.execute(sql`SELECT pg_advisory_xact_lock(hashtextextended(${key}, 0))`),
    db.execute(sql`
      WITH video AS (${visible(own)}),
      before AS (
        SELECT * FROM video_ratings WHERE video_id = ${own.videoId}::uuid AND user_id = ${own.userId}::uuid
      ),
      made AS (
        INSERT INTO video_ratings (video_id, user_id, rating, created_at)
        SELECT id, ${own.userId}::uuid, ${rating}, clock_timestamp() FROM video
        ON CONFLICT (video_id, user_id) DO UPDATE SET rating = excluded.rating, created_at = excluded.created_at
          WHERE video_ratings.rating <> excluded.rating
        RETURNING *
      ),
      undone AS (SELECT before.* FROM before WHERE EXISTS (SELECT FROM made)),
      unrated AS (${insertEventFrom(events.unrated, ratingPayload, sql`undone AS given`)} RETURNING id),
      rated AS (${insertEventFrom(events.rated, ratingPayload, sql`made AS given`)} RETURNING id)
      SELECT EXISTS (SELECT FROM video) AS found, EXISTS (SELECT FROM made) AS changed,
        (SELECT rating FROM before) AS previous,
        coalesce((SELECT likes FROM video_counters WHERE video_id = ${own.videoId}::uuid), 0) AS likes,
        (SELECT coalesce(json_agg(id), '[]') FROM (SELECT id FROM unrated UNION ALL SELECT id FROM rated) AS written)
          AS "eventIds"`),
  ]);
  return result.rows[0] as unknown as RatingOutcome;
}

/** Takes a rating back, also from a video the user may no longer see. */
export async function deleteRating(db: Db, own: OwnVideo, unrated: OutboxEvent): Promise<RatingOutcome> {
  const result = await db.execute(sql`
    WITH gone AS (
      DELETE FROM video_ratings WHERE video_id = ${own.videoId}::uuid AND user_id = ${own.userId}::uuid RETURNING *
    ),
    event AS (${insertEventFrom(unrated, ratingPayload, sql`gone AS given`)} RETURNING id)
    SELECT EXISTS (SELECT FROM gone) OR EXISTS (${visible(own)}) AS found, EXISTS (SELECT FROM gone) AS changed,
      (SELECT rating FROM gone) AS previous,
      coalesce((SELECT likes FROM video_counters WHERE video_id = ${own.videoId}::uuid), 0) AS likes,
      (SELECT coalesce(json_agg(id), '[]') FROM event) AS "eventIds"`);
  return result.rows[0] as unknown as RatingOutcome;
}

/** Moves the like or dislike count of a video, once for a rating and once for its end. */
export async function countRating(
  db: Db,
  kind: 'made' | 'undone',
  given: { readonly id: string; readonly videoId: string; readonly rating: Rating },
  nowMs: number,
): Promise<void> {
  const column = given.rating === 'like' ? 'likes' : 'dislikes';
  const counter = given.rating === 'like' ? counters.videoLikes : counters.videoDislikes;
  await db.execute(sql`
    WITH ${countChange(counter, kind, given.id, nowMs)}
    ${moveVideoCounter(sql.identifier(column), given.videoId)}`);
}

/** Adds the `delta` of `change` (see `countChange`) to a column of a video's counters, which may not exist yet. */
export const moveVideoCounter = (
  column: SQL | ReturnType<typeof sql.identifier>,
  videoId: string,
): SQL => sql`
  INSERT INTO video_counters (video_id, ${column})
  SELECT videos.id, greatest(change.delta, 0) FROM change JOIN videos ON videos.id = ${videoId}::uuid
  ON CONFLICT (video_id) DO UPDATE
    SET ${column} = greatest(video_counters.${column} + (SELECT delta FROM change), 0)`;

export interface LikedVideo {
  readonly video: VideoSummaryRow;
  readonly owner: UserSummaryRow;
  /** RFC 3339 with microseconds. */
  readonly likedAt: string;
}

/** A page of the videos a user likes and may still see, latest liked first. */
export async function listLiked(
  db: Db,
  userId: string,
  { after, limit }: { readonly after: LikedPosition | undefined; readonly limit: number },
): Promise<LikedVideo[]> {
  const beyond =
    after === undefined
      ? sql`true`
      : sql`given.created_at <= ${after.since}::timestamptz
          AND (given.created_at < ${after.since}::timestamptz OR given.video_id > ${after.id}::uuid)`;
  const result = await db.execute(sql`
    SELECT ${videoSummaryJson('video')} AS video, ${userSummaryJson('owner')} AS owner,
      to_char(given.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "likedAt"
    FROM video_ratings AS given
    JOIN videos AS video ON video.id = given.video_id
    JOIN users AS owner ON owner.id = video.owner_id
    WHERE given.user_id = ${userId}::uuid AND given.rating = 'like' AND ${beyond} AND ${videoVisibleTo(userId)}
    ORDER BY given.created_at DESC, given.video_id LIMIT ${limit}`);
  return result.rows as unknown as LikedVideo[];
}

/**
 * Takes up to `limit` ratings of a user back, with the event that counts each.
 * @returns how many there were.
 */
export async function eraseRatings(
  db: Db,
  userId: string,
  { limit, traceparent }: { readonly limit: number; readonly traceparent: string },
): Promise<number> {
  const result = await db.execute(sql`
    WITH gone AS (
      DELETE FROM video_ratings WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM video_ratings WHERE user_id = ${userId}::uuid LIMIT ${limit} FOR UPDATE))
      RETURNING *
    ),
    event AS (
      INSERT INTO outbox (id, type, payload, traceparent)
      SELECT gen_random_uuid(), 'video.unrated', ${ratingPayload}, ${traceparent} FROM gone AS given
    )
    SELECT count(*)::integer AS count FROM gone`);
  return Number(result.rows[0]?.count);
}
