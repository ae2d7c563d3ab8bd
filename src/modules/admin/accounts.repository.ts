import { type SQL, sql } from 'drizzle-orm';
import type { RequestContext } from '../../context.ts';
import { type AuditEntry, insertAuditIfAny } from '../../db/audit.ts';
import { atomic } from '../../db/client.ts';
import { insertEventIfAny, newEvent, type OutboxEvent, textArray } from '../../db/outbox.ts';
import type { Role } from '../../http/roles.ts';
import { revokeKeysOf } from '../api-keys/index.ts';
import { type EndedAccess, type EndReason, insertAccessEnd, lockUser } from '../auth/index.ts';
import { forgetBirthDate, hasBirthDate } from '../users/index.ts';
import { type Standing, staffRoles } from './admin.policy.ts';

export type WriteContext = Pick<
  RequestContext,
  'databases' | 'ids' | 'actor' | 'ip' | 'country' | 'userAgent' | 'requestId' | 'trace'
>;

/** Who acts, by which of their roles. */
export interface StaffMember {
  readonly userId: string;
  readonly epoch: number;
  readonly by: readonly Role[];
}

/** Everything that decides who may administer waits for one another, so that no two changes undo each other's conditions. */
export const lockAdministration = sql`SELECT pg_advisory_xact_lock(hashtextextended('administration', 0))`;

/** The body of the CTE `actor`: who acts, if they still may. */
export const standingActor = ({ userId, epoch, by }: StaffMember): SQL => sql`
  SELECT id, 'admin' = ANY (roles) AS is_admin FROM users
  WHERE id = ${userId}::uuid AND status = 'active' AND token_epoch = ${epoch}::integer
    AND roles && ${textArray(by)}::text[]`;

export interface AccountChange {
  readonly actor: StaffMember;
  readonly targetId: string;
  readonly now: string;
  readonly audit: AuditEntry;
  /** What becomes of the row of `users`; the row before is `target`. */
  readonly assignments?: SQL;
  /** Which accounts this can be done to, over `target`. */
  readonly condition: SQL;
  /** Why the access tokens of the account end; undefined when they live on. */
  readonly reason: EndReason | undefined;
  /** Whether its sessions end with them. If not, a refresh gives tokens that fit the account. */
  readonly endsSessions: boolean;
  readonly revokesKeys?: boolean;
  readonly notice: OutboxEvent | undefined;
  /** More CTEs over `changed`, each with a comma before it. */
  readonly also?: SQL;
}

export interface AccountChanged extends Standing {
  readonly targetStatus: string | undefined;
  readonly changed: boolean;
  /** What ended, if the change was made and access ended with it. */
  readonly ended: EndedAccess | undefined;
}

/**
 * Changes the account of another in one transaction: the row, its epoch, its sessions and keys, the proposals it made if it stops
 * being an active administrator, the events and the audit entry, or nothing of it.
 */
export async function changeAccount(ctx: WriteContext, change: AccountChange): Promise<AccountChanged> {
  const { primary } = ctx.databases;
  const { actor, targetId, now, reason } = change;
  const end = newEvent(ctx, 'user.access_ended', undefined);
  const raise = reason === undefined ? 0 : 1;
  const ended = change.endsSessions
    ? sql`UPDATE sessions SET revoked_at = ${now}::timestamptz, revoked_reason = ${reason ?? 'admin'} FROM changed
        WHERE sessions.user_id = changed.id AND sessions.revoked_at IS NULL AND sessions.expires_at > ${now}::timestamptz
        RETURNING sessions.id`
    : sql`SELECT id FROM changed WHERE false`;
  const told =
    reason === undefined
      ? sql``
      : sql`, told AS (${insertAccessEnd(end.id, end.traceparent, {
          userId: sql`${targetId}::text`,
          ended: sql`ended`,
          epoch: sql`(SELECT token_epoch FROM changed)`,
          reason,
          endedAt: now,
        })})`;
  const noticed =
    change.notice === undefined
      ? sql``
      : sql`, noticed AS (${insertEventIfAny(change.notice, sql`changed`)})`;
  const keys = change.revokesKeys === true ? sql`, keys AS (${revokeKeysOf(sql`changed`, now)})` : sql``;
  const [, , result] = await atomic(primary, [
    primary.execute(lockAdministration),
    primary.execute(lockUser(targetId)),
    primary.execute(sql`
      WITH actor AS (${standingActor(actor)}),
      target AS (SELECT id, roles, status FROM users WHERE id = ${targetId}::uuid AND status <> 'deleted'),
      changed AS (
        UPDATE users SET token_epoch = users.token_epoch + ${raise}::integer
          ${change.assignments === undefined ? sql`` : sql`, ${change.assignments}`}
        FROM actor, target
        WHERE users.id = target.id AND target.id <> actor.id
          AND (actor.is_admin OR NOT target.roles && ${textArray(staffRoles)}::text[]) AND ${change.condition}
        RETURNING users.id, users.token_epoch, users.roles, users.status
      ),
      ended AS (${ended}),
      voided AS (
        UPDATE admin_proposals SET decided_at = ${now}::timestamptz, outcome = 'void' FROM changed
        WHERE admin_proposals.proposed_by = changed.id AND admin_proposals.decided_at IS NULL
          AND (changed.status <> 'active' OR NOT 'admin' = ANY (changed.roles))
      ),
      audited AS (${insertAuditIfAny(ctx, { ...change.audit, as: 'admin' }, sql`changed`)})
      ${told} ${noticed} ${keys} ${change.also ?? sql``}
      SELECT actor.id IS NOT NULL AS "actorStands", coalesce(actor.is_admin, false) AS "actorIsAdmin",
        array_to_json(target.roles) AS "targetRoles", target.status AS "targetStatus", changed.token_epoch AS epoch,
        (SELECT coalesce(json_agg(id), '[]') FROM ended) AS "endedIds"
      FROM (SELECT 1) AS once LEFT JOIN actor ON true LEFT JOIN target ON true LEFT JOIN changed ON true`),
  ]);
  const row = result.rows[0] as {
    actorStands: boolean;
    actorIsAdmin: boolean;
    targetRoles: string[] | null;
    targetStatus: string | null;
    epoch: number | null;
    endedIds: string[];
  };
  return {
    actorStands: row.actorStands,
    actorIsAdmin: row.actorIsAdmin,
    oneself: actor.userId === targetId,
    targetRoles: row.targetRoles ?? undefined,
    targetStatus: row.targetStatus ?? undefined,
    changed: row.epoch !== null,
    ended:
      row.epoch === null || reason === undefined
        ? undefined
        : { userId: targetId, sessionIds: row.endedIds, epoch: row.epoch, endedAt: now, eventId: end.id },
  };
}

