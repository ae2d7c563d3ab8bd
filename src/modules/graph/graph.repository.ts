import { type SQL, sql } from 'drizzle-orm';
import type { RequestContext } from '../../context.ts';
import { insertAuditIfAny } from '../../db/audit.ts';
import { atomic, type Db } from '../../db/client.ts';
import { countChange, counters, followId, insertEventFrom } from '../../db/counting.ts';
import { insertEventIfAny, type OutboxEvent } from '../../db/outbox.ts';
import { type UserSummaryRow, userSummaryJson } from '../users/index.ts';

/** Two users: the one who acts, and the one it is about. */
export interface Pair {
  readonly actorId: string;
  readonly targetId: string;
}

/**
 * The condition that neither user blocks the other. Without a viewer nobody is signed in, whom nobody can block.
 * `userId` is SQL: a column or a bound parameter.
 */
export const notBlocked = (viewerId: string | undefined, userId: SQL): SQL =>
  viewerId === undefined
    ? sql`true`
    : sql`NOT EXISTS (
        SELECT FROM blocks
        WHERE (blocker_id = ${viewerId}::uuid AND blocked_id = ${userId})
           OR (blocker_id = ${userId} AND blocked_id = ${viewerId}::uuid))`;

/** What the event of a follow tells; `follow` names a FROM item with the columns of `follows`. */
export const followPayload = sql`jsonb_build_object('follower_id', follow.follower_id, 'followee_id', follow.followee_id,
  'follow_id', ${followId(sql`follow`)})`;

/**
 * The statement that makes this transaction the only one about two users, so that a follow and a block at the same
 * moment see each other. Its own statement: the next one then reads what the previous holder committed.
 */
const lockPair = (db: Db, { actorId, targetId }: Pair) =>
  db.execute(sql`
    WITH pair AS (SELECT least(${actorId}, ${targetId}) || greatest(${actorId}, ${targetId}) AS key)
    SELECT pg_advisory_xact_lock(hashtextextended(key, 0)) FROM pair`);

export interface FollowOutcome {
  /** The target exists, is active and does not block the actor. */
  readonly found: boolean;
  /** The actor blocks the target. */
  readonly blocking: boolean;
  readonly changed: boolean;
}

/** Follows, unless either blocks the other. Writes `event` when something changed. */
export async function insertFollow(db: Db, pair: Pair, event: OutboxEvent): Promise<FollowOutcome> {
  const { actorId, targetId } = pair;
  const [, result] = await atomic(db, [
    lockPair(db, pair),
    db.execute(sql`
      WITH target AS (
        SELECT id FROM users WHERE id = ${targetId}::uuid AND status = 'active'
          AND NOT EXISTS (SELECT FROM blocks WHERE blocker_id = users.id AND blocked_id = ${actorId}::uuid)
      ),
      barrier AS (SELECT FROM blocks WHERE blocker_id = ${actorId}::uuid AND blocked_id = ${targetId}::uuid),
      made AS (
        INSERT INTO follows (follower_id, followee_id)
        SELECT ${actorId}::uuid, id FROM target WHERE NOT EXISTS (SELECT FROM barrier)
        ON CONFLICT DO NOTHING RETURNING *
      ),
      event AS (${insertEventFrom(event, followPayload, sql`made AS follow`)})
      SELECT EXISTS (SELECT FROM target) AS found, EXISTS (SELECT FROM barrier) AS blocking,
             EXISTS (SELECT FROM made) AS changed`),
  ]);
  return result.rows[0] as unknown as FollowOutcome;
}

export interface Outcome {
  readonly found: boolean;
  readonly changed: boolean;
}

