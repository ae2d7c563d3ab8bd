import { type SQL, sql } from 'drizzle-orm';
import type { Db } from '../../db/client.ts';
import { type Attempt, attemptRow } from './dispatch.repository.ts';
import type { DeliveryDetailRow, DeliveryRow } from './webhook-endpoints.views.ts';

const utc = (column: SQL): SQL => sql`to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

// For a statement in which `delivery` is a FROM item with the columns of `webhook_deliveries`.
const columns = sql`delivery.id, delivery.endpoint_id AS "endpointId", delivery.event_id AS "eventId", delivery.type,
  delivery.state, delivery.failure_reason AS "failureReason", delivery.attempts::int AS attempts,
  delivery.last_status::int AS "lastStatus", delivery.last_error AS "lastError", ${utc(sql`delivery.due_at`)} AS "dueAt",
  ${utc(sql`delivery.created_at`)} AS "createdAt", ${utc(sql`delivery.finished_at`)} AS "finishedAt"`;

const shownAttempts = 50;

const detailColumns = sql`${columns}, delivery.body, (
  SELECT coalesce(json_agg(json_build_object('startedAt', ${utc(sql`attempt.started_at`)},
    'durationMs', attempt.duration_ms, 'status', attempt.status, 'error', attempt.error,
    'responseExcerpt', attempt.response_excerpt) ORDER BY attempt.id DESC), '[]')
  FROM (SELECT * FROM webhook_attempts WHERE delivery_id = delivery.id ORDER BY id DESC LIMIT ${shownAttempts}) AS attempt
) AS "attemptLog"`;

interface DeliveryKey {
  readonly id: string;
  readonly endpointId: string;
  readonly userId: string;
}

const ownEndpoint = ({ endpointId, userId }: Omit<DeliveryKey, 'id'>): SQL =>
  sql`endpoint.id = ${endpointId}::uuid AND endpoint.user_id = ${userId}::uuid`;

/** A page of what was sent to an endpoint of a user, newest first; undefined when there is no such endpoint. */
export async function listDeliveries(
  db: Db,
  query: Omit<DeliveryKey, 'id'> & {
    readonly state: string | undefined;
    readonly type: string | undefined;
    readonly beforeId: string | undefined;
    readonly limit: number;
  },
): Promise<DeliveryRow[] | undefined> {
  const state = query.state === undefined ? sql`` : sql`AND delivery.state = ${query.state}`;
  const type = query.type === undefined ? sql`` : sql`AND delivery.type = ${query.type}`;
  const before = query.beforeId === undefined ? sql`` : sql`AND delivery.id < ${query.beforeId}::uuid`;
  const result = await db.execute(sql`
    SELECT page.* FROM webhook_endpoints AS endpoint LEFT JOIN LATERAL (
      SELECT ${columns} FROM webhook_deliveries AS delivery
      WHERE delivery.endpoint_id = endpoint.id ${state} ${type} ${before}
      ORDER BY delivery.id DESC LIMIT ${query.limit}
    ) AS page ON true
    WHERE ${ownEndpoint(query)}`);
  const rows = result.rows as unknown as (DeliveryRow & { readonly id: string | null })[];
  return rows.length === 0 ? undefined : rows.filter(({ id }) => id !== null);
}

/** One delivery with its attempts. */
export async function findDelivery(db: Db, key: DeliveryKey): Promise<DeliveryDetailRow | undefined> {
  const result = await db.execute(sql`
    SELECT ${detailColumns}
    FROM webhook_deliveries AS delivery JOIN webhook_endpoints AS endpoint ON endpoint.id = delivery.endpoint_id
    WHERE delivery.id = ${key.id}::uuid AND ${ownEndpoint(key)}`);
  return result.rows[0] as DeliveryDetailRow | undefined;
}

// With all attempts before it again, unless it has some left.
const sendAgain = (now: string): SQL => sql`state = 'waiting', failure_reason = NULL, finished_at = NULL,
  due_at = ${now}::timestamptz, attempts = CASE WHEN delivery.state = 'waiting' THEN delivery.attempts ELSE 0 END`;

/** Lets a delivery be sent again, now. Undefined when there is none; `disabled` when its endpoint is. */
export async function replayDelivery(
  db: Db,
  key: DeliveryKey,
  now: string,
): Promise<DeliveryRow | 'disabled' | undefined> {
  const result = await db.execute(sql`
    WITH endpoint AS (
      SELECT endpoint.id, endpoint.enabled FROM webhook_endpoints AS endpoint WHERE ${ownEndpoint(key)}
      FOR NO KEY UPDATE
    ),
    found AS (
      SELECT delivery.id, endpoint.enabled
      FROM webhook_deliveries AS delivery JOIN endpoint ON endpoint.id = delivery.endpoint_id
      WHERE delivery.id = ${key.id}::uuid
    ),
    delivery AS (
      UPDATE webhook_deliveries AS delivery SET ${sendAgain(now)}
      FROM found WHERE delivery.id = found.id AND found.enabled RETURNING delivery.*
    )
    SELECT found.enabled, ${columns} FROM found LEFT JOIN delivery ON delivery.id = found.id`);
  const row = result.rows[0] as (DeliveryRow & { readonly enabled: boolean }) | undefined;
  return row === undefined ? undefined : row.enabled ? row : 'disabled';
}

/** Lets up to `limit` deliveries that failed be sent again, the oldest first, those of test events aside. */
export async function replayFailed(
  db: Db,
  query: Omit<DeliveryKey, 'id'> & {
    readonly since: string;
    readonly exceptType: string;
    readonly now: string;
    readonly limit: number;
  },
): Promise<{ readonly replayed: number; readonly more: boolean } | 'disabled' | undefined> {
  const failed = sql`delivery.endpoint_id = endpoint.id AND delivery.state = 'failed'
    AND delivery.type <> ${query.exceptType} AND delivery.created_at >= ${query.since}::timestamptz`;
  const result = await db.execute(sql`
    WITH endpoint AS (
      SELECT endpoint.id, endpoint.enabled FROM webhook_endpoints AS endpoint WHERE ${ownEndpoint(query)}
      FOR NO KEY UPDATE
    ),
    chosen AS (
      SELECT delivery.id FROM endpoint JOIN webhook_deliveries AS delivery ON ${failed}
      WHERE endpoint.enabled ORDER BY delivery.id LIMIT ${query.limit}
    ),
    replayed AS (
      UPDATE webhook_deliveries AS delivery SET ${sendAgain(query.now)}
      FROM chosen WHERE delivery.id = chosen.id RETURNING delivery.id
    )
    SELECT endpoint.enabled, (SELECT count(*)::int FROM replayed) AS replayed, EXISTS (
      SELECT FROM webhook_deliveries AS delivery
      WHERE ${failed} AND delivery.id > (SELECT id FROM chosen ORDER BY id DESC LIMIT 1)
    ) AS more
    FROM endpoint`);
  const row = result.rows[0] as { enabled: boolean; replayed: number; more: boolean } | undefined;
  if (row === undefined) return undefined;
  return row.enabled ? { replayed: row.replayed, more: row.more } : 'disabled';
}

/** Writes down a test event and what came of it; undefined when the endpoint was deleted meanwhile. */
export async function insertTest(
  db: Db,
  key: DeliveryKey,
  test: { readonly eventId: string; readonly type: string; readonly body: string; readonly now: string },
  attempt: Attempt,
): Promise<DeliveryDetailRow | undefined> {
  const delivered = attempt.verdict === 'delivered';
  const reason = delivered ? null : attempt.verdict === 'gone' ? 'gone' : 'exhausted';
  await db.execute(sql`
    WITH endpoint AS (SELECT endpoint.id FROM webhook_endpoints AS endpoint WHERE ${ownEndpoint(key)}),
    delivery AS (
      INSERT INTO webhook_deliveries (id, endpoint_id, event_id, type, body, state, failure_reason, attempts,
        last_status, last_error, created_at, finished_at)
      SELECT ${key.id}::uuid, endpoint.id, ${test.eventId}::uuid, ${test.type}, ${test.body},
        ${delivered ? 'succeeded' : 'failed'}, ${reason}::text, 1, ${attempt.status ?? null}::smallint,
        ${attempt.error ?? null}::text, ${test.now}::timestamptz, ${test.now}::timestamptz
      FROM endpoint RETURNING id
    )
    ${attemptRow(attempt, sql`delivery`)}`);
  return findDelivery(db, key);
}

/**
 * Deletes up to `limit` deliveries made before `cutoff` with their attempts.
 * @returns how many there were.
 */
export async function deleteOldDeliveries(db: Db, cutoff: string, limit: number): Promise<number> {
  const result = await db.execute(sql`
    DELETE FROM webhook_deliveries WHERE id IN (
      SELECT id FROM webhook_deliveries WHERE created_at < ${cutoff}::timestamptz
      ORDER BY created_at LIMIT ${limit} FOR UPDATE SKIP LOCKED)`);
  return result.rowCount;
}
