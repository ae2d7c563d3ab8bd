import { type SQL, sql } from 'drizzle-orm';
import type { RequestContext } from '../../context.ts';
import { insertAuditIfAny } from '../../db/audit.ts';
import type { Db } from '../../db/client.ts';
import { violates } from '../../db/errors.ts';
import { textArray } from '../../db/outbox.ts';
import { hasConfirmedFactor } from '../factors/index.ts';
import {
  type AccountRow,
  accountColumns,
  insertUserCtes,
  type NewUser,
  usernameTaken,
} from '../users/index.ts';
import type { Identifier } from './policy/identifier.ts';

/** A session about to be opened, with the first refresh token of its family. Times are RFC 3339. */
export interface NewSession {
  readonly id: string;
  readonly amr: readonly string[];
  readonly authTime: string;
  readonly expiresAt: string;
  readonly refreshTokenId: string;
  /** Lower-case hex of the SHA-256 of the token. */
  readonly refreshTokenHash: string;
  readonly refreshTokenExpiresAt: string;
  /** Keyed hash of the network, in hex; undefined when the address is not known. */
  readonly networkHash: string | undefined;
}

export type WriteContext = Pick<
  RequestContext,
  'databases' | 'ids' | 'actor' | 'ip' | 'country' | 'userAgent' | 'requestId'
>;

export interface SignedInRow extends AccountRow {
  readonly tokenEpoch: number;
}

/**
 * Writes a user with counters, session, refresh token and audit entry, all or nothing.
 * @throws users.username_taken.
 */
export async function insertUserWithSession(
  ctx: WriteContext,
  user: NewUser,
  session: NewSession,
): Promise<SignedInRow> {
  const audit = {
    action: 'auth.register',
    target: { kind: 'user', id: user.id },
    detail: { session_id: session.id },
  };
  try {
    const result = await ctx.databases.primary.execute(sql`
      WITH ${insertUserCtes(user)},
      ${sessionCtes(ctx, session, sql`new_user`)},
      audited AS (${insertAuditIfAny(ctx, audit, sql`new_session`)})
      SELECT ${accountColumns('new_user')}, new_user.token_epoch AS "tokenEpoch"
      FROM new_user CROSS JOIN new_counters AS counters`);
    return result.rows[0] as unknown as SignedInRow;
  } catch (error) {
    if (violates(error, 'users_username_key')) throw usernameTaken();
    throw error;
  }
}

export interface CredentialsRow {
  readonly userId: string;
  readonly passwordHash: string | null;
  readonly status: 'active' | 'suspended' | 'deactivated' | 'deleted';
  readonly secondFactor: boolean;
  /** The account was logged into from the caller's network before. */
  readonly knownNetwork: boolean;
}

/** What a login is checked against. An address counts only once verified. */
export async function findCredentials(
  db: Db,
  identifier: Identifier,
  networkHash: string,
): Promise<CredentialsRow | undefined> {
  const named =
    identifier.kind === 'username'
      ? sql`username_key = lower(${identifier.username})`
      : sql`email_key = lower(${identifier.email}) AND email_verified_at IS NOT NULL`;
  const result = await db.execute(
    sql`SELECT id AS "userId", password_hash AS "passwordHash", status,
      ${hasConfirmedFactor(sql`users.id`)} AS "secondFactor",
      EXISTS (
        SELECT FROM login_networks AS network
        WHERE network.user_id = users.id AND network.network_hash = decode(${networkHash}, 'hex')
      ) AS "knownNetwork"
      FROM users WHERE ${named}`,
  );
  return result.rows[0] as CredentialsRow | undefined;
}

/**
 * Opens a session with its first refresh token, unless the account stopped being active, got another password or a second
 * factor since `checkedHash` was read.
 */
export async function insertSession(
  ctx: WriteContext,
  userId: string,
  hashes: PasswordHashes,
  session: NewSession,
): Promise<SignedInRow | undefined> {
  const noSecondFactor = sql`NOT ${hasConfirmedFactor(sql`users.id`)}`;
  const audit = {
    action: 'auth.login',
    target: { kind: 'user', id: userId },
    detail: { session_id: session.id },
  };
  const result = await ctx.databases.primary.execute(sql`
    WITH admitted AS (${admittedByPassword(userId, hashes, noSecondFactor)}),
    ${sessionCtes(ctx, session, sql`admitted`)},
    audited AS (${insertAuditIfAny(ctx, audit, sql`new_session`)})
    SELECT ${accountColumns('admitted')}, admitted.token_epoch AS "tokenEpoch"
    FROM admitted LEFT JOIN user_counters AS counters ON counters.user_id = admitted.id`);
  return result.rows[0] as SignedInRow | undefined;
}

