import { type SQL, sql } from 'drizzle-orm';
import type { RequestContext } from '../../context.ts';
import { insertAuditIfAny } from '../../db/audit.ts';
import type { Db } from '../../db/client.ts';
import { type UserSummaryRow, userSummaryJson } from '../users/index.ts';
import type { MemberPosition } from './members.schemas.ts';

export interface MemberRow {
  readonly user: UserSummaryRow;
  /** RFC 3339, UTC, with microseconds. */
  readonly grantedAt: string;
  readonly expiresAt: string | null;
}

export interface Membership {
  readonly ownerId: string;
  readonly userId: string;
}

const utc = (column: SQL): SQL => sql`to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

/**
 * Makes somebody a member of the owner's channel, or changes until when they are.
 * @returns false when there is no such active user, or one of the two blocks the other.
 */
export async function grantMembership(
  ctx: RequestContext,
  { ownerId, userId }: Membership,
  expiresAt: string | null,
): Promise<boolean> {
  const audit = { action: 'member.grant', target: { kind: 'user', id: userId } } as const;
  const result = await ctx.databases.primary.execute(sql`
    WITH granted AS (
      INSERT INTO channel_members (owner_id, user_id, expires_at)
      SELECT ${ownerId}::uuid, id, ${expiresAt}::timestamptz FROM users
      WHERE id = ${userId}::uuid AND status = 'active'
        AND NOT EXISTS (
          SELECT FROM blocks
          WHERE (blocker_id = ${ownerId}::uuid AND blocked_id = users.id)
             OR (blocker_id = users.id AND blocked_id = ${ownerId}::uuid))
      ON CONFLICT (owner_id, user_id) DO UPDATE SET expires_at = excluded.expires_at
      RETURNING user_id
    ), audit AS (${insertAuditIfAny(ctx, audit, sql`granted`)})
    SELECT user_id FROM granted`);
  return result.rows.length > 0;
}

/**
 * Ends a membership, if there is one.
 * @returns false when there is no such user.
 */
export async function endMembership(ctx: RequestContext, { ownerId, userId }: Membership): Promise<boolean> {
  const audit = { action: 'member.end', target: { kind: 'user', id: userId } } as const;
  const result = await ctx.databases.primary.execute(sql`
    WITH ended AS (
      DELETE FROM channel_members WHERE owner_id = ${ownerId}::uuid AND user_id = ${userId}::uuid RETURNING user_id
    ), audit AS (${insertAuditIfAny(ctx, audit, sql`ended`)})
    SELECT EXISTS (SELECT FROM ended)
      OR EXISTS (SELECT FROM users WHERE id = ${userId}::uuid AND status = 'active') AS found`);
  return result.rows[0]?.found === true;
}

/** Members of a channel whose accounts are active, latest first; those whose time is over are left out. */
export async function listMembers(
  db: Db,
  ownerId: string,
  request: { readonly after: MemberPosition | undefined; readonly limit: number },
): Promise<MemberRow[]> {
  const { after } = request;
  const before =
    after === undefined
      ? sql``
      : sql`AND (member.granted_at < ${after.grantedAt}::timestamptz
          OR (member.granted_at = ${after.grantedAt}::timestamptz AND member.user_id > ${after.id}::uuid))`;
  const result = await db.execute(sql`
    SELECT ${userSummaryJson('person')} AS user, ${utc(sql`member.granted_at`)} AS "grantedAt",
      ${utc(sql`member.expires_at`)} AS "expiresAt"
    FROM channel_members AS member JOIN users AS person ON person.id = member.user_id
    WHERE member.owner_id = ${ownerId}::uuid AND person.status = 'active'
      AND (member.expires_at IS NULL OR member.expires_at > now()) ${before}
    ORDER BY member.granted_at DESC, member.user_id LIMIT ${request.limit}`);
  return result.rows as unknown as MemberRow[];
}
