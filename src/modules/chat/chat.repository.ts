import { sql } from 'drizzle-orm';
import {
  type ChatSettings,
  type ChatterFacts,
  openSettings,
  type RoomFacts,
} from '../../../durable-objects/chat-room/protocol.ts';
import type { RequestContext } from '../../context.ts';
import { insertAuditIfAny } from '../../db/audit.ts';
import type { Db } from '../../db/client.ts';
import { memberOfStream, streamVisibleTo } from '../streams/index.ts';

export interface Chatter {
  readonly room: RoomFacts;
  /** Undefined for strangers, who only read. */
  readonly facts: ChatterFacts | undefined;
}

interface ChatterRow {
  readonly ownerId: string;
  readonly settings: ChatSettings | null;
  readonly userId: string | null;
  readonly username: string;
  readonly displayName: string;
  readonly role: ChatterFacts['role'] | null;
  readonly isMember: boolean;
  readonly followsSinceMs: number | null;
  readonly isBanned: boolean;
  readonly bannedUntilMs: number | null;
}

/** Everything a room needs to know of somebody who comes, in one trip. Undefined where they see no such stream. */
export async function findChatter(
  db: Db,
  streamId: string,
  viewerId: string | undefined,
): Promise<Chatter | undefined> {
  const result = await db.execute(sql`
    SELECT stream.owner_id AS "ownerId",
      (SELECT json_build_object('slow_seconds', slow_seconds, 'members_only', members_only,
          'followers_only_minutes', followers_only_minutes, 'emote_only', emote_only, 'unique_only', unique_only)
        FROM chat_settings WHERE owner_id = stream.owner_id) AS settings,
      chatter.id AS "userId", chatter.username, chatter.display_name AS "displayName",
      CASE WHEN chatter.id = stream.owner_id THEN 'owner'
        ELSE (SELECT role FROM chat_roles WHERE owner_id = stream.owner_id AND user_id = chatter.id) END AS role,
      ${memberOfStream(viewerId)} AS "isMember",
      (SELECT extract(epoch FROM created_at)::float8 * 1000 FROM follows
        WHERE follower_id = chatter.id AND followee_id = stream.owner_id) AS "followsSinceMs",
      ban.user_id IS NOT NULL AS "isBanned", extract(epoch FROM ban.until)::float8 * 1000 AS "bannedUntilMs"
    FROM streams AS stream JOIN users AS owner ON owner.id = stream.owner_id
    LEFT JOIN users AS chatter ON chatter.id = ${viewerId ?? null}::uuid AND chatter.status = 'active'
    LEFT JOIN chat_bans AS ban ON ban.owner_id = stream.owner_id AND ban.user_id = chatter.id
      AND (ban.until IS NULL OR ban.until > now())
    WHERE stream.id = ${streamId}::uuid AND ${streamVisibleTo(viewerId)}`);
  const [row] = result.rows as unknown as ChatterRow[];
  if (row === undefined) return undefined;
  const room = { streamId, ownerId: row.ownerId, settings: row.settings ?? openSettings };
  return { room, facts: factsOf(row) };
}

function factsOf(row: ChatterRow): ChatterFacts | undefined {
  if (row.userId === null) return undefined;
  return {
    userId: row.userId,
    username: row.username,
    displayName: row.displayName,
    role: row.role ?? 'viewer',
    isMember: row.isMember,
    followsSinceMs: row.followsSinceMs,
    ban: row.isBanned ? { untilMs: row.bannedUntilMs } : null,
  };
}

/** The place of somebody in the chat of a channel; undefined when there is no such active account. */
export async function findRole(
  db: Db,
  ownerId: string,
  userId: string,
): Promise<ChatterFacts['role'] | undefined> {
  const result = await db.execute(sql`
    SELECT CASE WHEN id = ${ownerId}::uuid THEN 'owner' ELSE coalesce(
      (SELECT role FROM chat_roles WHERE owner_id = ${ownerId}::uuid AND user_id = users.id), 'viewer') END AS role
    FROM users WHERE id = ${userId}::uuid AND status = 'active'`);
  return result.rows[0]?.role as ChatterFacts['role'] | undefined;
}

export interface NewBan {
  readonly ownerId: string;
  readonly userId: string;
  /** Null: for good. */
  readonly seconds: number | null;
  readonly reason: string;
  readonly by: string;
}