/** Stops following. Writes `event` when something changed. */
export async function deleteFollow(
  db: Db,
  { actorId, targetId }: Pair,
  event: OutboxEvent,
): Promise<Outcome> {
  const result = await db.execute(sql`
    WITH gone AS (
      DELETE FROM follows WHERE follower_id = ${actorId}::uuid AND followee_id = ${targetId}::uuid RETURNING *
    ),
    event AS (${insertEventFrom(event, followPayload, sql`gone AS follow`)})
    SELECT EXISTS (SELECT FROM users WHERE id = ${targetId}::uuid AND status <> 'deleted') AS found,
           EXISTS (SELECT FROM gone) AS changed`);
  return result.rows[0] as unknown as Outcome;
}

export interface BlockEvents {
  readonly blocked: OutboxEvent;
  /** The actor's follow of the target ended. */
  readonly unfollowed: OutboxEvent;
  /** The target's follow of the actor ended. */
  readonly lostFollower: OutboxEvent;
}

/**
 * Blocks, and ends the follows between the two.
 * @returns the ids of the events that were written.
 */
export async function insertBlock(
  ctx: RequestContext,
  pair: Pair,
  events: BlockEvents,
): Promise<{ readonly found: boolean; readonly eventIds: string[] }> {
  const { actorId, targetId } = pair;
  const db = ctx.databases.primary;
  const audit = { action: 'user.block', target: { kind: 'user', id: targetId } } as const;
  const [, result] = await atomic(db, [
    lockPair(db, pair),
    db.execute(sql`
      WITH target AS (SELECT id FROM users WHERE id = ${targetId}::uuid AND status <> 'deleted'),
      made AS (
        INSERT INTO blocks (blocker_id, blocked_id) SELECT ${actorId}::uuid, id FROM target
        ON CONFLICT DO NOTHING RETURNING 1
      ),
      gone AS (
        DELETE FROM follows
        WHERE (follower_id, followee_id) IN
          ((${actorId}::uuid, ${targetId}::uuid), (${targetId}::uuid, ${actorId}::uuid))
        RETURNING *
      ),
      own AS (SELECT * FROM gone WHERE follower_id = ${actorId}::uuid),
      theirs AS (SELECT * FROM gone WHERE followee_id = ${actorId}::uuid),
      blocked AS (${insertEventIfAny(events.blocked, sql`made`)} RETURNING id),
      unfollowed AS (${insertEventFrom(events.unfollowed, followPayload, sql`own AS follow`)} RETURNING id),
      lost_follower AS (${insertEventFrom(events.lostFollower, followPayload, sql`theirs AS follow`)} RETURNING id),
      audit AS (${insertAuditIfAny(ctx, audit, sql`made`)})
      SELECT EXISTS (SELECT FROM target) AS found,
        (SELECT coalesce(json_agg(id), '[]') FROM (
          SELECT id FROM blocked UNION ALL SELECT id FROM unfollowed UNION ALL SELECT id FROM lost_follower
        ) AS written) AS "eventIds"`),
  ]);
  return result.rows[0] as unknown as { found: boolean; eventIds: string[] };
}

/** Unblocks. Follows stay ended. */
export async function deleteBlock(ctx: RequestContext, { actorId, targetId }: Pair): Promise<Outcome> {
  const audit = { action: 'user.unblock', target: { kind: 'user', id: targetId } } as const;
  const result = await ctx.databases.primary.execute(sql`
    WITH gone AS (
      DELETE FROM blocks WHERE blocker_id = ${actorId}::uuid AND blocked_id = ${targetId}::uuid RETURNING 1
    ),
    audit AS (${insertAuditIfAny(ctx, audit, sql`gone`)})
    SELECT EXISTS (SELECT FROM users WHERE id = ${targetId}::uuid AND status <> 'deleted') AS found,
           EXISTS (SELECT FROM gone) AS changed`);
  return result.rows[0] as unknown as Outcome;
}

export interface CountedFollow {
  readonly followId: string;
  readonly followerId: string;
  readonly followeeId: string;
}

/**
 * Moves the follower count of one user and the following count of the other, once for a follow and once for its end.
 */
