import { type SQL, sql } from 'drizzle-orm';
import { insertAuditIfAny } from '../../db/audit.ts';
import { atomic, type Db } from '../../db/client.ts';
import { violates } from '../../db/errors.ts';
import { newEvent, type OutboxEvent, textArray } from '../../db/outbox.ts';
import { type FactorKind, factorKinds, hasConfirmedFactor } from '../factors/index.ts';
import {
  type AccountRow,
  accountColumns,
  insertUserCtes,
  type NewUser,
  usernameTaken,
} from '../users/index.ts';
import { askVerificationCtes } from './mail-tokens.repository.ts';
import type { Identifier } from './policy/identifier.ts';
import { type EndedAccess, insertAccessEnd, lockUser, type WriteContext } from './sessions.repository.ts';

/** A session about to be opened, with the first refresh token of its family. Times are RFC 3339. */
export interface NewSession {
  readonly id: string;
  readonly amr: readonly string[];
  readonly deviceName: string;
  readonly authTime: string;
  readonly expiresAt: string;
  readonly refreshTokenId: string;
  /** Lower-case hex of the SHA-256 of the token. */
  readonly refreshTokenHash: string;
  readonly refreshTokenExpiresAt: string;
  /** Keyed hash of the network, in hex; undefined when the address is not known. */
  readonly networkHash: string | undefined;
}

export interface SignedInRow extends AccountRow {
  readonly tokenEpoch: number;
}

/**
 * Writes a user with counters, session, refresh token, audit entry and the wish for a verification mail, all or nothing.
 * @throws users.username_taken.
 */
export async function insertUserWithSession(
  ctx: WriteContext,
  user: NewUser,
  session: NewSession,
): Promise<{ readonly account: SignedInRow; readonly eventIds: readonly string[] }> {
  const verification = askVerificationCtes(ctx, session.authTime);
  const audit = {
    action: 'auth.register',
    target: { kind: 'user', id: user.id },
    detail: { session_id: session.id },
  };
  try {
    const result = await ctx.databases.primary.execute(sql`
      WITH ${insertUserCtes(user)},
      ${verification.ctes},
      ${sessionCtes(ctx, session, sql`new_user`)},
      audited AS (${insertAuditIfAny(ctx, audit, sql`new_session`)})
      SELECT ${accountColumns('new_user')}, new_user.token_epoch AS "tokenEpoch"
      FROM new_user CROSS JOIN new_counters AS counters`);
    return { account: result.rows[0] as unknown as SignedInRow, eventIds: [verification.eventId] };
  } catch (error) {
    if (violates(error, 'users_username_key')) throw usernameTaken();
    throw error;
  }
}

