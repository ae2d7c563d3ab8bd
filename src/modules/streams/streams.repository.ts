import { is, SQL, sql } from 'drizzle-orm';
import type { Db } from '../../db/client.ts';
import { userSummaryJson } from '../users/index.ts';
import { maxAnnounced, type StreamChanges, type StreamVisibility } from './streams.schemas.ts';
import type { StreamRow } from './streams.views.ts';

/** The viewer, undefined for a stranger; or an expression of the statement for either. */
type ViewerId = string | undefined | SQL;

const utc = (column: SQL): SQL => sql`to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
const parameter = (viewerId: ViewerId): SQL =>
  is(viewerId, SQL) ? viewerId : sql`${viewerId ?? null}::uuid`;

/** The condition that the viewer is a member of the owner's channel now, for a statement with `streams AS stream`. */
export const memberOfStream = (viewerId: ViewerId): SQL => sql`EXISTS (
  SELECT FROM channel_members AS member
  WHERE member.owner_id = stream.owner_id AND member.user_id = ${parameter(viewerId)}
    AND (member.expires_at IS NULL OR member.expires_at > now()))`;

const visibleTo = (viewerId: ViewerId, open: SQL): SQL => {
  const viewer = parameter(viewerId);
  return sql`(stream.owner_id = ${viewer} OR (
    stream.state <> 'canceled' AND owner.status = 'active'
    AND NOT EXISTS (
      SELECT FROM blocks
      WHERE (blocker_id = stream.owner_id AND blocked_id = ${viewer})
         OR (blocker_id = ${viewer} AND blocked_id = stream.owner_id))
    AND (${open}
      OR (stream.visibility = 'followers'
        AND EXISTS (SELECT FROM follows WHERE follower_id = ${viewer} AND followee_id = stream.owner_id))
      OR (stream.visibility = 'members' AND ${memberOfStream(viewerId)}))))`;
};

/** The condition that this viewer may see a stream, for a statement with `streams AS stream` and `users AS owner`. */
export const streamVisibleTo = (viewerId: ViewerId): SQL =>
  visibleTo(viewerId, sql`stream.visibility IN ('public', 'unlisted')`);

const columns = sql`stream.id, stream.title, stream.description, stream.visibility, stream.state,
  ${userSummaryJson('owner')} AS owner, ${utc(sql`stream.scheduled_at`)} AS "scheduledAt",
  ${utc(sql`stream.started_at`)} AS "startedAt", ${utc(sql`stream.ended_at`)} AS "endedAt",
  stream.away_since IS NOT NULL AS reconnecting, stream.viewers, stream.health, stream.clips_enabled AS "clipsEnabled",
  (SELECT video.id FROM videos AS video WHERE video.id = stream.video_id AND video.deleted_at IS NULL) AS "videoId",
  ${utc(sql`stream.created_at`)} AS "createdAt", ${utc(sql`stream.updated_at`)} AS "updatedAt"`;

export interface NewStream {
  readonly id: string;
  readonly ownerId: string;
  readonly title: string;
  readonly description: string;
  readonly visibility: StreamVisibility;
  readonly scheduledAt: string | null;
}

/** @returns undefined when the owner has announced too many. */
export async function insertStream(db: Db, stream: NewStream): Promise<StreamRow | undefined> {
  const result = await db.execute(sql`
    WITH stream AS (
      INSERT INTO streams (id, owner_id, title, description, visibility, scheduled_at)
      SELECT ${stream.id}::uuid, ${stream.ownerId}::uuid, ${stream.title}, ${stream.description}, ${stream.visibility},
        ${stream.scheduledAt}::timestamptz
      WHERE (SELECT count(*) FROM streams WHERE owner_id = ${stream.ownerId}::uuid AND state = 'scheduled') < ${maxAnnounced}
      ON CONFLICT (id) DO UPDATE SET id = excluded.id
      RETURNING *
    )
    SELECT ${columns} FROM stream JOIN users AS owner ON owner.id = stream.owner_id`);
  return result.rows[0] as StreamRow | undefined;
}

/** A stream as this viewer may see it. */
export async function findStream(db: Db, id: string, viewerId: ViewerId): Promise<StreamRow | undefined> {
  const result = await db.execute(sql`
    SELECT ${columns} FROM streams AS stream JOIN users AS owner ON owner.id = stream.owner_id
    WHERE stream.id = ${id}::uuid AND ${streamVisibleTo(viewerId)}`);
  return result.rows[0] as StreamRow | undefined;
}

/** Whose stream it is, if this viewer may see it. */
export async function findStreamOwner(db: Db, id: string, viewerId: ViewerId): Promise<string | undefined> {
  const result = await db.execute(sql`
    SELECT stream.owner_id AS "ownerId" FROM streams AS stream JOIN users AS owner ON owner.id = stream.owner_id
    WHERE stream.id = ${id}::uuid AND ${streamVisibleTo(viewerId)}`);
  return result.rows[0]?.ownerId as string | undefined;
}

/**
 * A page of an owner's streams, newest first: all for the owner, what they may see and is not unlisted for others.
 * @returns undefined when the owner is not active or blocks the viewer.
 */
export async function listStreams(
  db: Db,
  query: {
    readonly ownerId: string;
    readonly viewerId: ViewerId;
    readonly before: string | undefined;
    readonly limit: number;
  },
): Promise<StreamRow[] | undefined> {
  const older = query.before === undefined ? sql`true` : sql`stream.id < ${query.before}::uuid`;
  const result = await db.execute(sql`
    SELECT page.* FROM users AS owner LEFT JOIN LATERAL (
      SELECT ${columns} FROM streams AS stream
      WHERE stream.owner_id = owner.id AND ${older}
        AND ${visibleTo(query.viewerId, sql`stream.visibility = 'public'`)}
      ORDER BY stream.id DESC LIMIT ${query.limit}
    ) AS page ON true
    WHERE owner.id = ${query.ownerId}::uuid AND owner.status = 'active'
      AND NOT EXISTS (
        SELECT FROM blocks WHERE blocker_id = owner.id AND blocked_id = ${parameter(query.viewerId)})
    ORDER BY page.id DESC`);
  const rows = result.rows as unknown as (StreamRow | { readonly id: null })[];
  return rows.length === 0 ? undefined : rows.filter((row): row is StreamRow => row.id !== null);
}

/** A page of public streams that are live, the most watched first, without those whose owner this viewer blocks or who blocks them. */
export async function listLiveStreams(
  db: Db,
  query: {
    readonly viewerId: ViewerId;
    readonly after: { readonly viewers: number; readonly id: string } | undefined;
    readonly limit: number;
  },
): Promise<StreamRow[]> {
  const { after } = query;
  const beyond =
    after === undefined
      ? sql`true`
      : sql`(stream.viewers, stream.id) < (${after.viewers}::integer, ${after.id}::uuid)`;
  const result = await db.execute(sql`
    SELECT ${columns} FROM streams AS stream JOIN users AS owner ON owner.id = stream.owner_id
    WHERE stream.state = 'live' AND stream.visibility = 'public' AND ${beyond}
      AND ${visibleTo(query.viewerId, sql`true`)}
    ORDER BY stream.viewers DESC, stream.id DESC LIMIT ${query.limit}`);
  return result.rows as unknown as StreamRow[];
}

/** Changes what is given of a stream that is not canceled. */
export async function updateStream(
  db: Db,
  id: string,
  ownerId: string,
  changes: StreamChanges,
): Promise<StreamRow | undefined> {
  const assignments = [sql`updated_at = now()`];
  if (changes.title !== undefined) assignments.push(sql`title = ${changes.title}`);
  if (changes.description !== undefined) assignments.push(sql`description = ${changes.description}`);
  if (changes.visibility !== undefined) assignments.push(sql`visibility = ${changes.visibility}`);
  if (changes.clips_enabled !== undefined) assignments.push(sql`clips_enabled = ${changes.clips_enabled}`);
  if (changes.scheduled_at !== undefined)
    assignments.push(sql`scheduled_at = ${changes.scheduled_at}::timestamptz`);
  const result = await db.execute(sql`
    WITH stream AS (
      UPDATE streams SET ${sql.join(assignments, sql`, `)}
      WHERE id = ${id}::uuid AND owner_id = ${ownerId}::uuid AND state <> 'canceled' RETURNING *
    )
    SELECT ${columns} FROM stream JOIN users AS owner ON owner.id = stream.owner_id`);
  return result.rows[0] as StreamRow | undefined;
}

/** Cancels a stream that has not begun; again is the same. @returns undefined when the owner has no such stream. */
export async function cancelStream(
  db: Db,
  id: string,
  ownerId: string,
): Promise<'canceled' | 'begun' | undefined> {
  const result = await db.execute(sql`
    WITH target AS (
      SELECT id, state FROM streams WHERE id = ${id}::uuid AND owner_id = ${ownerId}::uuid FOR UPDATE
    ), canceled AS (
      UPDATE streams SET state = 'canceled', updated_at = now() FROM target
      WHERE streams.id = target.id AND target.state = 'scheduled'
    )
    SELECT CASE WHEN state IN ('scheduled', 'canceled') THEN 'canceled' ELSE 'begun' END AS outcome FROM target`);
  return result.rows[0]?.outcome as 'canceled' | 'begun' | undefined;
}
