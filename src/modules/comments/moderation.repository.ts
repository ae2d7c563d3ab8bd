import { type SQL, sql } from 'drizzle-orm';
import type { RequestContext } from '../../context.ts';
import { insertAuditIfAny } from '../../db/audit.ts';
import { atomic, type Db } from '../../db/client.ts';
import { insertEventFrom } from '../../db/counting.ts';
import { type OutboxEvent, textArray } from '../../db/outbox.ts';
import { notBlocked } from '../graph/index.ts';
import { selectComments } from './comments.repository.ts';
import type { CommentRow, HeldCommentRow } from './comments.views.ts';
import { commentPayload, showingPayload } from './counting.repository.ts';

/** A comment on a video of the owner's, and that owner. */
export interface OwnedComment {
  readonly id: string;
  readonly ownerId: string;
}

const ownedBy = ({
  id,
  ownerId,
}: OwnedComment): SQL => sql`c.id = ${id}::uuid AND c.owner_id = ${ownerId}::uuid
  AND c.state <> 'deleted' AND EXISTS (SELECT FROM videos WHERE videos.id = c.video_id AND videos.deleted_at IS NULL)`;

const only = (rows: readonly unknown[]): CommentRow | undefined => rows[0] as CommentRow | undefined;

/**
 * Pins a comment that answers no other, in place of the one pinned before; pins of one video queue behind a lock.
 * @returns the comment as it is now, pinned if it is visible and at the top; undefined when the owner has no such comment.
 */
export async function pinComment(db: Db, owned: OwnedComment): Promise<CommentRow | undefined> {
  const fit = sql`SELECT c.id, c.video_id FROM comments AS c
    WHERE ${ownedBy(owned)} AND c.state = 'visible' AND c.root_id IS NULL`;
  const [, , , result] = await atomic(db, [
    db.execute(sql`SELECT pg_advisory_xact_lock(hashtextextended('pin:' || video_id, 0))
      FROM comments WHERE id = ${owned.id}::uuid AND owner_id = ${owned.ownerId}::uuid`),
    db.execute(sql`
      UPDATE comments SET pinned_at = NULL FROM (${fit}) AS fit
      WHERE comments.video_id = fit.video_id AND comments.id <> fit.id AND comments.pinned_at IS NOT NULL`),
    db.execute(sql`
      UPDATE comments SET pinned_at = coalesce(comments.pinned_at, now()) FROM (${fit}) AS fit WHERE comments.id = fit.id`),
    db.execute(sql`${selectComments(sql`comments AS c`, owned.ownerId)} WHERE ${ownedBy(owned)}`),
  ]);
  return only(result.rows);
}

/** Takes the pin off. @returns the comment; undefined when the owner has no such comment. */
export async function unpinComment(db: Db, owned: OwnedComment): Promise<CommentRow | undefined> {
  const result = await db.execute(sql`
    WITH made AS (UPDATE comments AS c SET pinned_at = NULL WHERE ${ownedBy(owned)} RETURNING *)
    ${selectComments(sql`made AS c`, owned.ownerId)}`);
  return only(result.rows);
}

/** Marks a visible comment with the owner's heart, and tells of it once. */
export async function heartComment(
  db: Db,
  owned: OwnedComment,
  hearted: OutboxEvent,
): Promise<CommentRow | undefined> {
  const result = await db.execute(sql`
    WITH target AS (SELECT c.* FROM comments AS c WHERE ${ownedBy(owned)} FOR UPDATE),
    made AS (
      UPDATE comments SET hearted_at = coalesce(comments.hearted_at, now()) FROM target
      WHERE comments.id = target.id AND target.state = 'visible' RETURNING comments.*
    ),
    event AS (${insertEventFrom(
      hearted,
      commentPayload,
      sql`made AS comment JOIN target USING (id) WHERE target.hearted_at IS NULL`,
    )}),
    now_is AS (SELECT * FROM made UNION ALL SELECT * FROM target WHERE NOT EXISTS (SELECT FROM made))
    ${selectComments(sql`now_is AS c`, owned.ownerId)}`);
  return only(result.rows);
}

/** Takes the heart back. */
export async function unheartComment(db: Db, owned: OwnedComment): Promise<CommentRow | undefined> {
  const result = await db.execute(sql`
    WITH made AS (UPDATE comments AS c SET hearted_at = NULL WHERE ${ownedBy(owned)} RETURNING *)
    ${selectComments(sql`made AS c`, owned.ownerId)}`);
  return only(result.rows);
}

export interface Reviewed {
  readonly comment: CommentRow | undefined;
  readonly eventIds: readonly string[];
}

