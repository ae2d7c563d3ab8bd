import { type SQL, sql } from 'drizzle-orm';
import type { RequestContext } from '../../context.ts';
import { type AuditContext, insertAuditIfAny } from '../../db/audit.ts';
import { atomic, type Db } from '../../db/client.ts';
import { insertEventIfAny, type OutboxEvent, textArray } from '../../db/outbox.ts';
import { giveUpWaiting, type SealedSecrets, secretColumns } from './endpoints.repository.ts';

type WriteContext = Pick<RequestContext, 'databases'> & AuditContext;

/** Endpoints of one owner that are delivered to at the same moment: nobody occupies the queue's consumers alone. */
const maxClaimsOfOwner = 3;

// For a statement with `webhook_endpoints AS endpoint` and `users AS owner`.
const subscribed = (
  userId: string,
  type: string,
): SQL => sql`endpoint.user_id = ${userId}::uuid AND endpoint.enabled
  AND owner.status = 'active' AND (endpoint.event_types = '{}' OR ${type} = ANY (endpoint.event_types))`;

/** Whether any endpoint of a user wants events of a type. */
export async function hasSubscriber(db: Db, userId: string, type: string): Promise<boolean> {
  const result = await db.execute(sql`
    SELECT FROM webhook_endpoints AS endpoint JOIN users AS owner ON owner.id = endpoint.user_id
    WHERE ${subscribed(userId, type)} LIMIT 1`);
  return result.rows.length > 0;
}

/**
 * Writes a delivery of an event for each endpoint of its owner that wants it and has none yet.
 * @returns the endpoints.
 */
export async function insertDeliveries(
  db: Db,
  event: {
    readonly id: string;
    readonly userId: string;
    readonly type: string;
    readonly body: string;
    /** One for each endpoint there may be. */
    readonly deliveryIds: readonly string[];
    readonly now: string;
  },
): Promise<string[]> {
  const now = sql`${event.now}::timestamptz`;
  const result = await db.execute(sql`
    WITH target AS (
      SELECT endpoint.id, row_number() OVER (ORDER BY endpoint.id) AS place
      FROM webhook_endpoints AS endpoint JOIN users AS owner ON owner.id = endpoint.user_id
      WHERE ${subscribed(event.userId, event.type)}
    )
    INSERT INTO webhook_deliveries (id, endpoint_id, event_id, type, body, state, due_at, created_at)
    SELECT given.id, target.id, ${event.id}::uuid, ${event.type}, ${event.body}, 'waiting', ${now}, ${now}
    FROM target JOIN unnest(${textArray(event.deliveryIds)}::uuid[]) WITH ORDINALITY AS given (id, place) USING (place)
    ON CONFLICT (endpoint_id, event_id) DO NOTHING
    RETURNING endpoint_id AS id`);
  return (result.rows as { id: string }[]).map(({ id }) => id);
}

/** Endpoints something is due for and nobody delivers to, each owner's longest waiting first, then each owner's second. */
export async function listDueEndpoints(db: Db, now: string, limit: number): Promise<string[]> {
  const result = await db.execute(sql`
    WITH due AS (
      SELECT endpoint.id, min(delivery.due_at) AS since,
        row_number() OVER (PARTITION BY endpoint.user_id ORDER BY min(delivery.due_at)) AS turn
      FROM webhook_deliveries AS delivery
        JOIN webhook_endpoints AS endpoint ON endpoint.id = delivery.endpoint_id
        JOIN users AS owner ON owner.id = endpoint.user_id
      WHERE delivery.state = 'waiting' AND delivery.due_at <= ${now}::timestamptz
        AND ${unclaimed(now)} AND owner.status = 'active'
      GROUP BY endpoint.id
    )
    SELECT id FROM due ORDER BY turn, since LIMIT ${limit}`);
  return (result.rows as { id: string }[]).map(({ id }) => id);
}

const unclaimed = (now: string): SQL =>
  sql`endpoint.enabled AND (endpoint.claimed_until IS NULL OR endpoint.claimed_until <= ${now}::timestamptz)`;

/** What is due for the FROM item `endpoint`. */
const dueDelivery = (now: string): SQL => sql`
  FROM webhook_deliveries AS delivery
  WHERE delivery.endpoint_id = endpoint.id AND delivery.state = 'waiting' AND delivery.due_at <= ${now}::timestamptz`;

