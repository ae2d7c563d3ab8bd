import { type SQL, sql } from 'drizzle-orm';
import type { RequestContext } from '../../context.ts';
import { insertAuditIfAny } from '../../db/audit.ts';
import type { Db } from '../../db/client.ts';
import { insertEventIfAny, type OutboxEvent } from '../../db/outbox.ts';
import { smsCodeAttempts } from './phone.policy.ts';

type WriteContext = Pick<
  RequestContext,
  'databases' | 'ids' | 'actor' | 'ip' | 'country' | 'userAgent' | 'requestId'
>;

/** What a code is for and good for nowhere else: `id` is the challenge of a login, or the session. */
export interface SmsBinding {
  readonly purpose: 'enrol' | 'login' | 'step_up';
  readonly id: string;
}

/** A code sent by SMS that was found right and is not used up yet. */
export interface SmsProof {
  readonly kind: 'sms';
  readonly binding: SmsBinding;
  /** In hex. */
  readonly codeHash: string;
}

// One number, proven beside the authenticator there is now: not alone, and not beside an earlier one.
const provenPhone = (userId: SQL): SQL => sql`
  FROM phone_factors AS phone JOIN totp_factors AS totp ON totp.user_id = phone.user_id
  WHERE phone.user_id = ${userId} AND totp.confirmed_at <= phone.verified_at`;

/** Whether the user of `userId`, an expression of the statement, may get codes by SMS. */
export const hasPhone = (userId: SQL): SQL => sql`EXISTS (SELECT ${provenPhone(userId)})`;

const isCode = (userId: SQL, { purpose, id }: SmsBinding, now: string): SQL =>
  sql`code.user_id = ${userId} AND code.purpose = ${purpose} AND code.binding = ${id}::uuid
    AND code.used_at IS NULL AND code.expires_at > ${now}::timestamptz`;

/** The body of a CTE that uses a code up, as `useFactorCte` describes. */
export const useSmsCte = (proof: SmsProof, owner: SQL, now: string): SQL => sql`
  UPDATE sms_codes AS code SET used_at = ${now}::timestamptz
  FROM ${owner} AS owner
  WHERE ${isCode(sql`owner.user_id`, proof.binding, now)} AND code.code_hash = decode(${proof.codeHash}, 'hex')
    AND EXISTS (SELECT ${provenPhone(sql`owner.user_id`)} AND phone.id = code.phone_id)
  RETURNING code.user_id`;

export interface PhoneRow {
  readonly id: string;
  /** In hex. */
  readonly sealedNumber: string;
  /** RFC 3339. */
  readonly verifiedAt: string;
}

/** The number of a user that gets codes. */
export async function findPhone(db: Db, userId: string): Promise<PhoneRow | undefined> {
  const result = await db.execute(sql`
    SELECT phone.id, encode(phone.sealed_number, 'hex') AS "sealedNumber",
      to_char(phone.verified_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "verifiedAt"
    ${provenPhone(sql`${userId}::uuid`)}`);
  return result.rows[0] as PhoneRow | undefined;
}

/** Whether the user has an authenticator app. */
export async function hasAuthenticator(db: Db, userId: string): Promise<boolean> {
  const result = await db.execute(
    sql`SELECT FROM totp_factors WHERE user_id = ${userId}::uuid AND confirmed_at IS NOT NULL`,
  );
  return result.rows.length > 0;
}

export interface NewSmsCode {
  readonly userId: string;
  readonly binding: SmsBinding;
  readonly phoneId: string;
  /** In hex; of enrolments only. */
  readonly sealedNumber: string | undefined;
  /** In hex. */
  readonly codeHash: string;
  /** RFC 3339. */
  readonly now: string;
  readonly expiresAt: string;
}

