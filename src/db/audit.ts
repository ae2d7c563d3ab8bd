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
  /** Ids and plain words; never a secret, an address, or what somebody typed. */
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** What of a request an entry is made of. */
export type AuditContext = Pick<
  RequestContext,
  'ids' | 'actor' | 'ip' | 'country' | 'userAgent' | 'requestId'
>;

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
  country: ctx.country ?? null,
  userAgent: ctx.userAgent ?? null,
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
  return sql`INSERT INTO audit_log (id, actor_kind, actor_id, action, target_kind, target_id, outcome, ip, country, user_agent,
      request_id, detail)
    SELECT ${row.id}::uuid, ${row.actorKind}, ${row.actorId}, ${row.action}, ${row.targetKind}, ${row.targetId},
           ${row.outcome}, ${row.ip}::inet, ${row.country}, ${row.userAgent}, ${row.requestId}, ${JSON.stringify(row.detail)}::jsonb
    FROM (SELECT 1 FROM ${source} LIMIT 1) AS changed`;
}

const sealBatch = 2_000;
const maxSealRounds = 50;

/**
 * Puts the entries written since the last run into the hash chain (docs/decisions/0032) and writes its head to the log: the
 * log, kept elsewhere, is the anchor against which `npm run audit:verify` finds a chain that was rewritten or cut.
 */
export async function sealAuditLog(ctx: RequestContext): Promise<void> {
  let count = 0;
  let head: SealedRow;
  let round = 0;
  do {
    const result = await ctx.databases.primary.execute(
      sql`SELECT sealed, head_seq::float8 AS seq, head_hash AS hash FROM seal_audit_log(${sealBatch}::integer)`,
    );
    head = result.rows[0] as unknown as SealedRow;
    count += head.sealed;
    round += 1;
  } while (head.sealed === sealBatch && round < maxSealRounds);
  if (head.seq !== null)
    ctx.log.log('info', 'audit.sealed', { count, audit_seq: head.seq, audit_hash: head.hash });
}

interface SealedRow {
  readonly sealed: number;
  readonly seq: number | null;
  readonly hash: string | null;
}