export async function countFollow(
  db: Db,
  kind: 'made' | 'undone',
  follow: CountedFollow,
  nowMs: number,
): Promise<void> {
  const move = (column: 'followers' | 'following', userId: string) => {
    const name = sql.identifier(column);
    return db.execute(sql`
      WITH ${countChange(counters[column], kind, follow.followId, nowMs)}
      UPDATE user_counters SET ${name} = greatest(${name} + change.delta, 0)
      FROM change WHERE user_id = ${userId}::uuid`);
  };
  const followers = move('followers', follow.followeeId);
  const following = move('following', follow.followerId);
  // Rows are locked in one order, so that two people following each other at once do not wait in a circle.
  await atomic(db, follow.followeeId < follow.followerId ? [followers, following] : [following, followers]);
}

/** A user in a list, with the moment that orders it. */
export interface ListedUser {
  readonly user: UserSummaryRow;
  /** RFC 3339 with microseconds: the position in the list. */
  readonly since: string;
}

/** Where a page of a list of users begins: after this one. Newest first, then by id. */
export interface ListPosition {
  readonly since: string;
  readonly id: string;
}

export interface ListRequest {
  readonly after: ListPosition | undefined;
  readonly limit: number;
}

interface UserList {
  readonly table: SQL;
  /** Column of the user the list belongs to. */
  readonly owner: SQL;
  /** Column of the users in it. */
  readonly listed: SQL;
}

const userLists = {
  followers: { table: sql`follows`, owner: sql`link.followee_id`, listed: sql`link.follower_id` },
  following: { table: sql`follows`, owner: sql`link.follower_id`, listed: sql`link.followee_id` },
  blocks: { table: sql`blocks`, owner: sql`link.blocker_id`, listed: sql`link.blocked_id` },
} satisfies Record<string, UserList>;

const pageOf = (list: UserList, condition: SQL, { after, limit }: ListRequest): SQL => {
  const beyond =
    after === undefined
      ? sql`true`
      : sql`link.created_at <= ${after.since}::timestamptz
          AND (link.created_at < ${after.since}::timestamptz OR ${list.listed} > ${after.id}::uuid)`;
  return sql`
    SELECT ${userSummaryJson('listed')} AS "user",
      to_char(link.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS since
    FROM ${list.table} AS link JOIN users AS listed ON listed.id = ${list.listed} AND listed.status = 'active'
    WHERE ${condition} AND ${beyond}
    ORDER BY link.created_at DESC, ${list.listed}
    LIMIT ${limit}`;
};

/** A page of the people around a user, as the viewer may see them; undefined when the viewer may not see the user. */
export async function listConnections(
  db: Db,
  which: 'followers' | 'following',
  userId: string,
  viewerId: string | undefined,
  request: ListRequest,
): Promise<ListedUser[] | undefined> {
  const list = userLists[which];
  const condition = sql`${list.owner} = subject.id AND ${notBlocked(viewerId, list.listed)}`;
  const result = await db.execute(sql`
    SELECT page.*
    FROM users AS subject LEFT JOIN LATERAL (${pageOf(list, condition, request)}) AS page ON true
    WHERE subject.id = ${userId}::uuid AND subject.status = 'active'
      AND NOT EXISTS (SELECT FROM blocks WHERE blocker_id = subject.id AND blocked_id = ${viewerId ?? null}::uuid)
    ORDER BY page.since DESC, page."user" ->> 'id'`);
  const rows = result.rows as unknown as (ListedUser | { readonly user: null })[];
  return rows.length === 0 ? undefined : rows.filter((row): row is ListedUser => row.user !== null);
}

/** A page of the users someone blocks. */
export async function listBlocked(db: Db, userId: string, request: ListRequest): Promise<ListedUser[]> {
  const list = userLists.blocks;
  const result = await db.execute(pageOf(list, sql`${list.owner} = ${userId}::uuid`, request));
  return result.rows as unknown as ListedUser[];
}
