import { type SQL, sql } from 'drizzle-orm';
import type { RequestContext } from '../context.ts';
import { traceparentOf } from '../observability/trace.ts';
import type { Db } from './client.ts';
import { outbox } from './outbox.table.ts';

/** An event to be written beside the change it tells of. */
export interface OutboxEvent {
  readonly id: string;
  readonly type: string;
  readonly payload: unknown;
  readonly traceparent: string;
}

/** An outbox row as claimed for publishing. */
export interface OutboxRow {
  readonly id: string;
  readonly type: string;
  readonly payload: unknown;
  readonly traceparent: string | null;
  readonly createdAt: string;
}

const claimSeconds = 30;

/** Makes an event with its own id, carrying the trace of the request. */
export const newEvent = (
  ctx: Pick<RequestContext, 'ids' | 'trace'>,
  type: string,
  payload: unknown,
): OutboxEvent => ({
  id: ctx.ids.next(),
  type,
  payload,
  traceparent: traceparentOf(ctx.trace),
});

/** The statement that writes events unconditionally, for `atomic([...])`. */
export const insertEvents = (db: Db, events: readonly OutboxEvent[]) => db.insert(outbox).values([...events]);

/**
 * The body of a CTE that writes `event` once if `source` (the name of an earlier CTE) has any row: the event then exists
 * exactly when the change happened.
 */
export const insertEventIfAny = (event: OutboxEvent, source: SQL): SQL =>
  sql`INSERT INTO outbox (id, type, payload, traceparent)
      SELECT ${event.id}::uuid, ${event.type}, ${JSON.stringify(event.payload)}::jsonb, ${event.traceparent}
      FROM (SELECT 1 FROM ${source} LIMIT 1) AS changed`;

/** Takes waiting events for publishing: the given ones, or the oldest. Nobody else gets them for 30 s. */
export async function claimEvents(
  db: Db,
  options: { ids?: readonly string[]; limit: number },
): Promise<OutboxRow[]> {
  const only = options.ids === undefined ? sql`true` : sql`id = ANY(${textArray(options.ids)}::uuid[])`;
  const result = await db.execute(sql`
    UPDATE outbox SET claimed_until = now() + make_interval(secs => ${claimSeconds}), attempts = attempts + 1
    WHERE id IN (
      SELECT id FROM outbox
      WHERE ${only} AND (claimed_until IS NULL OR claimed_until < now())
      ORDER BY created_at LIMIT ${options.limit} FOR UPDATE SKIP LOCKED
    )
    RETURNING id, type, payload, traceparent, to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "createdAt"`);
  return result.rows as unknown as OutboxRow[];
}

/** Forgets events a queue has taken. */
export async function removeEvents(db: Db, ids: readonly string[]): Promise<void> {
  await db.execute(sql`DELETE FROM outbox WHERE id = ANY(${textArray(ids)}::uuid[])`);
}

/** Age of the oldest waiting event in seconds, for the readiness endpoint and alerts; 0 when none waits. */
export async function oldestEventAgeSeconds(db: Db): Promise<number> {
  const result = await db.execute(
    sql`SELECT coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 AS age FROM outbox`,
  );
  return Number(result.rows[0]?.age ?? 0);
}

/** A Postgres array literal of UUIDs or other plain words, as one bound parameter. */
export const textArray = (values: readonly string[]): string =>
  `{${values.map((value) => `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`).join(',')}}`;

/** The CTE body that lets a handler act once for an event: it yields a row only the first time. */
export const firstTime = (handler: string, eventId: string): SQL =>
  sql`INSERT INTO processed_events (handler, event_id) VALUES (${handler}, ${eventId}::uuid) ON CONFLICT DO NOTHING RETURNING 1`;
