import { type SQL, sql } from 'drizzle-orm';
import { insertAudit, insertAuditIfAny } from '../../db/audit.ts';
import { atomic, type Db } from '../../db/client.ts';
import { insertEventIfAny, insertEvents, newEvent, type OutboxEvent } from '../../db/outbox.ts';
import type { Identifier } from './policy/identifier.ts';
import { mailLimits, type TokenPurpose } from './policy/mail-tokens.ts';
import type { WriteContext } from './sessions.repository.ts';

/** How long a mail that could not be sent is still worth sending. */
const sendWithin: Readonly<Record<TokenPurpose, string>> = {
  verify_email: '24 hours',
  change_email: '24 hours',
  reset_password: '1 hour',
};

/** What is known of the account whose mail is asked for, in a statement with `users`. */
const insertToken = (tokenId: string, purpose: TokenPurpose, email: SQL, owner: SQL, now: string): SQL => sql`
  INSERT INTO account_tokens (id, user_id, purpose, email, requested_at, expires_at)
  SELECT ${tokenId}::uuid, owner.id, ${purpose}, ${email}, ${now}::timestamptz,
    ${now}::timestamptz + ${sendWithin[purpose]}::interval
  FROM ${owner} AS owner`;

/** The CTEs that ask for the first verification mail of the user in the CTE `new_user`. */
export function askVerificationCtes(
  ctx: WriteContext,
  now: string,
): { readonly ctes: SQL; readonly eventId: string } {
  const tokenId = ctx.ids.next();
  const event = newEvent(ctx, 'account.token_mail_requested', { token_id: tokenId });
  return {
    ctes: sql`asked AS (${insertToken(tokenId, 'verify_email', sql`owner.email`, sql`new_user`, now)} RETURNING id),
      asked_told AS (${insertEventIfAny(event, sql`asked`)})`,
    eventId: event.id,
  };
}

/**
 * Asks for a mail that verifies the user's address. Links sent before go on working.
 * @returns the id of the event; undefined when the address is verified already or the account is not active.
 */
export async function askVerification(
  ctx: WriteContext,
  userId: string,
  now: string,
): Promise<string | undefined> {
  const tokenId = ctx.ids.next();
  const event = newEvent(ctx, 'account.token_mail_requested', { token_id: tokenId });
  const audit = { action: 'auth.email_verification_requested', target: { kind: 'user', id: userId } };
  const result = await ctx.databases.primary.execute(sql`
    WITH unverified AS (
      SELECT id, email FROM users WHERE id = ${userId}::uuid AND status = 'active' AND email_verified_at IS NULL
    ),
    asked AS (${insertToken(tokenId, 'verify_email', sql`owner.email`, sql`unverified`, now)} RETURNING id),
    told AS (${insertEventIfAny(event, sql`asked`)}),
    audited AS (${insertAuditIfAny(ctx, audit, sql`asked`)})
    SELECT id FROM asked`);
  return result.rows.length > 0 ? event.id : undefined;
}

/**
 * Asks for a mail to a new address. Links to addresses that were to be the new one before stop working.
 * @returns the id of the event, or why there is none.
 */
export async function askEmailChange(
  ctx: WriteContext,
  userId: string,
  email: string,
  now: string,
): Promise<{ readonly eventId: string } | 'unchanged' | undefined> {
  const tokenId = ctx.ids.next();
  const event = newEvent(ctx, 'account.token_mail_requested', { token_id: tokenId });
  const audit = { action: 'auth.email_change_requested', target: { kind: 'user', id: userId } };
  const result = await ctx.databases.primary.execute(sql`
    WITH owner AS (
      SELECT id, email = ${email} AND email_verified_at IS NOT NULL AS unchanged
      FROM users WHERE id = ${userId}::uuid AND status = 'active'
    ),
    wanted AS (SELECT id FROM owner WHERE NOT unchanged),
    superseded AS (
      UPDATE account_tokens SET used_at = ${now}::timestamptz FROM wanted
      WHERE account_tokens.user_id = wanted.id AND purpose = 'change_email' AND used_at IS NULL
    ),
    asked AS (${insertToken(tokenId, 'change_email', sql`${email}::text`, sql`wanted`, now)} RETURNING id),
    told AS (${insertEventIfAny(event, sql`asked`)}),
    audited AS (${insertAuditIfAny(ctx, audit, sql`asked`)})
    SELECT unchanged FROM owner`);
  const row = result.rows[0] as { unchanged: boolean } | undefined;
  if (row === undefined) return undefined;
  return row.unchanged ? 'unchanged' : { eventId: event.id };
}

/** Writes that somebody forgot a password. Does the same whether or not there is such an account. */
export async function askPasswordReset(
  ctx: WriteContext,
  identifier: string,
  now: string,
): Promise<OutboxEvent> {
  const { primary } = ctx.databases;
  const event = newEvent(ctx, 'account.password_reset_requested', { identifier, requested_at: now });
  await atomic(primary, [
    insertEvents(primary, [event]),
    insertAudit(primary, ctx, {
      action: 'auth.password_reset_requested',
      target: { kind: 'event', id: event.id },
    }),
  ]);
  return event;
}

/**
 * Writes the token a reset was asked for, under the id of the event that asked, if the account can be reset by mail: its
 * address is verified, and it is neither suspended nor deleted.
 */