/** Writes a code about to be sent, in place of the one sent before for the same. */
export async function putSmsCode(ctx: WriteContext, code: NewSmsCode): Promise<void> {
  const { purpose, id } = code.binding;
  const audit = {
    action: 'factors.sms_code_sent',
    target: { kind: 'user', id: code.userId },
    detail: { purpose },
  };
  await ctx.databases.primary.execute(sql`
    WITH forgotten AS (
      DELETE FROM sms_codes
      WHERE user_id = ${code.userId}::uuid AND expires_at < ${code.now}::timestamptz AND binding <> ${id}::uuid
    ),
    put AS (
      INSERT INTO sms_codes (user_id, purpose, binding, phone_id, sealed_number, code_hash, created_at, expires_at)
      VALUES (${code.userId}::uuid, ${purpose}, ${id}::uuid, ${code.phoneId}::uuid,
        decode(${code.sealedNumber ?? null}, 'hex'), decode(${code.codeHash}, 'hex'), ${code.now}::timestamptz,
        ${code.expiresAt}::timestamptz)
      ON CONFLICT (user_id, purpose, binding) DO UPDATE
        SET phone_id = excluded.phone_id, sealed_number = excluded.sealed_number, code_hash = excluded.code_hash,
          created_at = excluded.created_at, expires_at = excluded.expires_at, attempts = 0, used_at = NULL
      RETURNING user_id
    ),
    audited AS (${insertAuditIfAny(ctx, audit, sql`put`)})
    SELECT user_id FROM put`);
}

/** Counts an attempt at a code and yields its hash, in hex; undefined when it is used, over, or had too many. */
export async function takeSmsAttempt(
  db: Db,
  userId: string,
  binding: SmsBinding,
  now: string,
): Promise<string | undefined> {
  const result = await db.execute(sql`
    UPDATE sms_codes AS code SET attempts = attempts + 1
    WHERE ${isCode(sql`${userId}::uuid`, binding, now)} AND code.attempts < ${smsCodeAttempts}::integer
    RETURNING encode(code.code_hash, 'hex') AS "codeHash"`);
  return (result.rows[0] as { codeHash: string } | undefined)?.codeHash;
}

/** Uses the code of an enrolment up and makes its number the user's. False when it was used or the authenticator is gone. */
export async function confirmPhone(
  ctx: WriteContext,
  userId: string,
  proof: SmsProof,
  notice: OutboxEvent,
  now: string,
): Promise<boolean> {
  const audit = { action: 'factors.phone_set', target: { kind: 'user', id: userId } };
  const result = await ctx.databases.primary.execute(sql`
    WITH used AS (
      UPDATE sms_codes AS code SET used_at = ${now}::timestamptz
      WHERE ${isCode(sql`${userId}::uuid`, proof.binding, now)} AND code.code_hash = decode(${proof.codeHash}, 'hex')
        AND EXISTS (SELECT FROM totp_factors WHERE user_id = ${userId}::uuid AND confirmed_at IS NOT NULL)
      RETURNING code.user_id, code.phone_id, code.sealed_number
    ),
    put AS (
      INSERT INTO phone_factors (user_id, id, sealed_number, verified_at)
      SELECT user_id, phone_id, sealed_number, ${now}::timestamptz FROM used
      ON CONFLICT (user_id) DO UPDATE
        SET id = excluded.id, sealed_number = excluded.sealed_number, verified_at = excluded.verified_at
      RETURNING user_id
    ),
    told AS (${insertEventIfAny(notice, sql`put`)}),
    audited AS (${insertAuditIfAny(ctx, audit, sql`put`)})
    SELECT user_id FROM put`);
  return result.rows.length > 0;
}

/** Removes the user's number and every code sent to it. False when there was none. */
export async function removePhone(ctx: WriteContext, userId: string, notice: OutboxEvent): Promise<boolean> {
  const audit = { action: 'factors.phone_removed', target: { kind: 'user', id: userId } };
  const result = await ctx.databases.primary.execute(sql`
    WITH removed AS (DELETE FROM phone_factors WHERE user_id = ${userId}::uuid RETURNING user_id),
    void AS (DELETE FROM sms_codes USING removed WHERE sms_codes.user_id = removed.user_id),
    told AS (${insertEventIfAny(notice, sql`removed`)}),
    audited AS (${insertAuditIfAny(ctx, audit, sql`removed`)})
    SELECT user_id FROM removed`);
  return result.rows.length > 0;
}
