import { type SQL, sql } from 'drizzle-orm';
import type { RequestContext } from '../context.ts';
import { auditLog } from './audit.table.ts';
import type { Db } from './client.ts';

/** Who did what to which thing. */
export interface AuditEntry {
  /** `domain.verb`. */
  readonly action: string;
  /** The id may be an expression over the CTEs of the statement that writes the entry. */
  readonly target?: { readonly kind: string; readonly id: string | SQL };
  readonly outcome?: 'success' | 'denied' | 'failure';
  /** Set where a moderator or administrator acts as such. */
  readonly as?: 'admin';
  readonly detail?: Readonly<Record<string, unknown>>;
}

type AuditContext = Pick<RequestContext, 'ids' | 'actor' | 'ip' | 'requestId'>;

const rowOf = (ctx: AuditContext, entry: AuditEntry) => ({
  id: ctx.ids.next(),
  actorKind: entry.as ?? ctx.actor.kind,
  actorId:
    ctx.actor.kind === 'user' || ctx.actor.kind === 'api_key'
      ? ctx.actor.userId
      : ctx.actor.kind === 'system'
        ? ctx.actor.job
        : ctx.actor.kind === 'webhook'
          ? ctx.actor.source
          : null,
  action: entry.action,
  targetKind: entry.target?.kind ?? null,
  targetId: entry.target?.id ?? null,
  outcome: entry.outcome ?? 'success',
  ip: ctx.ip ?? null,
  requestId: ctx.requestId,
  detail:
    ctx.actor.kind === 'api_key' ? { ...entry.detail, api_key_id: ctx.actor.keyId } : (entry.detail ?? {}),
});

/** The statement that writes an audit entry, for `atomic([...])`. */
export const insertAudit = (db: Db, ctx: AuditContext, entry: AuditEntry) =>
  db.insert(auditLog).values(rowOf(ctx, entry));

/** The body of a CTE that writes an audit entry if `source` (the name of an earlier CTE) has any row. */
export function insertAuditIfAny(ctx: AuditContext, entry: AuditEntry, source: SQL): SQL {
  const row = rowOf(ctx, entry);
  return sql`INSERT INTO audit_log (id, actor_kind, actor_id, action, target_kind, target_id, outcome, ip, request_id, detail)
    SELECT ${row.id}::uuid, ${row.actorKind}, ${row.actorId}, ${row.action}, ${row.targetKind}, ${row.targetId},
           ${row.outcome}, ${row.ip}::inet, ${row.requestId}, ${JSON.stringify(row.detail)}::jsonb
    FROM (SELECT 1 FROM ${source} LIMIT 1) AS changed`;
}