export interface PasswordHashes {
  readonly checkedHash: string;
  /** Replaces an outdated hash. */
  readonly newHash: string | undefined;
}

/**
 * The body of a CTE that yields the user if `checkedHash` still is the hash of an active account. Locks the row, so that a
 * suspension or password change either comes first and is seen, or comes after and ends what was opened.
 */
export function admittedByPassword(userId: string, hashes: PasswordHashes, condition: SQL): SQL {
  const guard = sql`id = ${userId}::uuid AND status = 'active' AND password_hash = ${hashes.checkedHash} AND ${condition}`;
  return hashes.newHash === undefined
    ? sql`SELECT * FROM users WHERE ${guard} FOR SHARE`
    : sql`UPDATE users SET password_hash = ${hashes.newHash} WHERE ${guard} RETURNING *`;
}

/** Ends a session and with it its refresh tokens. Does nothing when it has ended already. */
export async function endSession(
  ctx: WriteContext,
  session: { readonly id: string; readonly userId: string },
  reason: 'logout',
  now: string,
): Promise<void> {
  const audit = {
    action: 'auth.logout',
    target: { kind: 'user', id: session.userId },
    detail: { session_id: session.id },
  };
  await ctx.databases.primary.execute(sql`
    WITH ended AS (
      UPDATE sessions SET revoked_at = ${now}::timestamptz, revoked_reason = ${reason}
      WHERE id = ${session.id}::uuid AND user_id = ${session.userId}::uuid AND revoked_at IS NULL RETURNING id
    ),
    audited AS (${insertAuditIfAny(ctx, audit, sql`ended`)})
    SELECT id FROM ended`);
}

export interface Rotation {
  readonly presentedHash: string;
  readonly tokenId: string;
  readonly tokenHash: string;
  /** RFC 3339. */
  readonly now: string;
  /** Before the cap by the session's own end. */
  readonly expiresAt: string;
  /** A token exchanged after this moment meets a conflict instead of ending its family. */
  readonly conflictSince: string;
}

export interface RotationRow {
  readonly outcome: 'rotated' | 'conflict' | 'reused' | 'invalid';
  readonly userId: string;
  readonly sessionId: string;
  readonly roles: string[];
  readonly tokenEpoch: number;
  readonly amr: string[];
  /** Unix seconds. */
  readonly authTime: number;
  readonly sessionExpiresAt: number;
  readonly tokenExpiresAt: number;
}

/**
 * Exchanges a live refresh token for its successor, by one compare-and-swap under the lock of its session. A token that was
 * exchanged before ends its whole family, unless it is the immediate predecessor of the live one and was exchanged after
 * `conflictSince`: then two honest requests of one client met, and nothing changes.
 */
