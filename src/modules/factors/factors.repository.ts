import { type SQL, sql } from 'drizzle-orm';
import type { RequestContext } from '../../context.ts';
import { type AuditContext, insertAuditIfAny } from '../../db/audit.ts';
import type { Db } from '../../db/client.ts';
import { insertEventIfAny, type OutboxEvent, textArray } from '../../db/outbox.ts';
import { hasPhone, type SmsProof, useSmsCte } from './phones.repository.ts';

type WriteContext = Pick<RequestContext, 'databases'> & AuditContext;

/** A passkey's answer to a challenge, found right. */
export interface PasskeyProof {
  readonly kind: 'passkey';
  readonly passkeyId: string;
  /** In hex. */
  readonly challenge: string;
  /** RFC 3339: when the challenge need not be remembered any more. */
  readonly challengeExpiresAt: string;
  /** The authenticator's count of signatures; 0 when it keeps none. */
  readonly signCount: number;
  readonly backedUp: boolean;
}

/** A code that was found right and is not used up yet: `useFactorCte` decides whether it still may be used. */
export type FactorProof =
  | { readonly kind: 'totp'; readonly step: number; readonly sealedSecret: string }
  | { readonly kind: 'backup_code'; readonly codeHash: string }
  | SmsProof
  | PasskeyProof;

const hasTotp = (userId: SQL): SQL =>
  sql`EXISTS (SELECT FROM totp_factors WHERE totp_factors.user_id = ${userId} AND totp_factors.confirmed_at IS NOT NULL)`;

/** Whether the user of `userId`, an expression of the statement, has a passkey: a factor and a way to sign in. */
export const hasPasskey = (userId: SQL): SQL =>
  sql`EXISTS (SELECT FROM passkeys WHERE passkeys.user_id = ${userId})`;

/** Whether the user of `userId`, an expression of the statement, must show a second factor. */
export const hasConfirmedFactor = (userId: SQL): SQL => sql`(${hasTotp(userId)} OR ${hasPasskey(userId)})`;

/** What a user may show as second factor. */
export type FactorKind = 'totp' | 'passkey' | 'sms' | 'backup_code';

/** The kinds of factor the user of `userId` has, as a JSON array of `FactorKind`; empty when none is owed. */
export const factorKinds = (userId: SQL): SQL => sql`array_to_json(array_remove(ARRAY[
    CASE WHEN ${hasTotp(userId)} THEN 'totp' END,
    CASE WHEN ${hasPasskey(userId)} THEN 'passkey' END,
    CASE WHEN ${hasPhone(userId)} THEN 'sms' END,
    CASE WHEN ${hasConfirmedFactor(userId)} AND EXISTS (
      SELECT FROM backup_codes WHERE backup_codes.user_id = ${userId} AND backup_codes.used_at IS NULL
    ) THEN 'backup_code' END], NULL))`;

/**
 * CTEs, each with a comma after it, that stand before the one of `useFactorCte`: of concurrent uses of a passkey's challenge
 * one gets the row of `spent`.
 */
export const spendChallengeCte = (proof: FactorProof): SQL =>
  proof.kind === 'passkey'
    ? sql`spent AS (
        INSERT INTO used_passkey_challenges (challenge, expires_at)
        VALUES (decode(${proof.challenge}, 'hex'), ${proof.challengeExpiresAt}::timestamptz)
        ON CONFLICT (challenge) DO NOTHING
        RETURNING challenge
      ),`
    : sql``;

/**
 * The body of a CTE that uses a code up and yields `user_id` if it could be: a time step later than every one used before, a
 * backup code nobody used, or a challenge nobody answered (`spendChallengeCte`) by a passkey whose count went up. Of
 * concurrent uses one gets a row. `owner` names a CTE with the `user_id` whose code it must be.
 */