export interface CredentialsRow {
  readonly userId: string;
  readonly passwordHash: string | null;
  readonly status: 'active' | 'suspended' | 'deactivated' | 'deleted';
  /** What it may show as second factor; empty when it owes none. */
  readonly factors: readonly FactorKind[];
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
      ${factorKinds(sql`users.id`)} AS factors,
      EXISTS (
        SELECT FROM login_networks AS network
        WHERE network.user_id = users.id AND network.network_hash = decode(${networkHash}, 'hex')
      ) AS "knownNetwork"
      FROM users WHERE ${named}`,
  );
  return result.rows[0] as CredentialsRow | undefined;
}

/** What opening a session brought about. */
export interface OpenedSession {
  readonly account: SignedInRow;
  /** Outbox rows written beside it. */
  readonly eventIds: readonly string[];
  /** Sessions that ended because there were too many. */
  readonly limited: EndedAccess | undefined;
}

/** Who is let in, and by what. */
export interface Admission {
  readonly userId: string;
  /** CTEs; the last is `admitted` and yields the row of the user if the login may go through. */
  readonly ctes: SQL;
  /** What the audit entry tells besides the session. */
  readonly detail: Readonly<Record<string, string>>;
}

export interface PasswordHashes {
  readonly checkedHash: string;
  /** Replaces an outdated hash. */
  readonly newHash: string | undefined;
}

/**
 * Opens a session with its first refresh token, unless the account stopped being active, got another password or a second
 * factor since `checkedHash` was read.
 */
export const insertSession = (
  ctx: WriteContext,
  userId: string,
  hashes: PasswordHashes,
  session: NewSession,
  maxSessions: number,
): Promise<OpenedSession | undefined> => {
  const noSecondFactor = sql`NOT ${hasConfirmedFactor(sql`users.id`)}`;
  const ctes = sql`admitted AS (${admittedByPassword(userId, hashes, noSecondFactor)})`;
  return insertAdmittedSession(ctx, { userId, ctes, detail: {} }, session, maxSessions);
};

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

/**
 * Opens a session of the admitted user with its first refresh token. Beyond `maxSessions` the sessions used longest ago end,
 * and a device or country none of the user's earlier sessions had is written as an event.
 * @returns undefined when nobody was admitted.
 */
export async function insertAdmittedSession(
  ctx: WriteContext,
  { userId, ctes, detail }: Admission,
  session: NewSession,
  maxSessions: number,
): Promise<OpenedSession | undefined> {
  const { primary } = ctx.databases;
  const audit = {
    action: 'auth.login',
    target: { kind: 'user', id: userId },
    detail: { session_id: session.id, ...detail },
  };
  const limitAudit = {
    action: 'auth.session_ended',
    target: { kind: 'user', id: userId },
    detail: { reason: 'limit' },
  };
  const news = newEvent(ctx, 'session.started_on_new_device', undefined);
  const end = newEvent(ctx, 'user.access_ended', undefined);
  // The row is locked before the statement begins, so that a suspension, password change, logout everywhere or other login
  // either comes first and is seen, or comes after and sees this session.
  const [, result] = await atomic(primary, [
    primary.execute(lockUser(userId)),
    primary.execute(sql`
      WITH ${ctes},
      ${sessionCtes(ctx, session, sql`admitted`)},
      news AS (${insertNewDeviceEvent(ctx, news, userId, session)}),
      limited AS (
        UPDATE sessions SET revoked_at = ${session.authTime}::timestamptz, revoked_reason = 'limit'
        WHERE id IN (
          SELECT sessions.id FROM sessions JOIN admitted ON admitted.id = sessions.user_id
          WHERE revoked_at IS NULL AND expires_at > ${session.authTime}::timestamptz
          ORDER BY last_used_at DESC, sessions.id DESC OFFSET ${maxSessions - 1}
        )
        RETURNING id
      ),
      limit_told AS (${insertAccessEnd(end.id, end.traceparent, {
        userId: sql`${userId}::text`,
        ended: sql`limited`,
        reason: 'limit',
        endedAt: session.authTime,
      })}),
      limit_audited AS (${insertAuditIfAny(ctx, limitAudit, sql`limited`)}),
      audited AS (${insertAuditIfAny(ctx, audit, sql`new_session`)})
      SELECT ${accountColumns('admitted')}, admitted.token_epoch AS "tokenEpoch", EXISTS (SELECT FROM news) AS "onNewDevice",
        (SELECT coalesce(json_agg(id), '[]') FROM limited) AS "limitedIds"
      FROM admitted LEFT JOIN user_counters AS counters ON counters.user_id = admitted.id`),
  ]);
  const row = result.rows[0] as
    | (SignedInRow & { readonly onNewDevice: boolean; readonly limitedIds: string[] })
    | undefined;
  if (row === undefined) return undefined;
  const { onNewDevice, limitedIds, ...account } = row;
  return {
    account,
    eventIds: onNewDevice ? [news.id] : [],
    limited:
      limitedIds.length === 0
        ? undefined
        : { userId, sessionIds: limitedIds, epoch: undefined, endedAt: session.authTime, eventId: end.id },
  };
}

// Other CTEs do not see the new session, so these are the earlier ones; nor an account made in this statement, whose first
// session is no news. Old sessions are forgotten: that an account has none left is no reason to tell it less.
const insertNewDeviceEvent = (
  ctx: WriteContext,
  event: OutboxEvent,
  userId: string,
  session: NewSession,
): SQL => sql`
  INSERT INTO outbox (id, type, payload, traceparent)
  SELECT ${event.id}::uuid, ${event.type}, jsonb_build_object(
    'user_id', ${userId}::text, 'session_id', new_session.id, 'device_name', ${session.deviceName}::text,
    'country', ${ctx.country ?? null}::text, 'started_at', ${session.authTime}::text), ${event.traceparent}
  FROM new_session
  WHERE EXISTS (SELECT FROM users WHERE id = ${userId}::uuid)
    AND NOT EXISTS (
      SELECT FROM sessions WHERE user_id = ${userId}::uuid AND device_name = ${session.deviceName}
        AND country IS NOT DISTINCT FROM ${ctx.country ?? null}::text
    )
  RETURNING id`;

/** The CTEs `new_session` and those beside it that open a session for the user in the CTE `owner`. */
const sessionCtes = (ctx: WriteContext, session: NewSession, owner: SQL): SQL => sql`
  new_session AS (
    INSERT INTO sessions (id, user_id, amr, auth_time, user_agent, device_name, ip, country, last_used_at, expires_at)
    SELECT ${session.id}::uuid, owner.id, ${textArray(session.amr)}::text[], ${session.authTime}::timestamptz,
      ${ctx.userAgent ?? null}, ${session.deviceName}, ${ctx.ip ?? null}::inet, ${ctx.country ?? null}, ${session.authTime}::timestamptz,
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