/** What a suspension writes beside the account. */
export const suspensionCte = (suspension: {
  readonly reason: string;
  readonly by: string;
  readonly now: string;
  readonly until: string | undefined;
}): SQL => sql`, suspended AS (
    INSERT INTO suspensions (user_id, reason, suspended_by, suspended_at, ends_at, previous_status)
    SELECT changed.id, ${suspension.reason}, ${suspension.by}::uuid, ${suspension.now}::timestamptz,
      ${suspension.until ?? null}::timestamptz, target.status
    FROM changed JOIN target ON target.id = changed.id
    ON CONFLICT (user_id) DO UPDATE SET reason = excluded.reason, suspended_by = excluded.suspended_by,
      suspended_at = excluded.suspended_at, ends_at = excluded.ends_at, previous_status = excluded.previous_status
  )`;

/** What an account becomes when its suspension is lifted; over the id of its row. */
export const statusAfter = (userId: SQL): SQL =>
  sql`coalesce((SELECT previous_status FROM suspensions WHERE suspensions.user_id = ${userId}), 'active')`;

export const liftedCte = sql`, lifted AS (
    DELETE FROM suspensions USING changed WHERE suspensions.user_id = changed.id
  )`;

export const becomesSuspended = sql`status = 'suspended'`;
export const canBeSuspended = sql`target.status IN ('active', 'deactivated')`;
export const isSuspended = sql`target.status = 'suspended'`;
export const becomesUnsuspended = sql`status = ${statusAfter(sql`target.id`)}`;
export const anyAccount = sql`true`;
export const hasStatedBirthDate = hasBirthDate(sql`target.id`);
export const birthDateForgottenCte = sql`, forgotten AS (${forgetBirthDate(sql`changed`)})`;

export const roleAdded = (role: Role) => ({
  assignments: sql`roles = array_append(target.roles, ${role}::text)`,
  condition: sql`target.status = 'active' AND NOT ${role}::text = ANY (target.roles)`,
});

export const roleRemoved = (role: Role) => ({
  assignments: sql`roles = array_remove(target.roles, ${role}::text)`,
  condition: sql`${role}::text = ANY (target.roles)`,
});

/** Users whose suspension ended by `now`, at most `limit`. */
export async function findEndedSuspensions(ctx: WriteContext, now: string, limit: number): Promise<string[]> {
  const result = await ctx.databases.primary.execute(sql`
    SELECT user_id AS "userId" FROM suspensions WHERE ends_at <= ${now}::timestamptz ORDER BY ends_at LIMIT ${limit}`);
  return result.rows.map((row) => String(row.userId));
}

/** Lifts a suspension whose end has come. False when it was lifted or prolonged meanwhile. */
export async function liftEndedSuspension(
  ctx: WriteContext,
  userId: string,
  now: string,
  notice: OutboxEvent,
): Promise<boolean> {
  const { primary } = ctx.databases;
  const audit = {
    action: 'admin.user_unsuspended',
    target: { kind: 'user', id: userId },
    detail: { reason: 'its end' },
  };
  const [, result] = await atomic(primary, [
    primary.execute(lockUser(userId)),
    primary.execute(sql`
      WITH changed AS (
        UPDATE users SET status = ${statusAfter(sql`users.id`)} FROM suspensions
        WHERE users.id = ${userId}::uuid AND suspensions.user_id = users.id AND suspensions.ends_at <= ${now}::timestamptz
          AND users.status = 'suspended'
        RETURNING users.id
      ),
      gone AS (
        DELETE FROM suspensions WHERE user_id = ${userId}::uuid AND ends_at <= ${now}::timestamptz
      ),
      noticed AS (${insertEventIfAny(notice, sql`changed`)}),
      audited AS (${insertAuditIfAny(ctx, audit, sql`changed`)})
      SELECT id FROM changed`),
  ]);
  return result.rows.length > 0;
}