export const useFactorCte = (proof: FactorProof, owner: SQL, now: string): SQL => {
  if (proof.kind === 'passkey')
    return sql`UPDATE passkeys AS passkey
        SET sign_count = ${proof.signCount}::bigint, backed_up = ${proof.backedUp}::boolean, last_used_at = ${now}::timestamptz
        FROM ${owner} AS owner, spent
        WHERE passkey.id = ${proof.passkeyId}::uuid AND passkey.user_id = owner.user_id
          AND (passkey.sign_count < ${proof.signCount}::bigint OR (passkey.sign_count = 0 AND ${proof.signCount}::bigint = 0))
        RETURNING passkey.user_id`;
  if (proof.kind === 'sms') return useSmsCte(proof, owner, now);
  return proof.kind === 'totp'
    ? sql`UPDATE totp_factors AS factor SET last_step = ${proof.step}::bigint
        FROM ${owner} AS owner
        WHERE factor.user_id = owner.user_id AND factor.confirmed_at IS NOT NULL
          AND factor.sealed_secret = decode(${proof.sealedSecret}, 'hex') AND factor.last_step < ${proof.step}::bigint
        RETURNING factor.user_id`
    : sql`UPDATE backup_codes AS code SET used_at = ${now}::timestamptz
        FROM ${owner} AS owner
        WHERE code.user_id = owner.user_id AND code.code_hash = decode(${proof.codeHash}, 'hex') AND code.used_at IS NULL
          AND ${hasConfirmedFactor(sql`owner.user_id`)}
        RETURNING code.user_id`;
};

export interface FactorsRow {
  /** RFC 3339; null when there is no authenticator. */
  readonly totpConfirmedAt: string | null;
  readonly backupCodesLeft: number;
}

/** The second factors of a user. */
export async function findFactors(db: Db, userId: string): Promise<FactorsRow> {
  const result = await db.execute(sql`
    SELECT
      (SELECT to_char(confirmed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
       FROM totp_factors WHERE user_id = ${userId}::uuid) AS "totpConfirmedAt",
      (SELECT count(*)::int FROM backup_codes WHERE user_id = ${userId}::uuid AND used_at IS NULL) AS "backupCodesLeft"`);
  return result.rows[0] as unknown as FactorsRow;
}

/**
 * Keeps a seed that waits to be confirmed, in place of one that waited before. Yields the account's name, or undefined when
 * an authenticator is confirmed already or the account is not active.
 */
export async function putPendingTotp(
  ctx: WriteContext,
  userId: string,
  sealedSecret: string,
  now: string,
): Promise<{ readonly username: string } | undefined> {
  const audit = { action: 'factors.totp_started', target: { kind: 'user', id: userId } };
  const result = await ctx.databases.primary.execute(sql`
    WITH owner AS (SELECT id, username FROM users WHERE id = ${userId}::uuid AND status = 'active'),
    pending AS (
      INSERT INTO totp_factors (user_id, sealed_secret, created_at)
      SELECT id, decode(${sealedSecret}, 'hex'), ${now}::timestamptz FROM owner
      ON CONFLICT (user_id) DO UPDATE SET sealed_secret = excluded.sealed_secret, created_at = excluded.created_at
        WHERE totp_factors.confirmed_at IS NULL
      RETURNING user_id
    ),
    audited AS (${insertAuditIfAny(ctx, audit, sql`pending`)})
    SELECT owner.username FROM pending JOIN owner ON owner.id = pending.user_id`);
  return result.rows[0] as { username: string } | undefined;
}

/** The sealed seed, in hex, that waits to be confirmed since `startedAfter` or later. */
export async function findPendingTotp(
  db: Db,
  userId: string,
  startedAfter: string,
): Promise<string | undefined> {
  const result = await db.execute(sql`
    SELECT encode(sealed_secret, 'hex') AS "sealedSecret" FROM totp_factors
    WHERE user_id = ${userId}::uuid AND confirmed_at IS NULL AND created_at >= ${startedAfter}::timestamptz`);
  return (result.rows[0] as { sealedSecret: string } | undefined)?.sealedSecret;
}

