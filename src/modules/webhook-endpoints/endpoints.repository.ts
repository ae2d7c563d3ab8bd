import { type SQL, sql } from 'drizzle-orm';
import type { RequestContext } from '../../context.ts';
import { type AuditContext, insertAuditIfAny } from '../../db/audit.ts';
import { atomic, type Db } from '../../db/client.ts';
import { insertEventIfAny, type OutboxEvent, textArray } from '../../db/outbox.ts';
import { lockUser } from '../auth/index.ts';
import type { EndpointRow } from './webhook-endpoints.views.ts';

type WriteContext = Pick<RequestContext, 'databases'> & AuditContext;

const utc = (column: SQL): SQL => sql`to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

// For a statement in which `endpoint` is a FROM item with the columns of `webhook_endpoints`.
const columns = sql`endpoint.id, endpoint.url, array_to_json(endpoint.event_types) AS "eventTypes", endpoint.description,
  endpoint.enabled, endpoint.disabled_reason AS "disabledReason", ${utc(sql`endpoint.disabled_at`)} AS "disabledAt",
  ${utc(sql`endpoint.failing_since`)} AS "failingSince",
  ${utc(sql`endpoint.old_secret_expires_at`)} AS "oldSecretExpiresAt",
  ${utc(sql`endpoint.created_at`)} AS "createdAt", ${utc(sql`endpoint.updated_at`)} AS "updatedAt"`;

interface EndpointKey {
  readonly id: string;
  readonly userId: string;
}

/** The endpoints of a user, the newest first. */
export async function listEndpoints(db: Db, userId: string): Promise<EndpointRow[]> {
  const result = await db.execute(sql`
    SELECT ${columns} FROM webhook_endpoints AS endpoint WHERE user_id = ${userId}::uuid ORDER BY id DESC`);
  return result.rows as unknown as EndpointRow[];
}

export async function findEndpoint(db: Db, { id, userId }: EndpointKey): Promise<EndpointRow | undefined> {
  const result = await db.execute(sql`
    SELECT ${columns} FROM webhook_endpoints AS endpoint WHERE id = ${id}::uuid AND user_id = ${userId}::uuid`);
  return result.rows[0] as EndpointRow | undefined;
}

export interface SealedSecrets {
  /** In hex, as the other. */
  readonly sealedSecret: string;
  /** Null when there is none that still signs. */
  readonly sealedOldSecret: string | null;
}

/** What the columns of `SealedSecrets` are selected by, for a statement with a FROM item `endpoint`. */
export const secretColumns = (
  now: string,
): SQL => sql`encode(endpoint.sealed_secret, 'hex') AS "sealedSecret",
  CASE WHEN endpoint.old_secret_expires_at > ${now}::timestamptz THEN encode(endpoint.sealed_old_secret, 'hex') END
    AS "sealedOldSecret"`;

/** Where an endpoint of a user is, and what signs for it. */
export async function findTarget(
  db: Db,
  { id, userId }: EndpointKey,
  now: string,
): Promise<({ readonly url: string } & SealedSecrets) | undefined> {
  const result = await db.execute(sql`
    SELECT endpoint.url, ${secretColumns(now)}
    FROM webhook_endpoints AS endpoint WHERE id = ${id}::uuid AND user_id = ${userId}::uuid`);
  return result.rows[0] as ({ url: string } & SealedSecrets) | undefined;
}

/**
 * Writes an endpoint with its notice, unless the account is not active any more or has `max`. The user's row is locked first,
 * so that endpoints made at the same moment are counted. Undefined when it was not written.
 */
export async function insertEndpoint(
  ctx: WriteContext,
  endpoint: EndpointKey & {
    readonly url: string;
    readonly eventTypes: readonly string[];
    readonly description: string;
    /** In hex. */
    readonly sealedSecret: string;
    readonly now: string;
  },
  max: number,
  notice: OutboxEvent,
): Promise<EndpointRow | undefined> {
  const { primary } = ctx.databases;
  const now = sql`${endpoint.now}::timestamptz`;
  const audit = {
    action: 'webhook_endpoints.created',
    target: { kind: 'webhook_endpoint', id: endpoint.id },
    detail: { event_types: endpoint.eventTypes },
  };
  const [, result] = await atomic(primary, [
    primary.execute(lockUser(endpoint.userId)),
    primary.execute(sql`
      WITH endpoint AS (
        INSERT INTO webhook_endpoints (id, user_id, url, event_types, description, sealed_secret, created_at, updated_at)
        SELECT ${endpoint.id}::uuid, users.id, ${endpoint.url}, ${textArray(endpoint.eventTypes)}::text[],
          ${endpoint.description}, decode(${endpoint.sealedSecret}, 'hex'), ${now}, ${now}
        FROM users
        WHERE users.id = ${endpoint.userId}::uuid AND users.status = 'active'
          AND (SELECT count(*) FROM webhook_endpoints WHERE user_id = users.id) < ${max}
        RETURNING *
      ),
      told AS (${insertEventIfAny(notice, sql`endpoint`)}),
      audited AS (${insertAuditIfAny(ctx, audit, sql`endpoint`)})
      SELECT ${columns} FROM endpoint`),
  ]);
  return result.rows[0] as EndpointRow | undefined;
}

export interface EndpointChange {
  readonly url: string | undefined;
  readonly eventTypes: readonly string[] | undefined;
  readonly description: string | undefined;
  readonly enabled: boolean | undefined;
}

/** The body of a CTE that gives up what waits for the endpoint in the CTE `source`, if that is not enabled any more. */
export const giveUpWaiting = (source: SQL, now: string, except?: string): SQL => sql`
  UPDATE webhook_deliveries AS delivery
  SET state = 'failed', failure_reason = 'endpoint_disabled', due_at = NULL, finished_at = ${now}::timestamptz
  FROM ${source} AS source
  WHERE delivery.endpoint_id = source.id AND NOT source.enabled AND delivery.state = 'waiting'
    AND delivery.id IS DISTINCT FROM ${except ?? null}::uuid`;

/** Changes an endpoint of a user; undefined when there is none. What waits for one that is disabled is given up. */
export async function updateEndpoint(
  ctx: WriteContext,
  { id, userId }: EndpointKey,
  change: EndpointChange,
  now: string,
): Promise<EndpointRow | undefined> {
  const url = sql`${change.url ?? null}::text`;
  const enabled = sql`${change.enabled ?? null}::boolean`;
  const types = change.eventTypes === undefined ? null : textArray(change.eventTypes);
  const audit = {
    action: 'webhook_endpoints.updated',
    target: { kind: 'webhook_endpoint', id },
    detail: {
      changed: Object.entries(change).flatMap(([field, value]) => (value === undefined ? [] : [field])),
    },
  };
  const result = await ctx.databases.primary.execute(sql`
    WITH endpoint AS (
      UPDATE webhook_endpoints SET url = coalesce(${url}, url), event_types = coalesce(${types}::text[], event_types),
        description = coalesce(${change.description ?? null}::text, description),
        enabled = coalesce(${enabled}, enabled),
        disabled_reason = CASE ${enabled} WHEN true THEN NULL WHEN false THEN coalesce(disabled_reason, 'owner')
          ELSE disabled_reason END,
        disabled_at = CASE ${enabled} WHEN true THEN NULL WHEN false THEN coalesce(disabled_at, ${now}::timestamptz)
          ELSE disabled_at END,
        failing_since = CASE WHEN ${url} <> url OR (${enabled} AND NOT enabled) THEN NULL ELSE failing_since END,
        updated_at = ${now}::timestamptz
      WHERE id = ${id}::uuid AND user_id = ${userId}::uuid
      RETURNING *
    ),
    given_up AS (${giveUpWaiting(sql`endpoint`, now)}),
    audited AS (${insertAuditIfAny(ctx, audit, sql`endpoint`)})
    SELECT ${columns} FROM endpoint`);
  return result.rows[0] as EndpointRow | undefined;
}

/** Puts a new secret in the place of the one there is, which signs until `oldExpiresAt`; the one before that no more. */
export async function replaceSecret(
  ctx: WriteContext,
  { id, userId }: EndpointKey,
  secret: { readonly sealed: string; readonly oldExpiresAt: string | undefined; readonly now: string },
): Promise<EndpointRow | undefined> {
  const until = sql`${secret.oldExpiresAt ?? null}::timestamptz`;
  const audit = { action: 'webhook_endpoints.secret_rotated', target: { kind: 'webhook_endpoint', id } };
  const result = await ctx.databases.primary.execute(sql`
    WITH endpoint AS (
      UPDATE webhook_endpoints SET sealed_secret = decode(${secret.sealed}, 'hex'),
        sealed_old_secret = CASE WHEN ${until} IS NOT NULL THEN sealed_secret END, old_secret_expires_at = ${until},
        updated_at = ${secret.now}::timestamptz
      WHERE id = ${id}::uuid AND user_id = ${userId}::uuid
      RETURNING *
    ),
    audited AS (${insertAuditIfAny(ctx, audit, sql`endpoint`)})
    SELECT ${columns} FROM endpoint`);
  return result.rows[0] as EndpointRow | undefined;
}

/** Deletes an endpoint of a user with its log; false when there is none. */
export async function deleteEndpoint(ctx: WriteContext, { id, userId }: EndpointKey): Promise<boolean> {
  const audit = { action: 'webhook_endpoints.deleted', target: { kind: 'webhook_endpoint', id } };
  const result = await ctx.databases.primary.execute(sql`
    WITH deleted AS (
      DELETE FROM webhook_endpoints WHERE id = ${id}::uuid AND user_id = ${userId}::uuid RETURNING id
    ),
    audited AS (${insertAuditIfAny(ctx, audit, sql`deleted`)})
    SELECT id FROM deleted`);
  return result.rows.length > 0;
}

/** Forgets old secrets that sign no more. */
export async function forgetOldSecrets(db: Db, now: string): Promise<void> {
  await db.execute(sql`
    UPDATE webhook_endpoints SET sealed_old_secret = NULL, old_secret_expires_at = NULL
    WHERE old_secret_expires_at <= ${now}::timestamptz`);
}
