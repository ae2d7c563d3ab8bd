import { type SQL, sql } from 'drizzle-orm';
import { insertAuditIfAny } from '../../db/audit.ts';
import { atomic, type Db } from '../../db/client.ts';
import { violates } from '../../db/errors.ts';
import { insertEventIfAny, newEvent, type OutboxEvent } from '../../db/outbox.ts';
import { type EndedAccess, insertAccessEnd, lockUser, type WriteContext } from './sessions.repository.ts';

const liveToken = (hash: string, now: string): SQL =>
  sql`token.token_hash = decode(${hash}, 'hex') AND token.used_at IS NULL AND token.expires_at > ${now}::timestamptz`;

export interface EmailTokenRow {
  readonly purpose: 'verify_email' | 'change_email';
  /** The address the token was sent to. */
  readonly email: string;
  readonly currentEmail: string;
  readonly verified: boolean;
}

/** A live token by which the user may prove an address; undefined when it is not theirs. */
export async function findEmailToken(
  db: Db,
  userId: string,
  hash: string,
  now: string,
): Promise<EmailTokenRow | undefined> {
  const result = await db.execute(sql`
    SELECT token.purpose, token.email, users.email AS "currentEmail", users.email_verified_at IS NOT NULL AS verified
    FROM account_tokens AS token JOIN users ON users.id = token.user_id
    WHERE ${liveToken(hash, now)} AND token.user_id = ${userId}::uuid AND token.purpose IN ('verify_email', 'change_email')
      AND users.status = 'active'`);
  return result.rows[0] as EmailTokenRow | undefined;
}

/**
 * Uses a token up and makes its address the verified one of the account, all or nothing. A change ends every other token of
 * the account, since they were sent to the mailbox it leaves.
 * @param notices events of the change, written with it.
 * @returns `taken` when another account has verified the address; false when the token was used or the address of the
 * account changed since `found` was read.
 */
export async function applyEmailToken(
  ctx: WriteContext,
  userId: string,
  hash: string,
  found: EmailTokenRow,
  notices: readonly OutboxEvent[],
  now: string,
): Promise<boolean | 'taken'> {
  const { primary } = ctx.databases;
  const changing = found.purpose === 'change_email';
  const audit = {
    action: changing ? 'auth.email_changed' : 'auth.email_verified',
    target: { kind: 'user', id: userId },
  };
  const written = notices.map(
    (notice, index) =>
      sql`${sql.identifier(`notice_${index}`)} AS (${insertEventIfAny(notice, sql`changed`)}),`,
  );
  try {
    const [, result] = await atomic(primary, [
      primary.execute(lockUser(userId)),
      primary.execute(sql`
        WITH token AS (
          SELECT token.id, token.user_id, token.email FROM account_tokens AS token
          WHERE ${liveToken(hash, now)} AND token.user_id = ${userId}::uuid AND token.purpose = ${found.purpose}
          FOR UPDATE
        ),
        changed AS (
          UPDATE users SET email = token.email, email_verified_at = ${now}::timestamptz, updated_at = ${now}::timestamptz
          FROM token
          WHERE users.id = token.user_id AND users.status = 'active' AND users.email = ${found.currentEmail}
            AND (${changing}::boolean OR users.email = token.email)
          RETURNING users.id
        ),
        used AS (
          UPDATE account_tokens SET used_at = ${now}::timestamptz FROM changed
          WHERE account_tokens.user_id = changed.id AND account_tokens.used_at IS NULL
            AND (${changing}::boolean OR account_tokens.purpose = 'verify_email')
        ),
        ${sql.join(written, sql` `)}
        audited AS (${insertAuditIfAny(ctx, audit, sql`changed`)})
        SELECT id FROM changed`),
    ]);
    return result.rows.length > 0;
  } catch (error) {
    if (violates(error, 'users_verified_email_key')) return 'taken';
    throw error;
  }
}

export interface ResetTokenRow {
  readonly userId: string;
  readonly username: string;
  readonly email: string;
  readonly displayName: string;
}

/** The account a live reset token is for. */
export async function findResetToken(db: Db, hash: string, now: string): Promise<ResetTokenRow | undefined> {
  const result = await db.execute(sql`
    SELECT users.id AS "userId", users.username, users.email, users.display_name AS "displayName"
    FROM account_tokens AS token JOIN users ON users.id = token.user_id
    WHERE ${liveToken(hash, now)} AND token.purpose = 'reset_password' AND users.status IN ('active', 'deactivated')`);
  return result.rows[0] as ResetTokenRow | undefined;
}

/**
 * Uses a reset token up, sets the password and ends every session, every other token that was mailed, and every login that
 * owes its second factor, all or nothing. Second factors stay.
 * @returns undefined when the token was used meanwhile, or its address is not the account's verified one any more.
 */
export async function resetPassword(
  ctx: WriteContext,
  userId: string,
  hash: string,
  newHash: string,
  notice: OutboxEvent,
  now: string,
): Promise<EndedAccess | undefined> {
  const { primary } = ctx.databases;
  const event = newEvent(ctx, 'user.access_ended', undefined);
  const audit = { action: 'auth.password_reset', target: { kind: 'user', id: userId } };
  const [, result] = await atomic(primary, [
    primary.execute(lockUser(userId)),
    primary.execute(sql`
      WITH token AS (
        SELECT token.user_id, token.email FROM account_tokens AS token
        WHERE ${liveToken(hash, now)} AND token.user_id = ${userId}::uuid AND token.purpose = 'reset_password'
        FOR UPDATE
      ),
      changed AS (
        UPDATE users SET password_hash = ${newHash}, token_epoch = token_epoch + 1, updated_at = ${now}::timestamptz
        FROM token
        WHERE users.id = token.user_id AND users.status IN ('active', 'deactivated')
          AND users.email = token.email AND users.email_verified_at IS NOT NULL
        RETURNING users.id, users.token_epoch
      ),
      used AS (
        UPDATE account_tokens SET used_at = ${now}::timestamptz FROM changed
        WHERE account_tokens.user_id = changed.id AND account_tokens.used_at IS NULL
      ),
      owed AS (DELETE FROM mfa_challenges USING changed WHERE mfa_challenges.user_id = changed.id),
      ended AS (
        UPDATE sessions SET revoked_at = ${now}::timestamptz, revoked_reason = 'password_reset' FROM changed
        WHERE sessions.user_id = changed.id AND sessions.revoked_at IS NULL AND sessions.expires_at > ${now}::timestamptz
        RETURNING sessions.id
      ),
      told AS (${insertAccessEnd(event.id, event.traceparent, {
        userId: sql`${userId}::text`,
        ended: sql`ended`,
        epoch: sql`(SELECT token_epoch FROM changed)`,
        reason: 'password_reset',
        endedAt: now,
      })}),
      noticed AS (${insertEventIfAny(notice, sql`changed`)}),
      audited AS (${insertAuditIfAny(ctx, audit, sql`changed`)})
      SELECT token_epoch AS epoch, (SELECT coalesce(json_agg(ended.id), '[]') FROM ended) AS ids FROM changed`),
  ]);
  const row = result.rows[0] as { epoch: number; ids: string[] } | undefined;
  return row === undefined
    ? undefined
    : { userId, sessionIds: row.ids, epoch: row.epoch, endedAt: now, eventId: event.id };
}
