import { sql } from 'drizzle-orm';
import type { RequestContext } from '../../context.ts';
import { insertAuditIfAny } from '../../db/audit.ts';
import { atomic, type Db } from '../../db/client.ts';
import { violates } from '../../db/errors.ts';
import { insertEventIfAny, type OutboxEvent } from '../../db/outbox.ts';
import { hasPasskey } from '../factors/index.ts';
import { type AccountRow, accountColumns, usernameTaken } from '../users/index.ts';

type WriteContext = Pick<
  RequestContext,
  'databases' | 'ids' | 'actor' | 'ip' | 'country' | 'userAgent' | 'requestId'
>;

export interface UsernameChange {
  readonly userId: string;
  readonly username: string;
  /** RFC 3339, as the others. */
  readonly now: string;
  /** Changes after this moment stand in the way of another. */
  readonly changedSince: string;
  readonly reservedUntil: string;
}

export type UsernameOutcome =
  | { readonly kind: 'changed'; readonly account: AccountRow; readonly renamed: boolean }
  /** Unix milliseconds of the change that is too recent. */
  | { readonly kind: 'too_recent'; readonly changedAtMs: number }
  | { readonly kind: 'not_active' };

/**
 * Renames a user, reserves the name given up and writes `notice`, all or nothing. Another spelling of the same name is no
 * renaming. The user's row is locked first, so that of two changes at once the second finds the first.
 * @throws users.username_taken, also for names reserved for somebody else.
 */
export async function changeUsername(
  ctx: WriteContext,
  change: UsernameChange,
  notice: OutboxEvent,
): Promise<UsernameOutcome> {
  const { primary } = ctx.databases;
  const { userId, username, now } = change;
  const audit = { action: 'account.username_changed', target: { kind: 'user', id: userId } };
  const user = sql`${userId}::uuid`;
  try {
    const [, result] = await atomic(primary, [
      primary.execute(sql`SELECT FROM users WHERE id = ${user} FOR NO KEY UPDATE`),
      primary.execute(sql`
        WITH owner AS (SELECT id, username, username_key FROM users WHERE id = ${user} AND status = 'active'),
        recent AS (
          SELECT changed_at FROM username_changes
          WHERE user_id = ${user} AND changed_at > ${change.changedSince}::timestamptz
          ORDER BY changed_at DESC LIMIT 1
        ),
        changed AS (
          UPDATE users SET username = ${username}, updated_at = ${now}::timestamptz
          FROM owner
          WHERE users.id = owner.id AND (owner.username_key = lower(${username}) OR NOT EXISTS (SELECT FROM recent))
          RETURNING users.*
        ),
        renamed AS (
          SELECT owner.* FROM owner JOIN changed ON changed.id = owner.id
          WHERE owner.username_key <> lower(${username})
        ),
        history AS (
          INSERT INTO username_changes (id, user_id, old_username, new_username, changed_at)
          SELECT ${ctx.ids.next()}::uuid, id, username, ${username}, ${now}::timestamptz FROM renamed
        ),
        reserved AS (
          INSERT INTO username_reservations (name_hash, user_id, reserved_until)
          SELECT sha256(convert_to(username_key, 'UTF8')), id, ${change.reservedUntil}::timestamptz FROM renamed
          ON CONFLICT (name_hash) DO UPDATE
            SET user_id = excluded.user_id, reserved_until = excluded.reserved_until
        ),
        notice AS (${insertEventIfAny(notice, sql`renamed`)}),
        audited AS (${insertAuditIfAny(ctx, audit, sql`renamed`)})
        SELECT EXISTS (SELECT FROM owner) AS active, EXISTS (SELECT FROM renamed) AS renamed,
          (SELECT extract(epoch FROM changed_at) * 1000 FROM recent)::float8 AS "changedAtMs", account.*
        FROM (SELECT) AS one LEFT JOIN LATERAL (
          SELECT ${accountColumns('changed')}
          FROM changed LEFT JOIN user_counters AS counters ON counters.user_id = changed.id
        ) AS account ON true`),
    ]);
    const { active, renamed, changedAtMs, ...account } = result.rows[0] as unknown as {
      active: boolean;
      renamed: boolean;
      changedAtMs: number | null;
    } & (AccountRow | { id: null });
    if (!active) return { kind: 'not_active' };
    if (account.id === null) return { kind: 'too_recent', changedAtMs: changedAtMs ?? 0 };
    return { kind: 'changed', account, renamed };
  } catch (error) {
    if (violates(error, 'users_username_key')) throw usernameTaken();
    throw error;
  }
}

/**
 * Closes an account for everybody, with `events` and an audit entry. With `deletionDueAt` (RFC 3339) it is to be erased then;
 * without, it must have a password or passkey to be opened again with, or an address to be sent one to.
 */
export async function closeAccount(
  ctx: WriteContext,
  closing: { readonly userId: string; readonly now: string; readonly deletionDueAt: string | undefined },
  events: { readonly closed: OutboxEvent; readonly notice: OutboxEvent },
): Promise<'closed' | 'no_way_back' | 'not_open'> {
  const { userId, now, deletionDueAt = null } = closing;
  const audit = {
    action: deletionDueAt === null ? 'account.deactivated' : 'account.deletion_requested',
    target: { kind: 'user', id: userId },
  };
  const result = await ctx.databases.primary.execute(sql`
    WITH owner AS (
      SELECT id, password_hash IS NOT NULL OR email_verified_at IS NOT NULL OR ${hasPasskey(sql`users.id`)} AS returns FROM users
      WHERE id = ${userId}::uuid AND status = 'active' AND NOT 'admin' = ANY (roles) FOR NO KEY UPDATE
    ),
    closed AS (
      UPDATE users SET status = 'deactivated', deactivated_at = ${now}::timestamptz,
        deletion_due_at = ${deletionDueAt}::timestamptz, updated_at = ${now}::timestamptz
      FROM owner WHERE users.id = owner.id AND (owner.returns OR ${deletionDueAt}::timestamptz IS NOT NULL)
      RETURNING users.id
    ),
    told AS (${insertEventIfAny(events.closed, sql`closed`)}),
    notice AS (${insertEventIfAny(events.notice, sql`closed`)}),
    audited AS (${insertAuditIfAny(ctx, audit, sql`closed`)})
    SELECT EXISTS (SELECT FROM closed) AS closed FROM owner`);
  const row = result.rows[0] as { closed: boolean } | undefined;
  if (row === undefined) return 'not_open';
  return row.closed ? 'closed' : 'no_way_back';
}

/** Whether sessions are open of an account that is not. */
export async function hasStraySessions(db: Db, userId: string): Promise<boolean> {
  const result = await db.execute(sql`
    SELECT FROM sessions JOIN users ON users.id = sessions.user_id
    WHERE users.id = ${userId}::uuid AND users.status <> 'active' AND sessions.revoked_at IS NULL LIMIT 1`);
  return result.rowCount > 0;
}
