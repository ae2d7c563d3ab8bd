import { sql } from 'drizzle-orm';
import { type AuditContext, insertAuditIfAny } from '../../db/audit.ts';
import { atomic, type Databases, type Db } from '../../db/client.ts';
import { insertEventIfAny, type OutboxEvent } from '../../db/outbox.ts';

type WriteContext = AuditContext & { readonly databases: Databases };

export interface ExportRow {
  readonly id: string;
  readonly state: 'pending' | 'running' | 'ready' | 'failed';
  readonly progressPercent: number;
  readonly objectKey: string;
  readonly sizeBytes: number | null;
  readonly failureCode: string | null;
  /** RFC 3339 in UTC, as the others. */
  readonly requestedAt: string;
  readonly finishedAt: string | null;
  readonly expiresAt: string | null;
}

const utc = (name: string) =>
  sql`to_char(${sql.identifier(name)} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

const exportColumns = sql`id, state, progress_percent AS "progressPercent", object_key AS "objectKey",
  size_bytes::float8 AS "sizeBytes", failure_code AS "failureCode", ${utc('requested_at')} AS "requestedAt",
  ${utc('finished_at')} AS "finishedAt", ${utc('expires_at')} AS "expiresAt"`;

export type ExportOutcome =
  | { readonly kind: 'made'; readonly row: ExportRow }
  | { readonly kind: 'running' }
  /** Unix milliseconds of the oldest export that counts. */
  | { readonly kind: 'limit'; readonly oldestMs: number };

/**
 * Writes an export to be made, unless one is under way or too many were asked for. The user's row is locked first, so that of
 * two at once one is made. One of this id that is there already is returned as it is.
 */
export async function insertExport(
  ctx: WriteContext,
  request: {
    readonly id: string;
    readonly userId: string;
    readonly objectKey: string;
    readonly now: string;
    readonly countedSince: string;
    readonly limit: number;
  },
  requested: OutboxEvent,
): Promise<ExportOutcome> {
  const { primary } = ctx.databases;
  const user = sql`${request.userId}::uuid`;
  const id = sql`${request.id}::uuid`;
  const audit = { action: 'account.export_requested', target: { kind: 'user', id: request.userId } };
  const [, result] = await atomic(primary, [
    primary.execute(sql`SELECT FROM users WHERE id = ${user} FOR NO KEY UPDATE`),
    primary.execute(sql`
      WITH counted AS (
        SELECT count(*)::integer AS count, extract(epoch FROM min(requested_at)) * 1000 AS oldest FROM data_exports
        WHERE user_id = ${user} AND requested_at > ${request.countedSince}::timestamptz AND state <> 'failed'
      ),
      running AS (SELECT FROM data_exports WHERE user_id = ${user} AND state IN ('pending', 'running')),
      made AS (
        INSERT INTO data_exports (id, user_id, state, object_key, requested_at)
        SELECT ${id}, users.id, 'pending', ${request.objectKey}, ${request.now}::timestamptz
        FROM users, counted
        WHERE users.id = ${user} AND users.status = 'active' AND counted.count < ${request.limit}::integer
          AND NOT EXISTS (SELECT FROM running)
        ON CONFLICT DO NOTHING RETURNING *
      ),
      told AS (${insertEventIfAny(requested, sql`made`)}),
      audited AS (${insertAuditIfAny(ctx, audit, sql`made`)}),
      written AS (
        SELECT * FROM made UNION ALL SELECT * FROM data_exports WHERE id = ${id} AND user_id = ${user}
      )
      SELECT EXISTS (SELECT FROM running) AS running, counted.oldest::float8 AS "oldestMs", export.*
      FROM counted LEFT JOIN LATERAL (SELECT ${exportColumns} FROM written) AS export ON true`),
  ]);
  const { running, oldestMs, ...row } = result.rows[0] as unknown as {
    running: boolean;
    oldestMs: number | null;
  } & (ExportRow | { id: null });
  if (row.id !== null) return { kind: 'made', row };
  return running ? { kind: 'running' } : { kind: 'limit', oldestMs: oldestMs ?? 0 };
}

/** An export of this user that has not expired. */
export async function findExport(
  db: Db,
  id: string,
  userId: string,
  now: string,
): Promise<ExportRow | undefined> {
  const result = await db.execute(sql`
    SELECT ${exportColumns} FROM data_exports
    WHERE id = ${id}::uuid AND user_id = ${userId}::uuid
      AND (expires_at IS NULL OR expires_at > ${now}::timestamptz)`);
  return result.rows[0] as ExportRow | undefined;
}

/** Exports of this user that have not expired, latest first, after the one with the id `before`. */
export async function listExports(
  db: Db,
  userId: string,
  request: { readonly limit: number; readonly before: string | undefined; readonly now: string },
): Promise<ExportRow[]> {
  const { before, limit, now } = request;
  // The ids are made in order of time.
  const result = await db.execute(sql`
    SELECT ${exportColumns} FROM data_exports
    WHERE user_id = ${userId}::uuid AND (expires_at IS NULL OR expires_at > ${now}::timestamptz)
      AND ${before === undefined ? sql`true` : sql`id < ${before}::uuid`}
    ORDER BY id DESC LIMIT ${limit}::integer`);
  return result.rows as unknown as ExportRow[];
}

export interface ExportRun {
  readonly exportId: string;
  readonly userId: string;
  readonly runId: string;
}

/** Takes an export for one run, unless it is finished or another run holds it. */
export async function claimExport(
  db: Db,
  run: ExportRun,
  now: string,
  claimedUntil: string,
): Promise<{ readonly objectKey: string; readonly attempts: number } | undefined> {
  const result = await db.execute(sql`
    UPDATE data_exports SET state = 'running', attempts = attempts + 1, run_id = ${run.runId}::uuid,
      claimed_until = ${claimedUntil}::timestamptz, progress_percent = 0
    WHERE id = ${run.exportId}::uuid AND user_id = ${run.userId}::uuid AND state IN ('pending', 'running')
      AND (claimed_until IS NULL OR claimed_until <= ${now}::timestamptz)
    RETURNING object_key AS "objectKey", attempts`);
  return result.rows[0] as { objectKey: string; attempts: number } | undefined;
}

const held = (run: ExportRun) =>
  sql`id = ${run.exportId}::uuid AND run_id = ${run.runId}::uuid AND state = 'running'`;

/** Tells how far a run is and holds the export longer; false when the run has lost it. */
export async function keepExport(
  db: Db,
  run: ExportRun,
  percent: number,
  claimedUntil: string,
): Promise<boolean> {
  const result = await db.execute(sql`
    UPDATE data_exports SET progress_percent = ${percent}::smallint, claimed_until = ${claimedUntil}::timestamptz
    WHERE ${held(run)}`);
  return result.rowCount > 0;
}

/** Makes an export ready with `notice`; false when the run has lost it. */
export async function finishExport(
  db: Db,
  run: ExportRun,
  done: { readonly sizeBytes: number; readonly now: string; readonly expiresAt: string },
  notice: OutboxEvent,
): Promise<boolean> {
  const result = await db.execute(sql`
    WITH ready AS (
      UPDATE data_exports SET state = 'ready', progress_percent = 100, size_bytes = ${done.sizeBytes}::bigint,
        failure_code = NULL, claimed_until = NULL, finished_at = ${done.now}::timestamptz,
        expires_at = ${done.expiresAt}::timestamptz
      WHERE ${held(run)} RETURNING id
    ),
    told AS (${insertEventIfAny(notice, sql`ready`)})
    SELECT id FROM ready`);
  return result.rows.length > 0;
}

/** Gives a failed run's export back, with the reason; for good when `expiresAt` says until when the failure is shown. */
export async function failExport(
  db: Db,
  run: ExportRun,
  failure: { readonly code: string; readonly now: string; readonly expiresAt: string | undefined },
): Promise<void> {
  const { expiresAt = null } = failure;
  await db.execute(sql`
    UPDATE data_exports SET failure_code = ${failure.code}, claimed_until = NULL, expires_at = ${expiresAt}::timestamptz,
      state = CASE WHEN ${expiresAt}::text IS NULL THEN 'running' ELSE 'failed' END,
      finished_at = CASE WHEN ${expiresAt}::text IS NOT NULL THEN ${failure.now}::timestamptz END
    WHERE ${held(run)}`);
}

/** Exports nobody works on, though they were asked for before `silentSince`. */
export async function listStalledExports(
  db: Db,
  times: { readonly now: string; readonly silentSince: string },
  limit: number,
): Promise<{ readonly id: string; readonly userId: string; readonly attempts: number }[]> {
  const result = await db.execute(sql`
    SELECT id, user_id AS "userId", attempts FROM data_exports
    WHERE state IN ('pending', 'running') AND requested_at < ${times.silentSince}::timestamptz
      AND (claimed_until IS NULL OR claimed_until < ${times.now}::timestamptz)
    ORDER BY requested_at LIMIT ${limit}`);
  return result.rows as unknown as { id: string; userId: string; attempts: number }[];
}

/** Gives up an export no run could finish. */
export async function giveUpExport(
  db: Db,
  id: string,
  times: { readonly now: string; readonly expiresAt: string },
): Promise<void> {
  await db.execute(sql`
    UPDATE data_exports SET state = 'failed', failure_code = coalesce(failure_code, 'interrupted'),
      claimed_until = NULL, finished_at = ${times.now}::timestamptz, expires_at = ${times.expiresAt}::timestamptz
    WHERE id = ${id}::uuid AND state IN ('pending', 'running')
      AND (claimed_until IS NULL OR claimed_until < ${times.now}::timestamptz)`);
}

/** Exports whose time is over. */
export async function listExpiredExports(
  db: Db,
  now: string,
  limit: number,
): Promise<{ readonly id: string; readonly objectKey: string }[]> {
  const result = await db.execute(sql`
    SELECT id, object_key AS "objectKey" FROM data_exports
    WHERE expires_at <= ${now}::timestamptz ORDER BY expires_at LIMIT ${limit}`);
  return result.rows as unknown as { id: string; objectKey: string }[];
}

/** Removes exports that have expired and whose files are gone. */
export async function deleteExports(db: Db, ids: readonly string[], now: string): Promise<void> {
  await db.execute(sql`
    DELETE FROM data_exports WHERE id = ANY (${`{${ids.join(',')}}`}::uuid[]) AND expires_at <= ${now}::timestamptz`);
}
