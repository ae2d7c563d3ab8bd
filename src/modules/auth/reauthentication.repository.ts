import { type SQL, sql } from 'drizzle-orm';
import type { Actor } from '../../context.ts';
import { insertAuditIfAny } from '../../db/audit.ts';
import { atomic, type Databases, type Db } from '../../db/client.ts';
import { insertEventIfAny, newEvent, type OutboxEvent, textArray } from '../../db/outbox.ts';
import { type FactorProof, hasConfirmedFactor, spendChallengeCte, useFactorCte } from '../factors/index.ts';
import {
  type Admission,
  admittedByPassword,
  insertAdmittedSession,
  type NewSession,
  type OpenedSession,
  type PasswordHashes,
} from './auth.repository.ts';
import { type EndedAccess, insertAccessEnd, lockUser, type WriteContext } from './sessions.repository.ts';

/** Wrong codes one login may give. */
const maxAttempts = 5;

type UserActor = Extract<Actor, { kind: 'user' }>;

const liveSession = (actor: Pick<UserActor, 'userId' | 'sessionId'>, now: string): SQL =>
  sql`sessions.id = ${actor.sessionId}::uuid AND sessions.user_id = ${actor.userId}::uuid
    AND sessions.revoked_at IS NULL AND sessions.expires_at > ${now}::timestamptz`;

/** Asks the primary how a token's session stands; undefined when it is over or its account is not active. */
export const createSessionStanding =
  (databases: Databases) =>
  async (actor: UserActor, nowSeconds: number): Promise<{ readonly secondFactor: boolean } | undefined> => {
    const now = new Date(nowSeconds * 1000).toISOString();
    const result = await databases.primary.execute(sql`
      SELECT ${hasConfirmedFactor(sql`users.id`)} AS "secondFactor"
      FROM sessions JOIN users ON users.id = sessions.user_id
      WHERE ${liveSession(actor, now)} AND users.status = 'active' AND users.token_epoch = ${actor.epoch}::integer`);
    return result.rows[0] as { secondFactor: boolean } | undefined;
  };

/** Writes that the password was right and a second factor is owed; false when account or password changed meanwhile. */
export async function insertChallenge(
  ctx: WriteContext,
  userId: string,
  hashes: PasswordHashes,
  challenge: { readonly id: string; readonly now: string; readonly expiresAt: string },
): Promise<boolean> {
  const admitted = sql`admitted AS (${admittedByPassword(userId, hashes, sql`true`)})`;
  return insertChallengeOf(ctx, { userId, ctes: admitted, firstFactor: 'pwd' }, challenge);
}

/** Writes that a user let in by `ctes` (see `Admission`) owes a second factor; false when nobody was let in. */
export async function insertChallengeOf(
  ctx: WriteContext,
  { userId, ctes, firstFactor }: Pick<Admission, 'userId' | 'ctes'> & { readonly firstFactor: string },
  challenge: { readonly id: string; readonly now: string; readonly expiresAt: string },
): Promise<boolean> {
  const audit = { action: 'auth.second_factor_asked', target: { kind: 'user', id: userId } };
  const result = await ctx.databases.primary.execute(sql`
    WITH ${ctes},
    forgotten AS (
      DELETE FROM mfa_challenges USING admitted
      WHERE mfa_challenges.user_id = admitted.id AND mfa_challenges.expires_at < ${challenge.now}::timestamptz
    ),
    asked AS (
      INSERT INTO mfa_challenges (id, user_id, password_fingerprint, first_factor, created_at, expires_at)
      SELECT ${challenge.id}::uuid, admitted.id, ${fingerprint(sql`admitted.password_hash`)}, ${firstFactor},
        ${challenge.now}::timestamptz, ${challenge.expiresAt}::timestamptz
      FROM admitted
      RETURNING id
    ),
    audited AS (${insertAuditIfAny(ctx, audit, sql`asked`)})
    SELECT id FROM asked`);
  return result.rows.length > 0;
}

const openChallenge = (challenge: { readonly id: string; readonly userId: string }, now: string): SQL =>
  sql`id = ${challenge.id}::uuid AND user_id = ${challenge.userId}::uuid AND consumed_at IS NULL
    AND expires_at > ${now}::timestamptz AND attempts < ${maxAttempts}::integer`;

/** Whether a challenge may still be answered; counts no attempt. */
export async function isChallengeOpen(
  db: Db,
  challenge: { readonly id: string; readonly userId: string },
  now: string,
): Promise<boolean> {
  const result = await db.execute(sql`SELECT FROM mfa_challenges WHERE ${openChallenge(challenge, now)}`);
  return result.rows.length > 0;
}

