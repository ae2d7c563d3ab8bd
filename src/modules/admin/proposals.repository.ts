import { type SQL, sql } from 'drizzle-orm';
import { insertAuditIfAny } from '../../db/audit.ts';
import { atomic, type Db } from '../../db/client.ts';
import { insertEventIfAny, newEvent, type OutboxEvent } from '../../db/outbox.ts';
import { revokeKeysOf } from '../api-keys/index.ts';
import { type EndedAccess, insertAccessEnd } from '../auth/index.ts';
import {
  lockAdministration,
  type StaffMember,
  standingActor,
  type WriteContext,
} from './accounts.repository.ts';

const utc = (column: SQL): SQL => sql`to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

const maxListed = 100;

export interface ProposalRow {
  readonly id: string;
  readonly userId: string;
  readonly username: string;
  readonly proposedBy: string;
  readonly reason: string;
  /** RFC 3339 in UTC. */
  readonly createdAt: string;
  readonly expiresAt: string;
}

const columns = sql`proposal.id, proposal.user_id AS "userId", users.username, proposal.proposed_by AS "proposedBy",
  proposal.reason, ${utc(sql`proposal.created_at`)} AS "createdAt", ${utc(sql`proposal.expires_at`)} AS "expiresAt"`;

/** Proposals that can still be approved, the oldest first. That they were looked at is written into the audit log. */
export async function listOpenProposals(ctx: WriteContext, now: string): Promise<ProposalRow[]> {
  const audit = { action: 'admin.proposals_listed', as: 'admin' } as const;
  const result = await ctx.databases.primary.execute(sql`
    WITH audited AS (${insertAuditIfAny(ctx, audit, sql`(VALUES (1)) AS always (one)`)})
    SELECT ${columns} FROM admin_proposals AS proposal JOIN users ON users.id = proposal.user_id
    WHERE proposal.decided_at IS NULL AND proposal.expires_at > ${now}::timestamptz
    ORDER BY proposal.id LIMIT ${maxListed}`);
  return result.rows as unknown as ProposalRow[];
}

/** A proposal, open or not. */
export async function findProposal(db: Db, id: string): Promise<ProposalRow | undefined> {
  const result = await db.execute(sql`
    SELECT ${columns} FROM admin_proposals AS proposal JOIN users ON users.id = proposal.user_id
    WHERE proposal.id = ${id}::uuid`);
  return result.rows[0] as ProposalRow | undefined;
}

export interface Proposed {
  readonly actorStands: boolean;
  readonly targetStatus: string | null;
  readonly targetIsAdmin: boolean | null;
  readonly proposal: ProposalRow | undefined;
}

/** Writes a proposal unless one about the same account is open. */
export async function insertProposal(
  ctx: WriteContext,
  actor: StaffMember,
  proposal: {
    readonly id: string;
    readonly userId: string;
    readonly reason: string;
    readonly now: string;
    readonly expiresAt: string;
  },
): Promise<Proposed> {
  const { primary } = ctx.databases;
  const audit = {
    action: 'admin.admin_proposed',
    as: 'admin',
    target: { kind: 'user', id: proposal.userId },
    detail: { proposal_id: proposal.id, reason: proposal.reason },
  } as const;
  const [, result] = await atomic(primary, [
    primary.execute(lockAdministration),
    primary.execute(sql`
      WITH actor AS (${standingActor(actor)}),
      target AS (
        SELECT id, username, status, 'admin' = ANY (roles) AS is_admin FROM users
        WHERE id = ${proposal.userId}::uuid AND status <> 'deleted'
      ),
      created AS (
        INSERT INTO admin_proposals (id, user_id, proposed_by, reason, created_at, expires_at)
        SELECT ${proposal.id}::uuid, target.id, actor.id, ${proposal.reason}, ${proposal.now}::timestamptz,
          ${proposal.expiresAt}::timestamptz
        FROM actor, target
        WHERE target.status = 'active' AND NOT target.is_admin AND target.id <> actor.id AND NOT EXISTS (
          SELECT FROM admin_proposals AS other
          WHERE other.user_id = target.id AND other.decided_at IS NULL AND other.expires_at > ${proposal.now}::timestamptz
        )
        RETURNING *
      ),
      audited AS (${insertAuditIfAny(ctx, audit, sql`created`)})
      SELECT actor.id IS NOT NULL AS "actorStands", target.status AS "targetStatus", target.is_admin AS "targetIsAdmin",
        created.id, target.id AS "userId", target.username, created.proposed_by AS "proposedBy", created.reason,
        ${utc(sql`created.created_at`)} AS "createdAt", ${utc(sql`created.expires_at`)} AS "expiresAt"
      FROM (SELECT 1) AS once LEFT JOIN actor ON true LEFT JOIN target ON true LEFT JOIN created ON true`),
  ]);
  const row = result.rows[0] as unknown as Omit<Proposed, 'proposal'> &
    ProposalRow & { readonly id: string | null };
  const { actorStands, targetStatus, targetIsAdmin, ...written } = row;
  return { actorStands, targetStatus, targetIsAdmin, proposal: row.id === null ? undefined : written };
}

/**
 * Makes the account of an open proposal an administrator, if who proposed it still is one and another approves it. Of several
 * approvals one succeeds.
 */
export async function approveProposal(
  ctx: WriteContext,
  actor: StaffMember,
  proposal: Pick<ProposalRow, 'id' | 'userId'>,
  now: string,
  notice: OutboxEvent,
): Promise<{ readonly actorStands: boolean; readonly ended: EndedAccess | undefined }> {
  const { primary } = ctx.databases;
  const end = newEvent(ctx, 'user.access_ended', undefined);
  const audit = {
    action: 'admin.role_granted',
    as: 'admin',
    target: { kind: 'user', id: proposal.userId },
    detail: { role: 'admin', proposal_id: proposal.id },
  } as const;
  const [, result] = await atomic(primary, [
    primary.execute(lockAdministration),
    primary.execute(sql`
      WITH actor AS (${standingActor(actor)}),
      proposal AS (
        SELECT admin_proposals.id, admin_proposals.user_id FROM admin_proposals
        JOIN users AS proposer ON proposer.id = admin_proposals.proposed_by, actor
        WHERE admin_proposals.id = ${proposal.id}::uuid AND admin_proposals.decided_at IS NULL
          AND admin_proposals.expires_at > ${now}::timestamptz AND proposer.status = 'active'
          AND 'admin' = ANY (proposer.roles) AND proposer.id <> actor.id AND admin_proposals.user_id <> actor.id
      ),
      changed AS (
        UPDATE users SET roles = array_append(users.roles, 'admin'), token_epoch = users.token_epoch + 1
        FROM proposal
        WHERE users.id = proposal.user_id AND users.status = 'active' AND NOT 'admin' = ANY (users.roles)
        RETURNING users.id, users.token_epoch
      ),
      decided AS (
        UPDATE admin_proposals SET decided_at = ${now}::timestamptz, decided_by = ${actor.userId}::uuid, outcome = 'approved'
        FROM changed WHERE admin_proposals.id = ${proposal.id}::uuid
      ),
      keys AS (${revokeKeysOf(sql`changed`, now)}),
      told AS (${insertAccessEnd(end.id, end.traceparent, {
        userId: sql`${proposal.userId}::text`,
        ended: sql`(SELECT id FROM changed WHERE false) AS no_session`,
        epoch: sql`(SELECT token_epoch FROM changed)`,
        reason: 'roles_changed',
        endedAt: now,
      })}),
      noticed AS (${insertEventIfAny(notice, sql`changed`)}),
      audited AS (${insertAuditIfAny(ctx, audit, sql`changed`)})
      SELECT actor.id IS NOT NULL AS "actorStands", changed.token_epoch AS epoch
      FROM (SELECT 1) AS once LEFT JOIN actor ON true LEFT JOIN changed ON true`),
  ]);
  const row = result.rows[0] as { actorStands: boolean; epoch: number | null };
  return {
    actorStands: row.actorStands,
    ended:
      row.epoch === null
        ? undefined
        : { userId: proposal.userId, sessionIds: [], epoch: row.epoch, endedAt: now, eventId: end.id },
  };
}

/** Closes an open proposal without a grant; any administrator may. */
export async function withdrawProposal(
  ctx: WriteContext,
  actor: StaffMember,
  proposal: Pick<ProposalRow, 'id' | 'userId'>,
  now: string,
): Promise<{ readonly actorStands: boolean; readonly closed: boolean }> {
  const { primary } = ctx.databases;
  const audit = {
    action: 'admin.proposal_withdrawn',
    as: 'admin',
    target: { kind: 'user', id: proposal.userId },
    detail: { proposal_id: proposal.id },
  } as const;
  const [, result] = await atomic(primary, [
    primary.execute(lockAdministration),
    primary.execute(sql`
      WITH actor AS (${standingActor(actor)}),
      closed AS (
        UPDATE admin_proposals SET decided_at = ${now}::timestamptz, decided_by = actor.id, outcome = 'withdrawn' FROM actor
        WHERE admin_proposals.id = ${proposal.id}::uuid AND admin_proposals.decided_at IS NULL
        RETURNING admin_proposals.id
      ),
      audited AS (${insertAuditIfAny(ctx, audit, sql`closed`)})
      SELECT actor.id IS NOT NULL AS "actorStands", closed.id IS NOT NULL AS closed
      FROM (SELECT 1) AS once LEFT JOIN actor ON true LEFT JOIN closed ON true`),
  ]);
  return result.rows[0] as { actorStands: boolean; closed: boolean };
}
