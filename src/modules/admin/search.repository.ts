import { type SQL, sql } from 'drizzle-orm';
import { insertAudit, insertAuditIfAny } from '../../db/audit.ts';
import { countLiveKeys } from '../api-keys/index.ts';
import { factorKinds } from '../factors/index.ts';
import type { WriteContext } from './accounts.repository.ts';

const utc = (column: SQL): SQL => sql`to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

export interface UserFilters {
  readonly id: string | undefined;
  readonly usernamePrefix: string | undefined;
  readonly email: string | undefined;
  readonly status: string | undefined;
  readonly role: string | undefined;
}

export interface FoundUserRow {
  readonly id: string;
  readonly username: string;
  readonly displayName: string;
  readonly status: string;
  readonly roles: string[];
  /** RFC 3339 in UTC. */
  readonly createdAt: string;
}

const conditionOf = (filters: UserFilters): SQL => {
  const conditions = [sql`true`];
  if (filters.id !== undefined) conditions.push(sql`id = ${filters.id}::uuid`);
  if (filters.usernamePrefix !== undefined) {
    const prefix = filters.usernamePrefix.toLowerCase().replaceAll(/[\\%_]/g, '\\$&');
    conditions.push(sql`username_key LIKE ${`${prefix}%`}`);
  }
  if (filters.email !== undefined)
    conditions.push(sql`email_key = lower(${filters.email}) AND email_verified_at IS NOT NULL`);
  // Where there are two conditions, the first is that of an index over the few accounts it holds for.
  if (filters.status === 'active') conditions.push(sql`status = 'active'`);
  else if (filters.status !== undefined)
    conditions.push(sql`status <> 'active' AND status = ${filters.status}`);
  if (filters.role !== undefined)
    conditions.push(sql`roles <> '{user}' AND ${filters.role}::text = ANY (roles)`);
  return sql.join(conditions, sql` AND `);
};

/** Accounts the filters name, the newest first, `limit + 1` at most. The search itself is written into the audit log. */
export async function searchAccounts(
  ctx: WriteContext,
  filters: UserFilters,
  page: { readonly limit: number; readonly afterId: string | undefined },
): Promise<FoundUserRow[]> {
  // The address or name that was looked for is not repeated: the log outlives the account.
  const audit = {
    action: 'admin.users_searched',
    as: 'admin',
    detail: {
      id: filters.id,
      by_username: filters.usernamePrefix !== undefined,
      by_email: filters.email !== undefined,
      status: filters.status,
      role: filters.role,
      after_id: page.afterId,
    },
  } as const;
  const after = page.afterId === undefined ? sql`true` : sql`id < ${page.afterId}::uuid`;
  const result = await ctx.databases.primary.execute(sql`
    WITH found AS (
      SELECT id, username, display_name, status, roles, created_at FROM users
      WHERE ${conditionOf(filters)} AND ${after} ORDER BY id DESC LIMIT ${page.limit + 1}
    ),
    audited AS (${insertAuditIfAny(ctx, audit, sql`(VALUES (1)) AS always (one)`)})
    SELECT id, username, display_name AS "displayName", status, array_to_json(roles) AS roles,
      ${utc(sql`created_at`)} AS "createdAt"
    FROM found ORDER BY id DESC`);
  return result.rows as unknown as FoundUserRow[];
}

/** Writes down that somebody of the staff searched by address who may not. */
export const insertDeniedSearch = (ctx: WriteContext) =>
  insertAudit(ctx.databases.primary, ctx, {
    action: 'admin.users_searched',
    as: 'admin',
    outcome: 'denied',
    detail: { by_email: true },
  }).execute();

export interface AccountViewRow extends FoundUserRow {
  readonly email: string;
  readonly emailVerified: boolean;
  readonly openSessions: number;
  readonly lastUsedAt: string | null;
  readonly apiKeys: number;
  readonly hasPassword: boolean;
  readonly factors: string[];
  /** Providers it can be signed into by. */
  readonly identities: string[];
  readonly suspensionReason: string | null;
  readonly suspendedBy: string | null;
  readonly suspendedAt: string | null;
  readonly suspensionEndsAt: string | null;
}

/** One account as staff may see it; that it was looked at is written into the audit log. */
export async function viewAccount(
  ctx: WriteContext,
  userId: string,
  now: string,
): Promise<AccountViewRow | undefined> {
  const audit = {
    action: 'admin.account_viewed',
    as: 'admin',
    target: { kind: 'user', id: userId },
  } as const;
  const open = sql`sessions.user_id = found.id AND sessions.revoked_at IS NULL AND sessions.expires_at > ${now}::timestamptz`;
  const result = await ctx.databases.primary.execute(sql`
    WITH found AS (SELECT * FROM users WHERE id = ${userId}::uuid),
    audited AS (${insertAuditIfAny(ctx, audit, sql`found`)})
    SELECT found.id, found.username, found.display_name AS "displayName", found.status,
      array_to_json(found.roles) AS roles, ${utc(sql`found.created_at`)} AS "createdAt", found.email,
      found.email_verified_at IS NOT NULL AS "emailVerified", found.password_hash IS NOT NULL AS "hasPassword",
      (SELECT count(*)::int FROM sessions WHERE ${open}) AS "openSessions",
      (SELECT ${utc(sql`max(sessions.last_used_at)`)} FROM sessions WHERE sessions.user_id = found.id) AS "lastUsedAt",
      ${countLiveKeys(sql`found.id`, now)} AS "apiKeys", ${factorKinds(sql`found.id`)} AS factors,
      (SELECT coalesce(json_agg(provider ORDER BY provider), '[]') FROM identities WHERE identities.user_id = found.id) AS identities,
      suspension.reason AS "suspensionReason", suspension.suspended_by AS "suspendedBy",
      ${utc(sql`suspension.suspended_at`)} AS "suspendedAt", ${utc(sql`suspension.ends_at`)} AS "suspensionEndsAt"
    FROM found LEFT JOIN suspensions AS suspension ON suspension.user_id = found.id`);
  return result.rows[0] as AccountViewRow | undefined;
}