export interface AttemptRow {
  /** In hex; null when the authenticator was removed meanwhile. */
  readonly sealedSecret: string | null;
  readonly knownNetwork: boolean;
  /** The method (RFC 8176) that came before. */
  readonly firstFactor: string;
}

/** Counts an attempt at a challenge; undefined when it is used, over, or had too many. */
export async function takeChallengeAttempt(
  db: Db,
  challenge: { readonly id: string; readonly userId: string },
  networkHash: string,
  now: string,
): Promise<AttemptRow | undefined> {
  const result = await db.execute(sql`
    WITH attempt AS (
      UPDATE mfa_challenges SET attempts = attempts + 1
      WHERE ${openChallenge(challenge, now)}
      RETURNING user_id, first_factor
    )
    SELECT encode(factor.sealed_secret, 'hex') AS "sealedSecret", attempt.first_factor AS "firstFactor",
      EXISTS (
        SELECT FROM login_networks AS network
        WHERE network.user_id = attempt.user_id AND network.network_hash = decode(${networkHash}, 'hex')
      ) AS "knownNetwork"
    FROM attempt
    LEFT JOIN totp_factors AS factor ON factor.user_id = attempt.user_id AND factor.confirmed_at IS NOT NULL`);
  return result.rows[0] as AttemptRow | undefined;
}

/**
 * Uses the code and the challenge up and opens the session, all or nothing. Undefined when either was used before, or the
 * account or its password changed since the password was checked.
 */
export const insertSessionByFactor = (
  ctx: WriteContext,
  challenge: { readonly id: string; readonly userId: string },
  proof: FactorProof,
  session: NewSession,
  maxSessions: number,
): Promise<OpenedSession | undefined> => {
  const { userId } = challenge;
  const ctes = sql`challenge AS (
      SELECT id, user_id, password_fingerprint FROM mfa_challenges
      WHERE id = ${challenge.id}::uuid AND user_id = ${userId}::uuid AND consumed_at IS NULL
      FOR UPDATE
    ),
    eligible AS (
      SELECT users.id AS user_id FROM users JOIN challenge ON challenge.user_id = users.id
      WHERE users.status = 'active' AND ${fingerprint(sql`users.password_hash`)} = challenge.password_fingerprint
    ),
    ${spendChallengeCte(proof)}
    used AS (${useFactorCte(proof, sql`eligible`, session.authTime)}),
    consumed AS (
      UPDATE mfa_challenges SET consumed_at = ${session.authTime}::timestamptz
      FROM used WHERE mfa_challenges.id = ${challenge.id}::uuid
      RETURNING mfa_challenges.user_id
    ),
    admitted AS (SELECT users.* FROM users JOIN consumed ON consumed.user_id = users.id)`;
  const detail = { second_factor: proof.kind };
  return insertAdmittedSession(ctx, { userId, ctes, detail }, session, maxSessions);
};

export interface ReauthenticationRow {
  readonly username: string;
  readonly email: string;
  readonly displayName: string;
  readonly passwordHash: string | null;
  /** In hex; null when the account has no authenticator app. */
  readonly sealedSecret: string | null;
  readonly secondFactor: boolean;
}

/** What a signed-in caller is checked against; undefined when the session is over. */
export async function findReauthentication(
  db: Db,
  actor: UserActor,
  now: string,
): Promise<ReauthenticationRow | undefined> {
  const result = await db.execute(sql`
    SELECT users.username, users.email, users.display_name AS "displayName", users.password_hash AS "passwordHash",
      encode(factor.sealed_secret, 'hex') AS "sealedSecret", ${hasConfirmedFactor(sql`users.id`)} AS "secondFactor"
    FROM sessions JOIN users ON users.id = sessions.user_id
    LEFT JOIN totp_factors AS factor ON factor.user_id = users.id AND factor.confirmed_at IS NOT NULL
    WHERE ${liveSession(actor, now)} AND users.status = 'active' AND users.token_epoch = ${actor.epoch}::integer`);
  return result.rows[0] as ReauthenticationRow | undefined;
}

export interface SteppedUpRow {
  readonly roles: string[];
  readonly tokenEpoch: number;
  readonly amr: string[];
  /** Unix seconds. */
  readonly sessionExpiresAt: number;
}

/**
 * Makes the session freshly authenticated by the methods shown, using the code up. Undefined when the code was used before,
 * the password or the factors changed meanwhile, or the session is over.
 */
