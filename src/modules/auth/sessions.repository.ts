import { type SQL, sql } from 'drizzle-orm';
import type { RequestContext } from '../../context.ts';
import { insertAuditIfAny } from '../../db/audit.ts';
import { atomic, type Db } from '../../db/client.ts';
import { newEvent } from '../../db/outbox.ts';
import type { EndReason } from './auth.events.ts';

export type WriteContext = Pick<
  RequestContext,
  'databases' | 'ids' | 'actor' | 'ip' | 'country' | 'userAgent' | 'requestId' | 'trace'
>;

/** What ended, to be told to whoever leases access. */
export interface EndedAccess {
  readonly userId: string;
  readonly sessionIds: readonly string[];
  /** Set when every token below it ended. */
  readonly epoch: number | undefined;
  /** RFC 3339. */
  readonly endedAt: string;
  /** The outbox row that tells of it, written if anything ended. */
  readonly eventId: string;
}

/** Where the ids of ended sessions are found, for one user and one reason. `ended` names a CTE with the column `id`. */
interface Ending {
  readonly userId: SQL;
  readonly ended: SQL;
  readonly epoch?: SQL;
  readonly reason: EndReason;
  readonly endedAt: string;
}

/** The body of a CTE that writes `user.access_ended` if `ended` has any row or an epoch was raised. */
export function insertAccessEnd(eventId: string, traceparent: string, ending: Ending): SQL {
  const epoch = ending.epoch ?? sql`NULL::integer`;
  return sql`INSERT INTO outbox (id, type, payload, traceparent)
    SELECT ${eventId}::uuid, 'user.access_ended', jsonb_build_object(
      'user_id', ${ending.userId},
      'session_ids', (SELECT coalesce(jsonb_agg(id), '[]') FROM ${ending.ended}),
      'epoch', ${epoch},
      'reason', ${ending.reason}::text,
      'ended_at', ${ending.endedAt}::text), ${traceparent}
    WHERE EXISTS (SELECT FROM ${ending.ended}) OR ${epoch} IS NOT NULL`;
}

/**
 * Ends a session of a user and with it its refresh tokens.
 * @returns undefined when the user has no such session that is still open.
 */
export async function endSession(
  ctx: WriteContext,
  session: { readonly id: string; readonly userId: string },
  reason: EndReason,
  now: string,
): Promise<EndedAccess | undefined> {
  const event = newEvent(ctx, 'user.access_ended', undefined);
  const audit = {
    action: reason === 'logout' ? 'auth.logout' : 'auth.session_ended',
    target: { kind: 'user', id: session.userId },
    detail: { session_id: session.id, reason },
  };
  const result = await ctx.databases.primary.execute(sql`
    WITH ended AS (
      UPDATE sessions SET revoked_at = ${now}::timestamptz, revoked_reason = ${reason}
      WHERE id = ${session.id}::uuid AND user_id = ${session.userId}::uuid AND revoked_at IS NULL
        AND expires_at > ${now}::timestamptz
      RETURNING id
    ),
    told AS (${insertAccessEnd(event.id, event.traceparent, {
      userId: sql`${session.userId}::text`,
      ended: sql`ended`,
      reason,
      endedAt: now,
    })}),
    audited AS (${insertAuditIfAny(ctx, audit, sql`ended`)})
    SELECT id FROM ended`);
  if (result.rows.length === 0) return undefined;
  return {
    userId: session.userId,
    sessionIds: [session.id],
    epoch: undefined,
    endedAt: now,
    eventId: event.id,
  };
}

/**
 * Ends every session of a user, and every access token by raising the epoch; or, with `keepSessionId`, every session but that
 * one. The user's row is locked first, so that a login either comes before and is ended, or after and has the new epoch.
 * @returns undefined when there was nothing to end.
 */
export async function endSessionsOfUser(
  ctx: WriteContext,
  target: { readonly userId: string; readonly keepSessionId: string | undefined },
  reason: EndReason,
  now: string,
): Promise<EndedAccess | undefined> {
  const { primary } = ctx.databases;
  const event = newEvent(ctx, 'user.access_ended', undefined);
  const keep = sql`${target.keepSessionId ?? null}::uuid`;
  const audit = {
    action: 'auth.sessions_ended',
    target: { kind: 'user', id: target.userId },
    detail: { reason, kept_session_id: target.keepSessionId },
  };
  const [, result] = await atomic(primary, [
    primary.execute(lockUser(target.userId)),
    primary.execute(sql`
      WITH raised AS (
        UPDATE users SET token_epoch = token_epoch + 1
        WHERE id = ${target.userId}::uuid AND ${keep} IS NULL
        RETURNING id, token_epoch
      ),
      ended AS (
        UPDATE sessions SET revoked_at = ${now}::timestamptz, revoked_reason = ${reason}
        WHERE user_id = ${target.userId}::uuid AND revoked_at IS NULL AND expires_at > ${now}::timestamptz
          AND id IS DISTINCT FROM ${keep}
        RETURNING id
      ),
      touched AS (SELECT id FROM raised UNION ALL SELECT id FROM ended),
      told AS (${insertAccessEnd(event.id, event.traceparent, {
        userId: sql`${target.userId}::text`,
        ended: sql`ended`,
        epoch: sql`(SELECT token_epoch FROM raised)`,
        reason,
        endedAt: now,
      })}),
      audited AS (${insertAuditIfAny(ctx, audit, sql`touched`)})
      SELECT (SELECT token_epoch FROM raised) AS epoch, coalesce(json_agg(id), '[]') AS ids FROM ended`),
  ]);
  const row = result.rows[0] as { epoch: number | null; ids: string[] } | undefined;
  if (row === undefined || (row.epoch === null && row.ids.length === 0)) return undefined;
  return {
    userId: target.userId,
    sessionIds: row.ids,
    epoch: row.epoch ?? undefined,
    endedAt: now,
    eventId: event.id,
  };
}

/** Makes statements about the sessions of one user wait for each other, without holding up rows that refer to the user. */
export const lockUser = (userId: string): SQL =>
  sql`SELECT FROM users WHERE id = ${userId}::uuid FOR NO KEY UPDATE`;

export interface SessionRow {
  readonly id: string;
  readonly deviceName: string | null;
  readonly userAgent: string | null;
  readonly country: string | null;
  /** RFC 3339 in UTC, as the other times. */
  readonly createdAt: string;
  readonly lastUsedAt: string;
  readonly expiresAt: string;
}

const utc = (column: SQL): SQL => sql`to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** The open sessions of a user, the one used last first. */
export async function listOpenSessions(db: Db, userId: string, now: string): Promise<SessionRow[]> {
  const result = await db.execute(sql`
    SELECT id, device_name AS "deviceName", user_agent AS "userAgent", country, ${utc(sql`created_at`)} AS "createdAt",
      ${utc(sql`last_used_at`)} AS "lastUsedAt", ${utc(sql`expires_at`)} AS "expiresAt"
    FROM sessions
    WHERE user_id = ${userId}::uuid AND revoked_at IS NULL AND expires_at > ${now}::timestamptz
    ORDER BY last_used_at DESC, id DESC LIMIT ${maxListed}`);
  return result.rows as unknown as SessionRow[];
}

// The highest MAX_SESSIONS_PER_USER there may be.
const maxListed = 100;
