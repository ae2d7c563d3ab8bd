import { type SQL, sql } from 'drizzle-orm';
import type { Db } from '../../db/client.ts';
import { notBlocked } from '../graph/index.ts';
import { userSummaryJson } from '../users/index.ts';
import { videoVisibleTo } from '../videos/index.ts';
import type { CommentOrder, CommentPosition } from './comments.schemas.ts';
import type { CommentRow } from './comments.views.ts';

type ViewerId = string | undefined;

const viewerParameter = (viewerId: ViewerId): SQL => sql`${viewerId ?? null}::uuid`;
const utc = (column: SQL): SQL => sql`to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** Between a row of `comments AS c` and the viewer, and between it and the owner of the video, nobody blocks the other. */
export const unblocked = (viewerId: ViewerId): SQL => sql`${notBlocked(viewerId, sql`c.author_id`)}
  AND NOT EXISTS (
    SELECT FROM blocks
    WHERE (blocker_id = c.owner_id AND blocked_id = c.author_id) OR (blocker_id = c.author_id AND blocked_id = c.owner_id))`;

/**
 * The condition that the viewer may read a row of `comments AS c` by `users AS author`: all may what is visible, its author
 * what was not deleted, the owner of the video what waits or was rejected. Says nothing about the video.
 */
const readable = (viewerId: ViewerId): SQL => {
  const viewer = viewerParameter(viewerId);
  return sql`coalesce((c.state = 'visible' AND author.status = 'active') OR (c.state <> 'deleted' AND c.author_id = ${viewer})
    OR (c.state IN ('held', 'rejected') AND c.owner_id = ${viewer}), false)`;
};

/** The condition that a comment stands in lists: it may be read, or others answered it, and it keeps their place. */
const listed = (viewerId: ViewerId): SQL => {
  const viewer = viewerParameter(viewerId);
  return sql`${unblocked(viewerId)} AND (coalesce(
      (c.state = 'visible' AND author.status = 'active') OR (c.state <> 'deleted' AND c.author_id = ${viewer}), false)
    OR CASE WHEN c.root_id IS NULL
      THEN EXISTS (SELECT FROM comments AS answer WHERE answer.root_id = c.id AND answer.shown_at IS NOT NULL)
      ELSE EXISTS (SELECT FROM comments AS answer WHERE answer.parent_id = c.id AND answer.shown_at IS NOT NULL)
    END)`;
};

/** Joins what the conditions above speak of to a FROM item of comments as `c`. */
const withAuthor = sql`LEFT JOIN users AS author ON author.id = c.author_id`;
const withVideo = sql`JOIN videos AS video ON video.id = c.video_id JOIN users AS owner ON owner.id = video.owner_id`;

/** Columns of `CommentRow`. */
const commentColumns = (viewerId: ViewerId): SQL => {
  const viewer = viewerParameter(viewerId);
  const reads = readable(viewerId);
  const liked = sql`EXISTS (SELECT FROM comment_likes WHERE comment_id = c.id AND user_id = ${viewer})`;
  return sql`c.id, c.video_id AS "videoId", c.parent_id AS "parentId", c.root_id AS "rootId", c.depth,
    CASE WHEN c.state = 'deleted' OR ${reads} THEN c.state ELSE 'unavailable' END AS state, c.deletion,
    CASE WHEN ${reads} THEN ${userSummaryJson('author')} END AS author,
    CASE WHEN ${reads} THEN c.text ELSE '' END AS text, CASE WHEN ${reads} THEN c.facets ELSE '[]' END AS facets,
    CASE WHEN ${reads} THEN greatest(c.likes, ${liked}::integer) ELSE 0 END AS likes, c.likes AS rank, c.replies,
    ${reads} AND ${liked} AS liked, ${reads} AND c.pinned_at IS NOT NULL AS pinned,
    ${reads} AND c.hearted_at IS NOT NULL AS hearted, ${utc(sql`c.created_at`)} AS "createdAt",
    CASE WHEN ${reads} THEN ${utc(sql`c.edited_at`)} END AS "editedAt"`;
};

/** Selects `CommentRow`s of `source`: SQL for a FROM item of comments (or rows like them) as `c`. */
export const selectComments = (source: SQL, viewerId: ViewerId, more: SQL = sql``): SQL =>
  sql`SELECT ${commentColumns(viewerId)}${more} FROM ${source} ${withAuthor}`;

/** A comment, if the viewer may read it, or it keeps the place of one that others answered. */
export async function findComment(db: Db, id: string, viewerId: ViewerId): Promise<CommentRow | undefined> {
  const result = await db.execute(sql`
    ${selectComments(sql`comments AS c ${withVideo}`, viewerId)}
    WHERE c.id = ${id}::uuid AND ${videoVisibleTo(viewerId)}
      AND (${listed(viewerId)} OR (${readable(viewerId)} AND ${unblocked(viewerId)}))`);
  return result.rows[0] as unknown as CommentRow | undefined;
}

export interface CommentsRequest {
  readonly videoId: string;
  readonly order: CommentOrder;
  /** Undefined for the first page, which the pinned comment opens. */
  readonly after: CommentPosition | undefined;
  readonly limit: number;
}

/**
 * A page of the comments of a video that answer no other. The first page may have one row more than `limit`: the pinned
 * comment, before all others.
 * @returns undefined when the viewer may not see the video.
 */
export async function listComments(
  db: Db,
  request: CommentsRequest,
  viewerId: ViewerId,
): Promise<CommentRow[] | undefined> {
  const { videoId, order, after, limit } = request;
  const ofVideo = sql`c.video_id = video.id AND c.root_id IS NULL AND ${listed(viewerId)}`;
  const beyond =
    after === undefined || after === null
      ? sql`true`
      : order === 'top'
        ? sql`(c.likes, c.id) < (${after.likes}::integer, ${after.id}::uuid)`
        : sql`c.id < ${after.id}::uuid`;
  const sorted = order === 'top' ? sql`c.likes DESC, c.id DESC` : sql`c.id DESC`;
  const pinned =
    after === undefined
      ? sql`(${selectComments(sql`comments AS c`, viewerId)} WHERE ${ofVideo} AND c.pinned_at IS NOT NULL) UNION ALL`
      : sql``;
  const result = await db.execute(sql`
    SELECT page.*
    FROM videos AS video JOIN users AS owner ON owner.id = video.owner_id
    LEFT JOIN LATERAL (
      ${pinned}
      (${selectComments(sql`comments AS c`, viewerId)}
        WHERE ${ofVideo} AND c.pinned_at IS NULL AND ${beyond} ORDER BY ${sorted} LIMIT ${limit})
    ) AS page ON true
    WHERE video.id = ${videoId}::uuid AND ${videoVisibleTo(viewerId)}
    ORDER BY page.pinned DESC, ${order === 'top' ? sql`page.rank DESC,` : sql``} page.id DESC`);
  return rowsOf(result.rows);
}

/**
 * A page of the answers in the thread of a comment, oldest first, whatever they answer.
 * @returns undefined when the viewer may not see the comment at its top.
 */
export async function listReplies(
  db: Db,
  request: { readonly rootId: string; readonly after: string | undefined; readonly limit: number },
  viewerId: ViewerId,
): Promise<CommentRow[] | undefined> {
  const later = request.after === undefined ? sql`true` : sql`c.id > ${request.after}::uuid`;
  const result = await db.execute(sql`
    WITH root AS (
      SELECT c.id FROM comments AS c ${withVideo} ${withAuthor}
      WHERE c.id = ${request.rootId}::uuid AND ${videoVisibleTo(viewerId)}
        AND (${listed(viewerId)} OR (${readable(viewerId)} AND ${unblocked(viewerId)}))
    )
    SELECT page.* FROM root LEFT JOIN LATERAL (
      ${selectComments(sql`comments AS c`, viewerId)}
      WHERE c.root_id = root.id AND ${later} AND ${listed(viewerId)} ORDER BY c.id LIMIT ${request.limit}
    ) AS page ON true
    ORDER BY page.id`);
  return rowsOf(result.rows);
}

function rowsOf(found: readonly unknown[]): CommentRow[] | undefined {
  const rows = found as (CommentRow | { readonly id: null })[];
  return rows.length === 0 ? undefined : rows.filter((row): row is CommentRow => row.id !== null);
}

export interface LikeOutcome {
  /** The user may see the comment. */
  readonly found: boolean;
  /** Others may see it, too. */
  readonly shown: boolean;
  readonly changed: boolean;
  /** The counter before the message about this change reaches it. */
  readonly likes: number;
}

/** Body of a CTE with the comment if the user may read it. */
export const readableComment = (commentId: string, viewerId: string): SQL => sql`
  SELECT c.* FROM comments AS c ${withVideo} ${withAuthor}
  WHERE c.id = ${commentId}::uuid AND ${videoVisibleTo(viewerId)} AND ${readable(viewerId)} AND ${unblocked(viewerId)}`;