/** Confirms the seed that was checked and writes its backup codes. False when it was replaced or confirmed meanwhile. */
export async function confirmTotp(
  ctx: WriteContext,
  userId: string,
  proof: Extract<FactorProof, { kind: 'totp' }>,
  codeHashes: readonly string[],
  notice: OutboxEvent,
  now: string,
): Promise<boolean> {
  const audit = { action: 'factors.totp_confirmed', target: { kind: 'user', id: userId } };
  const result = await ctx.databases.primary.execute(sql`
    WITH confirmed AS (
      UPDATE totp_factors SET confirmed_at = ${now}::timestamptz, last_step = ${proof.step}::bigint
      WHERE user_id = ${userId}::uuid AND confirmed_at IS NULL AND sealed_secret = decode(${proof.sealedSecret}, 'hex')
      RETURNING user_id
    ),
    codes AS (${putBackupCodes(codeHashes, sql`confirmed`, now)}),
    noticed AS (${insertEventIfAny(notice, sql`confirmed`)}),
    audited AS (${insertAuditIfAny(ctx, audit, sql`confirmed`)})
    SELECT user_id FROM confirmed`);
  return result.rows.length > 0;
}

/** Replaces every backup code, used or not. False when the user has no second factor. */
export async function replaceBackupCodes(
  ctx: WriteContext,
  userId: string,
  codeHashes: readonly string[],
  notice: OutboxEvent,
  now: string,
): Promise<boolean> {
  const audit = { action: 'factors.backup_codes_replaced', target: { kind: 'user', id: userId } };
  const result = await ctx.databases.primary.execute(sql`
    WITH owner AS (
      SELECT id AS user_id FROM users WHERE id = ${userId}::uuid AND ${hasConfirmedFactor(sql`users.id`)}
      FOR NO KEY UPDATE
    ),
    codes AS (${putBackupCodes(codeHashes, sql`owner`, now)}),
    noticed AS (${insertEventIfAny(notice, sql`owner`)}),
    audited AS (${insertAuditIfAny(ctx, audit, sql`owner`)})
    SELECT user_id FROM owner`);
  return result.rows.length > 0;
}

/** Removes the authenticator with the phone number beside it and, unless passkeys remain, the backup codes. False when there was none. */
export async function removeTotp(ctx: WriteContext, userId: string, notice: OutboxEvent): Promise<boolean> {
  const audit = { action: 'factors.totp_removed', target: { kind: 'user', id: userId } };
  const result = await ctx.databases.primary.execute(sql`
    WITH removed AS (
      DELETE FROM totp_factors WHERE user_id = ${userId}::uuid AND confirmed_at IS NOT NULL RETURNING user_id
    ),
    codes AS (
      DELETE FROM backup_codes USING removed
      WHERE backup_codes.user_id = removed.user_id AND NOT ${hasPasskey(sql`removed.user_id`)}
    ),
    phones AS (DELETE FROM phone_factors USING removed WHERE phone_factors.user_id = removed.user_id),
    sms AS (DELETE FROM sms_codes USING removed WHERE sms_codes.user_id = removed.user_id),
    noticed AS (${insertEventIfAny(notice, sql`removed`)}),
    audited AS (${insertAuditIfAny(ctx, audit, sql`removed`)})
    SELECT user_id FROM removed`);
  return result.rows.length > 0;
}

/** The body of a CTE that writes the backup codes of `owner`'s `user_id`, in place of every one there was. */
export const putBackupCodes = (codeHashes: readonly string[], owner: SQL, now: string): SQL => sql`
  INSERT INTO backup_codes (user_id, slot, code_hash, created_at)
  SELECT owner.user_id, code.slot, decode(code.hash, 'hex'), ${now}::timestamptz
  FROM ${owner} AS owner, unnest(${textArray(codeHashes)}::text[]) WITH ORDINALITY AS code (hash, slot)
  ORDER BY code.slot
  ON CONFLICT (user_id, slot) DO UPDATE
    SET code_hash = excluded.code_hash, created_at = excluded.created_at, used_at = NULL`;