export async function stepUpSession(
  ctx: WriteContext,
  actor: UserActor,
  shown: {
    readonly checkedHash: string | undefined;
    readonly proof: FactorProof | undefined;
    readonly amr: readonly string[];
  },
  now: string,
): Promise<SteppedUpRow | undefined> {
  const { checkedHash, proof } = shown;
  const audit = {
    action: 'auth.step_up',
    target: { kind: 'user', id: actor.userId },
    detail: { session_id: actor.sessionId, methods: shown.amr },
  };
  const samePassword = checkedHash === undefined ? sql`true` : sql`password_hash = ${checkedHash}`;
  const used =
    proof === undefined
      ? sql`SELECT user_id FROM owner WHERE NOT ${hasConfirmedFactor(sql`owner.user_id`)}`
      : useFactorCte(proof, sql`owner`, now);
  const result = await ctx.databases.primary.execute(sql`
    WITH owner AS (
      SELECT users.id AS user_id, users.roles, users.token_epoch FROM users JOIN sessions ON sessions.user_id = users.id
      WHERE ${liveSession(actor, now)} AND users.status = 'active' AND users.token_epoch = ${actor.epoch}::integer
        AND ${samePassword}
      FOR SHARE OF users
    ),
    ${proof === undefined ? sql`` : spendChallengeCte(proof)}
    used AS (${used}),
    stepped AS (
      UPDATE sessions SET auth_time = ${now}::timestamptz,
        amr = ARRAY(SELECT DISTINCT method FROM unnest(sessions.amr || ${textArray(shown.amr)}::text[]) AS method ORDER BY method DESC)
      FROM used WHERE ${liveSession(actor, now)}
      RETURNING sessions.amr, sessions.expires_at
    ),
    audited AS (${insertAuditIfAny(ctx, audit, sql`stepped`)})
    SELECT array_to_json(owner.roles) AS roles, owner.token_epoch AS "tokenEpoch", array_to_json(stepped.amr) AS amr,
      floor(extract(epoch FROM stepped.expires_at))::float8 AS "sessionExpiresAt"
    FROM stepped CROSS JOIN owner`);
  return result.rows[0] as SteppedUpRow | undefined;
}

/**
 * Replaces the password that was checked and ends every other session of the user. The user's row is locked first, so that a
 * login either comes before and is ended, or after and needs the new password. Undefined when the password was changed
 * meanwhile.
 */
export async function replacePassword(
  ctx: WriteContext,
  actor: UserActor,
  hashes: { readonly checkedHash: string | null; readonly newHash: string },
  notice: OutboxEvent,
  now: string,
): Promise<{ readonly ended: EndedAccess | undefined } | undefined> {
  const { primary } = ctx.databases;
  const { userId } = actor;
  const event = newEvent(ctx, 'user.access_ended', undefined);
  const audit = { action: 'auth.password_changed', target: { kind: 'user', id: userId } };
  const [, result] = await atomic(primary, [
    primary.execute(lockUser(userId)),
    primary.execute(sql`
      WITH changed AS (
        UPDATE users SET password_hash = ${hashes.newHash}, updated_at = ${now}::timestamptz
        WHERE id = ${userId}::uuid AND status = 'active' AND password_hash IS NOT DISTINCT FROM ${hashes.checkedHash}::text
        RETURNING id
      ),
      ended AS (
        UPDATE sessions SET revoked_at = ${now}::timestamptz, revoked_reason = 'password_change'
        FROM changed
        WHERE sessions.user_id = changed.id AND sessions.id <> ${actor.sessionId}::uuid AND sessions.revoked_at IS NULL
          AND sessions.expires_at > ${now}::timestamptz
        RETURNING sessions.id
      ),
      told AS (${insertAccessEnd(event.id, event.traceparent, {
        userId: sql`${userId}::text`,
        ended: sql`ended`,
        reason: 'password_change',
        endedAt: now,
      })}),
      links AS (
        UPDATE account_tokens SET used_at = ${now}::timestamptz FROM changed
        WHERE account_tokens.user_id = changed.id AND purpose = 'reset_password' AND used_at IS NULL
      ),
      noticed AS (${insertEventIfAny(notice, sql`changed`)}),
      audited AS (${insertAuditIfAny(ctx, audit, sql`changed`)})
      SELECT (SELECT coalesce(json_agg(ended.id), '[]') FROM ended) AS ids FROM changed`),
  ]);
  const row = result.rows[0] as { ids: string[] } | undefined;
  if (row === undefined) return undefined;
  return {
    ended:
      row.ids.length === 0
        ? undefined
        : { userId, sessionIds: row.ids, epoch: undefined, endedAt: now, eventId: event.id },
  };
}

/** Writes a refused attempt at authentication. */
export const failureOf = (action: string, userId: string, reason: string) => ({
  action,
  outcome: 'failure' as const,
  target: { kind: 'user', id: userId },
  detail: { reason },
});

// Accounts without a password have a fingerprint, too: a first password ends their open challenges.
const fingerprint = (passwordHash: SQL): SQL =>
  sql`sha256(convert_to(coalesce(${passwordHash}, ''), 'UTF8'))`;