export interface Claim {
  readonly endpointId: string;
  readonly claimId: string;
  /** RFC 3339, as the other. */
  readonly now: string;
  readonly until: string;
}

/** A delivery to be attempted now, and all an attempt needs. */
export interface DueDelivery extends SealedSecrets {
  readonly id: string;
  readonly endpointId: string;
  readonly userId: string;
  readonly eventId: string;
  readonly body: string;
  readonly attempts: number;
  readonly url: string;
}

const takeStatement = ({ endpointId, claimId, now, until }: Claim): SQL => sql`
  WITH chosen AS (
    SELECT endpoint.id FROM webhook_endpoints AS endpoint JOIN users AS owner ON owner.id = endpoint.user_id
    WHERE endpoint.id = ${endpointId}::uuid AND ${unclaimed(now)} AND owner.status = 'active'
      AND EXISTS (SELECT ${dueDelivery(now)})
      AND (SELECT count(*) FROM webhook_endpoints AS other
        WHERE other.user_id = endpoint.user_id AND other.claimed_until > ${now}::timestamptz) < ${maxClaimsOfOwner}
    FOR NO KEY UPDATE OF endpoint SKIP LOCKED
  ),
  endpoint AS (
    UPDATE webhook_endpoints AS claimed
    SET claim_id = ${claimId}::uuid, claimed_until = ${until}::timestamptz
    FROM chosen WHERE claimed.id = chosen.id RETURNING claimed.*
  )
  SELECT due.*, endpoint.id AS "endpointId", endpoint.user_id AS "userId", endpoint.url, ${secretColumns(now)}
  FROM endpoint, LATERAL (
    SELECT delivery.id, delivery.event_id AS "eventId", delivery.body, delivery.attempts
    ${dueDelivery(now)} ORDER BY delivery.due_at, delivery.id LIMIT 1
  ) AS due`;

/**
 * Takes an endpoint for delivering to it, with what is due first. Undefined when nothing is, when somebody else has it, when it
 * or its owner is not active, or when enough of its owner's endpoints are taken.
 */
export async function takeDelivery(db: Db, claim: Claim): Promise<DueDelivery | undefined> {
  const result = await db.execute(takeStatement(claim));
  return result.rows[0] as DueDelivery | undefined;
}

export interface Attempt {
  readonly id: string;
  readonly deliveryId: string;
  /** Where it went: an endpoint that has moved since is not disabled for what its old address said. */
  readonly url: string;
  readonly startedAt: string;
  readonly durationMs: number;
  readonly status: number | undefined;
  readonly error: string | undefined;
  readonly excerpt: string;
  readonly verdict: 'delivered' | 'gone' | 'failed';
  /** When to try again; undefined: never. */
  readonly dueAt: string | undefined;
}

/** The statement that writes an attempt down for a delivery that is still there. */
export const attemptRow = (attempt: Attempt, source: SQL): SQL => sql`
  INSERT INTO webhook_attempts (id, delivery_id, started_at, duration_ms, status, error, response_excerpt)
  SELECT ${attempt.id}::uuid, source.id, ${attempt.startedAt}::timestamptz, ${attempt.durationMs}::integer,
    ${attempt.status ?? null}::smallint, ${attempt.error ?? null}::text, ${attempt.excerpt}
  FROM ${source} AS source`;

export interface Settled {
  /** What is due next at the same endpoint, still claimed. */
  readonly next: DueDelivery | undefined;
  /** Endpoints of the owner, this one included, for which something is due and nobody is at work. */
  readonly waiting: readonly string[];
  /** Whether the attempt was the one that disabled the endpoint. */
  readonly disabled: boolean;
}

/**
 * Writes down what came of an attempt and takes the next delivery if `goOn`, else lets go of the endpoint: one transaction. The
 * endpoint's row is locked first, as by all who change its deliveries. An endpoint that is gone, or at which nothing has arrived
 * since `failingBefore`, is disabled, and its owner told by `notice`.
 */