export async function putResetToken(
  ctx: WriteContext,
  identifier: Identifier,
  eventId: string,
  now: string,
): Promise<void> {
  const named =
    identifier.kind === 'username'
      ? sql`username_key = lower(${identifier.username})`
      : sql`email_key = lower(${identifier.email})`;
  await ctx.databases.primary.execute(sql`
    WITH owner AS (
      SELECT id, email FROM users
      WHERE ${named} AND email_verified_at IS NOT NULL AND status IN ('active', 'deactivated')
    )
    ${insertToken(eventId, 'reset_password', sql`owner.email`, sql`owner`, now)}
    ON CONFLICT (id) DO NOTHING`);
}

/** All that decides whether a mail with a link goes out, and to whom. */
export interface TokenMailRow {
  readonly purpose: TokenPurpose;
  readonly email: string;
  readonly username: string;
  readonly status: 'active' | 'suspended' | 'deactivated' | 'deleted';
  /** The token was used, superseded, or is too old to be worth sending. */
  readonly over: boolean;
  readonly currentEmail: string;
  readonly verified: boolean;
  /** Another account that has verified the address. */
  readonly takenBy: string | null;
  /** Enough mails of this kind (verification or reset) went to the address: see `mailLimits`. */
  readonly full: boolean;
}

/**
 * Whether enough other mails of the kind of `token` went to its address. The token itself does not count: it may be here again
 * because its mail could not be handed over.
 */
function isFull(token: SQL, now: string): SQL {
  const { verification, workingResets } = mailLimits;
  const others = (condition: SQL): SQL => sql`(
    SELECT count(*) FROM account_tokens AS other
    WHERE other.id <> ${token}.id AND lower(other.email) = lower(${token}.email) AND ${condition})`;
  const sent = (interval: string): SQL =>
    others(
      sql`other.purpose <> 'reset_password' AND other.sent_at > ${now}::timestamptz - ${interval}::interval`,
    );
  const working = sql`other.purpose = 'reset_password' AND other.user_id = ${token}.user_id AND other.token_hash IS NOT NULL
      AND other.used_at IS NULL AND other.expires_at > ${now}::timestamptz`;
  return sql`CASE WHEN ${token}.purpose = 'reset_password' THEN ${others(working)} >= ${workingResets}::integer
    ELSE ${sent('1 hour')} >= ${verification.hour}::integer OR ${sent('1 day')} >= ${verification.day}::integer END`;
}

// Mails to one address wait for each other, so that those asked for at once do not all find room.
const lockAddress = (tokenId: string): SQL => sql`
  SELECT pg_advisory_xact_lock(hashtextextended('mail to ' || lower(email), 0)) FROM account_tokens WHERE id = ${tokenId}::uuid`;

export async function findTokenMail(db: Db, tokenId: string, now: string): Promise<TokenMailRow | undefined> {
  const result = await db.execute(sql`
    SELECT token.purpose, token.email, users.username, users.status,
      token.used_at IS NOT NULL OR token.expires_at <= ${now}::timestamptz AS over,
      users.email AS "currentEmail", users.email_verified_at IS NOT NULL AS verified,
      (SELECT other.username FROM users AS other
       WHERE other.email_key = lower(token.email) AND other.email_verified_at IS NOT NULL AND other.id <> token.user_id)
        AS "takenBy",
      ${isFull(sql`token`, now)} AS "full"
    FROM account_tokens AS token JOIN users ON users.id = token.user_id
    WHERE token.id = ${tokenId}::uuid`);
  return result.rows[0] as TokenMailRow | undefined;
}

/**
 * Makes a token valid from now on; a mail sent a second time has a new one. False when it was used or superseded meanwhile, or
 * other mails filled its address.
 */
export async function issueToken(
  ctx: WriteContext,
  tokenId: string,
  issued: { readonly hash: string; readonly now: string; readonly expiresAt: string },
): Promise<boolean> {
  const { primary } = ctx.databases;
  const audit = {
    action: 'auth.token_mailed',
    target: { kind: 'user', id: sql`(SELECT user_id::text FROM issued)` },
    detail: { token_id: tokenId },
  };
  const [, result] = await atomic(primary, [
    primary.execute(lockAddress(tokenId)),
    primary.execute(sql`
      WITH issued AS (
        UPDATE account_tokens AS token SET token_hash = decode(${issued.hash}, 'hex'), sent_at = ${issued.now}::timestamptz,
          expires_at = ${issued.expiresAt}::timestamptz
        WHERE id = ${tokenId}::uuid AND used_at IS NULL AND NOT ${isFull(sql`token`, issued.now)}
        RETURNING user_id
      ),
      audited AS (${insertAuditIfAny(ctx, audit, sql`issued`)})
      SELECT user_id FROM issued`),
  ]);
  return result.rows.length > 0;
}

/**
 * Ends a request whose answer is a mail without a link, which counts for the limits of its address. False when other mails
 * filled it.
 */
export async function closeToken(db: Db, tokenId: string, now: string): Promise<boolean> {
  const [, result] = await atomic(db, [
    db.execute(lockAddress(tokenId)),
    db.execute(sql`
      UPDATE account_tokens AS token SET used_at = ${now}::timestamptz, sent_at = ${now}::timestamptz
      WHERE id = ${tokenId}::uuid AND NOT ${isFull(sql`token`, now)} RETURNING id`),
  ]);
  return result.rows.length > 0;
}