/** Keeps a ban, in place of an older one. @returns false when one that ends no earlier is in force. */
export async function insertBan(ctx: RequestContext, ban: NewBan): Promise<boolean> {
  const until =
    ban.seconds === null ? sql`NULL::timestamptz` : sql`now() + make_interval(secs => ${ban.seconds})`;
  const audit = { action: 'chat.ban', target: { kind: 'user', id: ban.userId } } as const;
  const result = await ctx.databases.primary.execute(sql`
    WITH banned AS (
      INSERT INTO chat_bans AS ban (owner_id, user_id, until, reason, banned_by)
      VALUES (${ban.ownerId}::uuid, ${ban.userId}::uuid, ${until}, ${ban.reason}, ${ban.by}::uuid)
      ON CONFLICT (owner_id, user_id) DO UPDATE SET until = excluded.until, reason = excluded.reason,
        banned_by = excluded.banned_by, banned_at = now()
      WHERE ban.until IS NOT NULL AND (ban.until < excluded.until OR excluded.until IS NULL)
      RETURNING user_id
    ), audit AS (${insertAuditIfAny(ctx, audit, sql`banned`)})
    SELECT 1 FROM banned`);
  return result.rows.length > 0;
}

/** @returns false when nobody was banned. */
export async function deleteBan(ctx: RequestContext, ownerId: string, userId: string): Promise<boolean> {
  const audit = { action: 'chat.unban', target: { kind: 'user', id: userId } } as const;
  const result = await ctx.databases.primary.execute(sql`
    WITH unbanned AS (
      DELETE FROM chat_bans WHERE owner_id = ${ownerId}::uuid AND user_id = ${userId}::uuid RETURNING user_id
    ), audit AS (${insertAuditIfAny(ctx, audit, sql`unbanned`)})
    SELECT 1 FROM unbanned`);
  return result.rows.length > 0;
}

/** Keeps how the chat of a channel begins. */
export async function saveSettings(db: Db, ownerId: string, settings: ChatSettings): Promise<void> {
  await db.execute(sql`
    INSERT INTO chat_settings (owner_id, slow_seconds, members_only, followers_only_minutes, emote_only, unique_only)
    VALUES (${ownerId}::uuid, ${settings.slow_seconds}, ${settings.members_only}, ${settings.followers_only_minutes}::int,
      ${settings.emote_only}, ${settings.unique_only})
    ON CONFLICT (owner_id) DO UPDATE SET slow_seconds = excluded.slow_seconds, members_only = excluded.members_only,
      followers_only_minutes = excluded.followers_only_minutes, emote_only = excluded.emote_only,
      unique_only = excluded.unique_only, updated_at = now()`);
}

/** Gives somebody a place in the chat of a channel. @returns false when there is no such active account. */
export async function grantRole(
  ctx: RequestContext,
  ownerId: string,
  userId: string,
  role: 'moderator' | 'vip',
): Promise<boolean> {
  const audit = { action: 'chat.role_grant', target: { kind: 'user', id: userId } } as const;
  const result = await ctx.databases.primary.execute(sql`
    WITH granted AS (
      INSERT INTO chat_roles (owner_id, user_id, role)
      SELECT ${ownerId}::uuid, id, ${role} FROM users WHERE id = ${userId}::uuid AND status = 'active'
      ON CONFLICT (owner_id, user_id) DO UPDATE SET role = excluded.role RETURNING user_id
    ), audit AS (${insertAuditIfAny(ctx, audit, sql`granted`)})
    SELECT 1 FROM granted`);
  return result.rows.length > 0;
}

/** Takes a place in the chat back. @returns false when there is no such active account. */
export async function takeRole(ctx: RequestContext, ownerId: string, userId: string): Promise<boolean> {
  const audit = { action: 'chat.role_end', target: { kind: 'user', id: userId } } as const;
  const result = await ctx.databases.primary.execute(sql`
    WITH taken AS (
      DELETE FROM chat_roles WHERE owner_id = ${ownerId}::uuid AND user_id = ${userId}::uuid RETURNING user_id
    ), audit AS (${insertAuditIfAny(ctx, audit, sql`taken`)})
    SELECT EXISTS (SELECT FROM taken)
      OR EXISTS (SELECT FROM users WHERE id = ${userId}::uuid AND status = 'active') AS found`);
  return result.rows[0]?.found === true;
}