export async function settleAttempt(
  ctx: WriteContext,
  attempt: Attempt,
  claim: Claim,
  options: { readonly failingBefore: string; readonly goOn: boolean; readonly notice: OutboxEvent },
): Promise<Settled> {
  const { primary } = ctx.databases;
  const now = sql`${claim.now}::timestamptz`;
  const delivered = attempt.verdict === 'delivered';
  const gone = attempt.verdict === 'gone';
  const disables = sql`(endpoint.enabled AND endpoint.url = ${attempt.url} AND (${gone}
    OR (NOT ${delivered} AND coalesce(endpoint.failing_since <= ${options.failingBefore}::timestamptz, false))))`;
  const mine = sql`endpoint.claim_id = ${claim.claimId}::uuid`;
  const audit = {
    action: 'webhook_endpoints.disabled',
    target: { kind: 'webhook_endpoint', id: claim.endpointId },
    detail: { reason: gone ? 'gone' : 'failing' },
  };
  const retried = sql`(${attempt.dueAt ?? null}::timestamptz IS NOT NULL AND health.enabled)`;
  const [settled, taken, waiting] = await atomic(primary, [
    primary.execute(sql`
      WITH before AS (
        SELECT endpoint.id, ${disables} AS disables FROM webhook_endpoints AS endpoint
        WHERE endpoint.id = ${claim.endpointId}::uuid FOR NO KEY UPDATE
      ),
      health AS (
        UPDATE webhook_endpoints AS endpoint
        SET failing_since = CASE WHEN ${delivered} THEN NULL ELSE coalesce(failing_since, ${now}) END,
          enabled = enabled AND NOT before.disables,
          disabled_reason = CASE WHEN before.disables THEN ${gone ? 'gone' : 'failing'} ELSE disabled_reason END,
          disabled_at = CASE WHEN before.disables THEN ${now} ELSE disabled_at END,
          claim_id = CASE WHEN ${mine} THEN NULL ELSE claim_id END,
          claimed_until = CASE WHEN ${mine} THEN NULL ELSE claimed_until END
        FROM before WHERE endpoint.id = before.id
        RETURNING endpoint.id, endpoint.enabled, before.disables
      ),
      settled AS (
        UPDATE webhook_deliveries AS delivery
        SET attempts = least(delivery.attempts + 1, 1000), last_status = ${attempt.status ?? null}::smallint,
          last_error = ${attempt.error ?? null}::text,
          state = CASE WHEN ${delivered} THEN 'succeeded' WHEN ${retried} THEN 'waiting' ELSE 'failed' END,
          due_at = CASE WHEN NOT ${delivered} AND ${retried} THEN ${attempt.dueAt ?? null}::timestamptz END,
          finished_at = CASE WHEN ${delivered} OR NOT ${retried} THEN ${now} END,
          failure_reason = CASE WHEN ${delivered} OR ${retried} THEN NULL WHEN ${gone} THEN 'gone'
            WHEN health.enabled THEN 'exhausted' ELSE 'endpoint_disabled' END
        FROM health
        WHERE delivery.id = ${attempt.deliveryId}::uuid AND delivery.endpoint_id = health.id
          AND (delivery.state = 'waiting' OR ${delivered})
        RETURNING delivery.id
      ),
      noted AS (${attemptRow(attempt, sql`(SELECT delivery.id FROM webhook_deliveries AS delivery JOIN health ON health.id = delivery.endpoint_id WHERE delivery.id = ${attempt.deliveryId}::uuid)`)}),
      stopped AS (SELECT id, enabled FROM health WHERE disables),
      given_up AS (${giveUpWaiting(sql`stopped`, claim.now, attempt.deliveryId)}),
      told AS (${insertEventIfAny(options.notice, sql`stopped`)}),
      audited AS (${insertAuditIfAny(ctx, audit, sql`stopped`)})
      SELECT id FROM stopped`),
    primary.execute(options.goOn ? takeStatement(claim) : sql`SELECT WHERE false`),
    primary.execute(sql`
      SELECT endpoint.id FROM webhook_endpoints AS endpoint JOIN users AS owner ON owner.id = endpoint.user_id
      WHERE owner.id = (SELECT user_id FROM webhook_endpoints WHERE id = ${claim.endpointId}::uuid)
        AND owner.status = 'active' AND ${unclaimed(claim.now)} AND EXISTS (SELECT ${dueDelivery(claim.now)})
      ORDER BY (SELECT min(delivery.due_at) ${dueDelivery(claim.now)}) LIMIT ${maxClaimsOfOwner}`),
  ]);
  return {
    next: taken.rows[0] as DueDelivery | undefined,
    waiting: (waiting.rows as { id: string }[]).map(({ id }) => id),
    disabled: settled.rows.length > 0,
  };
}
