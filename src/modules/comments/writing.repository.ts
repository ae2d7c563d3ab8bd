import { type SQL, sql } from 'drizzle-orm';
import type { RequestContext } from '../../context.ts';
import { insertAuditIfAny } from '../../db/audit.ts';
import type { Db } from '../../db/client.ts';
import { insertEventFrom } from '../../db/counting.ts';
import type { OutboxEvent } from '../../db/outbox.ts';
import { type FacetCandidate, resolveFacets } from '../posts/index.ts';
import { type CommentPolicy, videoVisibleTo } from '../videos/index.ts';
import { selectComments, unblocked } from './comments.repository.ts';
import type { CommentRow } from './comments.views.ts';
import { commentPayload, showingPayload } from './counting.repository.ts';

const maxDepth = 5;

export interface CommentText {
  readonly text: string;
  readonly facets: readonly FacetCandidate[];
  /** The text as words are looked for in it. */
  readonly folded: string;
}

export interface NewComment extends CommentText {
  readonly id: string;
  readonly videoId: string;
  readonly authorId: string;
  readonly parentId: string | undefined;
}

const eventIds = (sources: SQL): SQL =>
  sql`(SELECT coalesce(json_agg(id), '[]') FROM (${sources}) AS written_events) AS "eventIds"`;

/**
 * CTEs ending in `verdict(held_for)`: why a comment by `authorId` on the row of `video` (id, owner_id, comment_policy) has to
 * wait for the owner; null when others see it at once. Owners never wait. Words changed after comments were turned off wait, too.
 */
const verdict = (authorId: string, { facets, folded }: CommentText): SQL => {
  const hasLink = facets.some(({ type }) => type === 'link');
  return sql`settings AS (
      SELECT * FROM comment_settings WHERE owner_id = (SELECT owner_id FROM video)
    ),
    verdict AS (
      SELECT CASE
        WHEN video.owner_id = ${authorId}::uuid THEN NULL
        WHEN EXISTS (SELECT FROM unnest(settings.blocked_keys) AS key WHERE strpos(${folded}, key) > 0) THEN 'blocked_word'
        WHEN ${hasLink} AND (settings.hold_links = 'everybody' OR (settings.hold_links = 'strangers' AND NOT EXISTS (
          SELECT FROM follows WHERE follower_id = video.owner_id AND followee_id = ${authorId}::uuid))) THEN 'link'
        WHEN video.comment_policy <> 'open' THEN 'approval'
      END AS held_for
      FROM video LEFT JOIN settings ON true
    )`;
};

export interface Written {
  /** The author may see the video. */
  readonly found: boolean;
  readonly policy: CommentPolicy | null;
  readonly parentFound: boolean;
  readonly comment: CommentRow | undefined;
  readonly eventIds: readonly string[];
}

/**
 * Writes a comment, held or visible as the owner of the video wants it, with its events. A comment of this id and author that is
 * there already is returned as it is. Nothing is written, and no comment returned, when the author is not active, may not see the
 * video, the owner takes no comments, or the comment to answer is not there for the author.
 */
export async function insertComment(
  db: Db,
  comment: NewComment,
  events: { readonly created: OutboxEvent; readonly shown: OutboxEvent },
): Promise<Written> {
  const { id, videoId, authorId, parentId = null } = comment;
  const result = await db.execute(sql`
    WITH video AS (
      SELECT video.id, video.owner_id, video.comment_policy FROM videos AS video JOIN users AS owner ON owner.id = video.owner_id
      WHERE video.id = ${videoId}::uuid AND ${videoVisibleTo(authorId)}
    ),
    writer AS (SELECT id FROM users WHERE id = ${authorId}::uuid AND status = 'active'),
    parent AS (
      SELECT c.id, coalesce(c.root_id, c.id) AS root_id, least(c.depth + 1, ${maxDepth}) AS depth
      FROM comments AS c JOIN users AS author ON author.id = c.author_id AND author.status = 'active'
      WHERE c.id = ${parentId}::uuid AND c.video_id = ${videoId}::uuid AND c.state = 'visible'
        AND ${unblocked(authorId)}
    ),
    ${verdict(authorId, comment)},
    facets AS (${resolveFacets(authorId, comment.facets)}),
    made AS (
      INSERT INTO comments (id, video_id, owner_id, author_id, parent_id, root_id, depth, text, facets, state, held_for, shown_at)
      SELECT ${id}::uuid, video.id, video.owner_id, writer.id, parent.id, parent.root_id, coalesce(parent.depth, 0),
        ${comment.text}, facets.list, CASE WHEN held_for IS NULL THEN 'visible' ELSE 'held' END, held_for,
        CASE WHEN held_for IS NULL THEN clock_timestamp() END
      FROM video CROSS JOIN writer CROSS JOIN verdict CROSS JOIN facets LEFT JOIN parent ON true
      WHERE video.comment_policy <> 'off' AND (${parentId}::uuid IS NULL OR parent.id IS NOT NULL)
      ON CONFLICT (id) DO NOTHING RETURNING *
    ),
    created AS (${insertEventFrom(
      events.created,
      sql`${commentPayload} || jsonb_build_object('state', comment.state)`,
      sql`made AS comment`,
    )} RETURNING id),
    shown AS (${insertEventFrom(
      events.shown,
      showingPayload,
      sql`made AS comment WHERE comment.shown_at IS NOT NULL`,
    )} RETURNING id),
    written AS (
      SELECT * FROM made
      UNION ALL SELECT * FROM comments WHERE id = ${id}::uuid AND author_id = ${authorId}::uuid
    )
    SELECT EXISTS (SELECT FROM video) AS found, (SELECT comment_policy FROM video) AS policy,
      EXISTS (SELECT FROM parent) AS "parentFound",
      (SELECT to_json(page) FROM (${selectComments(sql`written AS c`, authorId)}) AS page) AS comment,
      ${eventIds(sql`SELECT id FROM created UNION ALL SELECT id FROM shown`)}`);
  return writtenOf(result.rows[0]);
}