/** Lets others see a comment that was held or rejected. */
export async function approveComment(
  ctx: RequestContext,
  owned: OwnedComment,
  events: { readonly approved: OutboxEvent; readonly shown: OutboxEvent },
): Promise<Reviewed> {
  const audit = { action: 'comment.approve', target: { kind: 'comment', id: owned.id } } as const;
  const result = await ctx.databases.primary.execute(sql`
    WITH target AS (SELECT c.* FROM comments AS c WHERE ${ownedBy(owned)} FOR UPDATE),
    made AS (
      UPDATE comments SET state = 'visible', held_for = NULL, shown_at = clock_timestamp() FROM target
      WHERE comments.id = target.id AND target.state IN ('held', 'rejected') RETURNING comments.*
    ),
    shown AS (${insertEventFrom(events.shown, showingPayload, sql`made AS comment`)} RETURNING id),
    approved AS (${insertEventFrom(
      events.approved,
      commentPayload,
      sql`made AS comment WHERE comment.author_id IS NOT NULL`,
    )} RETURNING id),
    audit AS (${insertAuditIfAny(ctx, audit, sql`made`)}),
    ${nowIs(owned, sql`SELECT id FROM shown UNION ALL SELECT id FROM approved`)}`);
  return reviewedOf(result.rows[0]);
}

/** Keeps a comment from others; its author still sees it, and that it was rejected. */
export async function rejectComment(
  ctx: RequestContext,
  owned: OwnedComment,
  hidden: OutboxEvent,
): Promise<Reviewed> {
  const audit = { action: 'comment.reject', target: { kind: 'comment', id: owned.id } } as const;
  const result = await ctx.databases.primary.execute(sql`
    WITH target AS (SELECT c.* FROM comments AS c WHERE ${ownedBy(owned)} FOR UPDATE),
    made AS (
      UPDATE comments SET state = 'rejected', held_for = NULL, shown_at = NULL, pinned_at = NULL, hearted_at = NULL FROM target
      WHERE comments.id = target.id AND target.state IN ('held', 'visible') RETURNING comments.*
    ),
    hidden AS (${insertEventFrom(
      hidden,
      showingPayload,
      sql`target AS comment JOIN made USING (id) WHERE comment.shown_at IS NOT NULL`,
    )} RETURNING id),
    audit AS (${insertAuditIfAny(ctx, audit, sql`made`)}),
    ${nowIs(owned, sql`SELECT id FROM hidden`)}`);
  return reviewedOf(result.rows[0]);
}

const nowIs = (owned: OwnedComment, events: SQL): SQL => sql`
  now_is AS (SELECT * FROM made UNION ALL SELECT * FROM target WHERE NOT EXISTS (SELECT FROM made))
  SELECT (SELECT to_json(page) FROM (${selectComments(sql`now_is AS c`, owned.ownerId)}) AS page) AS comment,
    (SELECT coalesce(json_agg(id), '[]') FROM (${events}) AS written_events) AS "eventIds"`;

function reviewedOf(row: unknown): Reviewed {
  const { comment, eventIds } = row as { comment: CommentRow | null; eventIds: string[] };
  return { comment: comment ?? undefined, eventIds };
}

/** A page of the comments that wait on all videos of an owner, newest first. */
export async function listHeld(
  db: Db,
  ownerId: string,
  { before, limit }: { readonly before: string | undefined; readonly limit: number },
): Promise<HeldCommentRow[]> {
  const older = before === undefined ? sql`true` : sql`c.id < ${before}::uuid`;
  const more = sql`, c.held_for AS "heldFor", video.title AS "videoTitle"`;
  const result = await db.execute(sql`
    ${selectComments(sql`comments AS c JOIN videos AS video ON video.id = c.video_id AND video.deleted_at IS NULL`, ownerId, more)}
    WHERE c.owner_id = ${ownerId}::uuid AND c.state = 'held' AND ${older} AND author.status = 'active'
      AND ${notBlocked(ownerId, sql`c.author_id`)}
    ORDER BY c.id DESC LIMIT ${limit}`);
  return result.rows as unknown as HeldCommentRow[];
}

export interface CommentSettingsRow {
  readonly blockedWords: readonly string[];
  readonly holdLinks: 'nobody' | 'strangers' | 'everybody';
}

/** What an owner set; undefined when nothing was. */
export async function findCommentSettings(db: Db, ownerId: string): Promise<CommentSettingsRow | undefined> {
  const result = await db.execute(sql`
    SELECT blocked_words AS "blockedWords", hold_links AS "holdLinks" FROM comment_settings
    WHERE owner_id = ${ownerId}::uuid`);
  return result.rows[0] as CommentSettingsRow | undefined;
}

/** Sets all of it. `keys` are the blocked words in the form in which they are looked for. */
export async function saveCommentSettings(
  db: Db,
  ownerId: string,
  settings: CommentSettingsRow & { readonly keys: readonly string[] },
): Promise<void> {
  await db.execute(sql`
    INSERT INTO comment_settings (owner_id, blocked_words, blocked_keys, hold_links)
    VALUES (${ownerId}::uuid, ${textArray(settings.blockedWords)}::text[], ${textArray(settings.keys)}::text[],
      ${settings.holdLinks})
    ON CONFLICT (owner_id) DO UPDATE SET blocked_words = excluded.blocked_words, blocked_keys = excluded.blocked_keys,
      hold_links = excluded.hold_links, updated_at = now()`);
}
