import { type SQL, sql } from 'drizzle-orm';
import { insertAuditIfAny } from '../../db/audit.ts';
import { atomic, type Db } from '../../db/client.ts';
import { violates } from '../../db/errors.ts';
import { newEvent, type OutboxEvent, textArray } from '../../db/outbox.ts';
import {
  type AccountRow,
  accountColumns,
  insertUserCtes,
  type NewUser,
  usernameTaken,
} from '../users/index.ts';
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
}

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
}

/** What a login is checked against. An address counts only once verified. */
export async function findCredentials(db: Db, identifier: Identifier): Promise<CredentialsRow | undefined> {
  const named =
    identifier.kind === 'username'
      ? sql`username_key = lower(${identifier.username})`
      : sql`email_key = lower(${identifier.email}) AND email_verified_at IS NOT NULL`;
  const result = await db.execute(
    sql`SELECT id AS "userId", password_hash AS "passwordHash", status FROM users WHERE ${named}`,
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

/**
 * Opens a session with its first refresh token, unless the account stopped being active or got another password since
 * `checkedHash` was read. `newHash` replaces an outdated hash. Beyond `maxSessions` the sessions used longest ago end, and
 * a device or country none of the user's earlier sessions had is written as an event.
 */
export async function insertSession(
  ctx: WriteContext,
  userId: string,
  hashes: { readonly checkedHash: string; readonly newHash: string | undefined },
  session: NewSession,
  maxSessions: number,
): Promise<OpenedSession | undefined> {
  const { primary } = ctx.databases;
  const guard = sql`id = ${userId}::uuid AND status = 'active' AND password_hash = ${hashes.checkedHash}`;
  const admitted =
    hashes.newHash === undefined
      ? sql`SELECT * FROM users WHERE ${guard}`
      : sql`UPDATE users SET password_hash = ${hashes.newHash} WHERE ${guard} RETURNING *`;
  const audit = {
    action: 'auth.login',
    target: { kind: 'user', id: userId },
    detail: { session_id: session.id },
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
      WITH admitted AS (${admitted}),
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
        : {
            userId,
            sessionIds: limitedIds,
            epoch: undefined,
            endedAt: session.authTime,
            eventId: end.id,
          },
  };
}

// Other CTEs do not see the new session, so these are the earlier ones. A user's first session is no news.
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
  WHERE EXISTS (SELECT FROM sessions WHERE user_id = ${userId}::uuid)
    AND NOT EXISTS (
      SELECT FROM sessions WHERE user_id = ${userId}::uuid AND device_name = ${session.deviceName}
        AND country IS NOT DISTINCT FROM ${ctx.country ?? null}::text
    )
  RETURNING id`;

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
  )`;