export interface Edited {
  readonly found: boolean;
  /** The owner of the video rejected it. */
  readonly rejected: boolean;
  readonly comment: CommentRow | undefined;
  readonly eventIds: readonly string[];
}

/**
 * Changes the text of a comment of the author's own, which is judged anew: it may come to wait for the owner of the video, or
 * to be seen. A heart was for the words before and goes.
 */
export async function updateComment(
  db: Db,
  comment: CommentText & { readonly id: string; readonly authorId: string },
  events: { readonly shown: OutboxEvent; readonly hidden: OutboxEvent },
): Promise<Edited> {
  const { id, authorId } = comment;
  const result = await db.execute(sql`
    WITH target AS (
      SELECT c.*, video.comment_policy FROM comments AS c
      JOIN videos AS video ON video.id = c.video_id JOIN users AS owner ON owner.id = video.owner_id
      WHERE c.id = ${id}::uuid AND c.author_id = ${authorId}::uuid AND c.state <> 'deleted' AND ${videoVisibleTo(authorId)}
      FOR UPDATE OF c
    ),
    video AS (SELECT video_id AS id, owner_id, comment_policy FROM target WHERE state <> 'rejected'),
    ${verdict(authorId, comment)},
    facets AS (${resolveFacets(authorId, comment.facets)}),
    made AS (
      UPDATE comments SET text = ${comment.text}, facets = facets.list, held_for = verdict.held_for,
        state = CASE WHEN verdict.held_for IS NULL THEN 'visible' ELSE 'held' END,
        shown_at = CASE WHEN verdict.held_for IS NULL THEN coalesce(comments.shown_at, clock_timestamp()) END,
        pinned_at = CASE WHEN verdict.held_for IS NULL THEN comments.pinned_at END, hearted_at = NULL,
        edited_at = clock_timestamp()
      FROM target CROSS JOIN verdict CROSS JOIN facets
      WHERE comments.id = target.id AND target.state <> 'rejected' RETURNING comments.*
    ),
    shown AS (${insertEventFrom(
      events.shown,
      showingPayload,
      sql`made AS comment JOIN target USING (id) WHERE comment.shown_at IS NOT NULL AND target.shown_at IS NULL`,
    )} RETURNING id),
    hidden AS (${insertEventFrom(
      events.hidden,
      showingPayload,
      sql`target AS comment JOIN made USING (id) WHERE comment.shown_at IS NOT NULL AND made.shown_at IS NULL`,
    )} RETURNING id)
    SELECT EXISTS (SELECT FROM target) AS found, EXISTS (SELECT FROM target WHERE state = 'rejected') AS rejected,
      (SELECT to_json(page) FROM (${selectComments(sql`made AS c`, authorId)}) AS page) AS comment,
      ${eventIds(sql`SELECT id FROM shown UNION ALL SELECT id FROM hidden`)}`);
  const { comment: row, ...rest } = result.rows[0] as unknown as Edited & { comment: CommentRow | null };
  return { ...rest, comment: row ?? undefined };
}

export interface Deleted {
  readonly found: boolean;
  readonly eventIds: readonly string[];
}

/**
 * Deletes a comment for its author or for the owner of the video: its words are gone at once, its place stays for the answers.
 * `found` stays true for one already deleted.
 */
export async function deleteComment(
  ctx: RequestContext,
  { id, userId }: { readonly id: string; readonly userId: string },
  hidden: OutboxEvent,
): Promise<Deleted> {
  const user = sql`${userId}::uuid`;
  const audit = { action: 'comment.delete', target: { kind: 'comment', id } } as const;
  const result = await ctx.databases.primary.execute(sql`
    WITH target AS (
      SELECT * FROM comments WHERE id = ${id}::uuid AND (author_id = ${user} OR owner_id = ${user}) FOR UPDATE
    ),
    gone AS (
      UPDATE comments SET text = '', facets = '[]', state = 'deleted', shown_at = NULL, held_for = NULL, pinned_at = NULL,
        hearted_at = NULL, deleted_at = now(),
        deletion = CASE WHEN target.author_id = ${user} THEN 'author' ELSE 'owner' END
      FROM target WHERE comments.id = target.id AND target.state <> 'deleted' RETURNING comments.id
    ),
    hidden AS (${insertEventFrom(
      hidden,
      showingPayload,
      sql`target AS comment JOIN gone USING (id) WHERE comment.shown_at IS NOT NULL`,
    )} RETURNING id),
    audit AS (${insertAuditIfAny(ctx, audit, sql`gone`)})
    SELECT EXISTS (SELECT FROM target) AS found, ${eventIds(sql`SELECT id FROM hidden`)}`);
  return result.rows[0] as unknown as Deleted;
}

function writtenOf(row: unknown): Written {
  const { comment, ...rest } = row as Written & { readonly comment: CommentRow | null };
  return { ...rest, comment: comment ?? undefined };
}