export async function rotateRefreshToken(
  ctx: WriteContext,
  rotation: Rotation,
): Promise<RotationRow | undefined> {
  const now = sql`${rotation.now}::timestamptz`;
  const audit = {
    action: 'auth.refresh_reused',
    target: { kind: 'user', id: sql`(SELECT user_id::text FROM ended)` },
    outcome: 'denied',
  } as const;
  const result = await ctx.databases.primary.execute(sql`
    WITH presented AS (
      SELECT token.id, token.session_id, token.generation, session.user_id, session.amr, session.auth_time,
        session.expires_at, users.roles, users.token_epoch,
        CASE
          WHEN session.revoked_at IS NOT NULL OR session.expires_at <= ${now} OR token.expires_at <= ${now}
            OR users.status <> 'active' THEN 'invalid'
          WHEN token.rotated_at IS NULL THEN 'live'
          WHEN token.rotated_at > ${rotation.conflictSince}::timestamptz AND EXISTS (
            SELECT FROM refresh_tokens AS live
            WHERE live.session_id = token.session_id AND live.rotated_at IS NULL AND live.generation = token.generation + 1
          ) THEN 'conflict'
          ELSE 'reused'
        END AS state
      FROM refresh_tokens AS token
      JOIN sessions AS session ON session.id = token.session_id
      JOIN users ON users.id = session.user_id
      WHERE token.token_hash = decode(${rotation.presentedHash}, 'hex')
    ),
    held AS (
      UPDATE sessions SET last_used_at = ${now}, ip = ${ctx.ip ?? null}::inet, user_agent = ${ctx.userAgent ?? null},
        country = ${ctx.country ?? null}
      FROM presented
      WHERE sessions.id = presented.session_id AND presented.state = 'live' AND sessions.revoked_at IS NULL
      RETURNING presented.id AS token_id, presented.session_id, presented.generation, sessions.expires_at
    ),
    swapped AS (
      UPDATE refresh_tokens AS token SET rotated_at = ${now}
      FROM held WHERE token.id = held.token_id AND token.rotated_at IS NULL
      RETURNING held.session_id, held.generation, held.expires_at
    ),
    successor AS (
      INSERT INTO refresh_tokens (id, session_id, token_hash, generation, issued_at, expires_at)
      SELECT ${rotation.tokenId}::uuid, session_id, decode(${rotation.tokenHash}, 'hex'), generation + 1, ${now},
        least(${rotation.expiresAt}::timestamptz, expires_at)
      FROM swapped
      RETURNING expires_at
    ),
    ended AS (
      UPDATE sessions SET revoked_at = ${now}, revoked_reason = 'refresh_reuse'
      FROM presented
      WHERE sessions.id = presented.session_id AND presented.state = 'reused' AND sessions.revoked_at IS NULL
      RETURNING sessions.id, sessions.user_id
    ),
    audited AS (${insertAuditIfAny(ctx, audit, sql`ended`)})
    SELECT
      CASE
        WHEN successor.expires_at IS NOT NULL THEN 'rotated'
        WHEN presented.state = 'live' THEN 'conflict'
        ELSE presented.state
      END AS outcome,
      presented.user_id AS "userId", presented.session_id AS "sessionId", array_to_json(presented.roles) AS roles,
      presented.token_epoch AS "tokenEpoch", array_to_json(presented.amr) AS amr,
      floor(extract(epoch FROM presented.auth_time))::float8 AS "authTime",
      floor(extract(epoch FROM presented.expires_at))::float8 AS "sessionExpiresAt",
      floor(extract(epoch FROM successor.expires_at))::float8 AS "tokenExpiresAt"
    FROM presented LEFT JOIN successor ON true`);
  return result.rows[0] as RotationRow | undefined;
}

/** The CTEs `new_session` and those beside it that open a session for the user in the CTE `owner`. */
export const sessionCtes = (ctx: WriteContext, session: NewSession, owner: SQL): SQL => sql`
  new_session AS (
    INSERT INTO sessions (id, user_id, amr, auth_time, user_agent, ip, country, last_used_at, expires_at)
    SELECT ${session.id}::uuid, owner.id, ${textArray(session.amr)}::text[], ${session.authTime}::timestamptz,
      ${ctx.userAgent ?? null}, ${ctx.ip ?? null}::inet, ${ctx.country ?? null}, ${session.authTime}::timestamptz,
      ${session.expiresAt}::timestamptz
    FROM ${owner} AS owner
    RETURNING id
  ),
  new_token AS (
    INSERT INTO refresh_tokens (id, session_id, token_hash, generation, issued_at, expires_at)
    SELECT ${session.refreshTokenId}::uuid, id, decode(${session.refreshTokenHash}, 'hex'), 0,
      ${session.authTime}::timestamptz, ${session.refreshTokenExpiresAt}::timestamptz
    FROM new_session
  ),
  known_network AS (
    INSERT INTO login_networks (user_id, network_hash, last_login_at)
    SELECT owner.id, decode(${session.networkHash ?? null}, 'hex'), ${session.authTime}::timestamptz
    FROM ${owner} AS owner WHERE ${session.networkHash !== undefined}::boolean
    ON CONFLICT (user_id, network_hash) DO UPDATE SET last_login_at = excluded.last_login_at
  ),
  forgotten_networks AS (
    DELETE FROM login_networks USING ${owner} AS owner
    WHERE login_networks.user_id = owner.id AND login_networks.last_login_at < ${session.authTime}::timestamptz - interval '180 days'
      AND login_networks.network_hash <> decode(${session.networkHash ?? ''}, 'hex')
  )`;
