import { type SQL, sql } from 'drizzle-orm';
import type { RequestContext } from '../../context.ts';
import { type AuditContext, insertAuditIfAny } from '../../db/audit.ts';
import { atomic, type Db } from '../../db/client.ts';
import { insertEventIfAny, type OutboxEvent, textArray } from '../../db/outbox.ts';
import { lockUser } from '../auth/index.ts';

type WriteContext = Pick<RequestContext, 'databases'> & AuditContext;

export interface ApiKeyRow {
  readonly id: string;
  readonly name: string;
  readonly hint: string;
  readonly scopes: string[];
  readonly networks: string[];
  /** RFC 3339 in UTC, as the other times. */
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly lastUsedAt: string | null;
  readonly lastUsedCountry: string | null;
}

export interface NewApiKey {
  readonly id: string;
  readonly userId: string;
  readonly name: string;
  /** SHA-256 in lower-case hex. */
  readonly keyHash: string;
  readonly hint: string;
  readonly scopes: readonly string[];
  readonly networks: readonly string[];
  readonly createdAt: string;
  readonly expiresAt: string;
}

const utc = (column: SQL): SQL => sql`to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

const columns = sql`id, name, hint, array_to_json(scopes) AS scopes, array_to_json(networks) AS networks,
  ${utc(sql`created_at`)} AS "createdAt", ${utc(sql`expires_at`)} AS "expiresAt",
  ${utc(sql`last_used_at`)} AS "lastUsedAt", last_used_country AS "lastUsedCountry"`;

const live = (userId: string, now: string): SQL =>
  sql`user_id = ${userId}::uuid AND revoked_at IS NULL AND expires_at > ${now}::timestamptz`;

/** The live keys of a user, the newest first. */
export async function listLiveKeys(db: Db, userId: string, now: string): Promise<ApiKeyRow[]> {
  const result = await db.execute(
    sql`SELECT ${columns} FROM api_keys WHERE ${live(userId, now)} ORDER BY id DESC`,
  );
  return result.rows as unknown as ApiKeyRow[];
}

// Kept for a while after their end, for questions about what they did.
const endedKeyRetentionDays = 90;

/**
 * Writes a key with its notice, unless the account is not active any more or has `max` live keys. The user's row is locked first,
 * so that keys made at the same moment are counted. Undefined when it was not written.
 */
export async function insertApiKey(
  ctx: WriteContext,
  key: NewApiKey,
  max: number,
  notice: OutboxEvent,
): Promise<ApiKeyRow | undefined> {
  const { primary } = ctx.databases;
  const now = sql`${key.createdAt}::timestamptz`;
  // How many networks, not which: they are addresses, and the log outlives the account.
  const audit = {
    action: 'api_keys.created',
    target: { kind: 'api_key', id: key.id },
    detail: { scopes: key.scopes, networks: key.networks.length, expires_at: key.expiresAt },
  };
  const [, result] = await atomic(primary, [
    primary.execute(lockUser(key.userId)),
    primary.execute(sql`
      WITH forgotten AS (
        DELETE FROM api_keys WHERE user_id = ${key.userId}::uuid
          AND least(revoked_at, expires_at) < ${now} - make_interval(days => ${endedKeyRetentionDays})
      ),
      created AS (
        INSERT INTO api_keys (id, user_id, name, key_hash, hint, scopes, networks, created_at, expires_at)
        SELECT ${key.id}::uuid, users.id, ${key.name}, decode(${key.keyHash}, 'hex'), ${key.hint},
          ${textArray(key.scopes)}::text[], ${textArray(key.networks)}::text[], ${now}, ${key.expiresAt}::timestamptz
        FROM users
        WHERE users.id = ${key.userId}::uuid AND users.status = 'active'
          AND (SELECT count(*) FROM api_keys WHERE ${live(key.userId, key.createdAt)}) < ${max}
        RETURNING *
      ),
      told AS (${insertEventIfAny(notice, sql`created`)}),
      audited AS (${insertAuditIfAny(ctx, audit, sql`created`)})
      SELECT ${columns} FROM created`),
  ]);
  return result.rows[0] as ApiKeyRow | undefined;
}

/** Names a live key of a user anew; undefined when there is no such key. */
export async function renameApiKey(
  ctx: WriteContext,
  key: { readonly id: string; readonly userId: string },
  name: string,
  now: string,
): Promise<ApiKeyRow | undefined> {
  const audit = { action: 'api_keys.renamed', target: { kind: 'api_key', id: key.id } };
  const result = await ctx.databases.primary.execute(sql`
    WITH renamed AS (
      UPDATE api_keys SET name = ${name} WHERE id = ${key.id}::uuid AND ${live(key.userId, now)} RETURNING *
    ),
    audited AS (${insertAuditIfAny(ctx, audit, sql`renamed`)})
    SELECT ${columns} FROM renamed`);
  return result.rows[0] as ApiKeyRow | undefined;
}

/** Ends a live key of a user; false when there is no such key. */
export async function revokeApiKey(
  ctx: WriteContext,
  key: { readonly id: string; readonly userId: string },
  now: string,
): Promise<boolean> {
  const audit = { action: 'api_keys.revoked', target: { kind: 'api_key', id: key.id } };
  const result = await ctx.databases.primary.execute(sql`
    WITH revoked AS (
      UPDATE api_keys SET revoked_at = ${now}::timestamptz, revoked_reason = 'owner'
      WHERE id = ${key.id}::uuid AND ${live(key.userId, now)} RETURNING id
    ),
    audited AS (${insertAuditIfAny(ctx, audit, sql`revoked`)})
    SELECT id FROM revoked`);
  return result.rows.length > 0;
}

/** The body of a CTE that ends every live key of the user in the CTE `owner` (column `id`), whose roles change. */
export const revokeKeysOf = (owner: SQL, now: string): SQL => sql`
  UPDATE api_keys SET revoked_at = ${now}::timestamptz, revoked_reason = 'roles_changed'
  FROM ${owner} AS owner
  WHERE api_keys.user_id = owner.id AND api_keys.revoked_at IS NULL AND api_keys.expires_at > ${now}::timestamptz
  RETURNING api_keys.id`;

/** How many live keys the user of `userId`, an expression of the statement, has. */
export const countLiveKeys = (userId: SQL, now: string): SQL => sql`
  (SELECT count(*)::int FROM api_keys
   WHERE user_id = ${userId} AND revoked_at IS NULL AND expires_at > ${now}::timestamptz)`;

export interface LiveKeyRow {
  readonly id: string;
  readonly userId: string;
  readonly scopes: string[];
  readonly networks: string[];
  /** Unix milliseconds. */
  readonly expiresAtMs: number;
  readonly lastUsedAtMs: number | null;
}

/** The live key with this hash whose account is active. */
export async function findLiveKey(db: Db, keyHash: string, now: string): Promise<LiveKeyRow | undefined> {
  const result = await db.execute(sql`
    SELECT key.id, key.user_id AS "userId", array_to_json(key.scopes) AS scopes, array_to_json(key.networks) AS networks,
      floor(extract(epoch FROM key.expires_at) * 1000)::float8 AS "expiresAtMs",
      floor(extract(epoch FROM key.last_used_at) * 1000)::float8 AS "lastUsedAtMs"
    FROM api_keys AS key JOIN users ON users.id = key.user_id
    WHERE key.key_hash = decode(${keyHash}, 'hex') AND key.revoked_at IS NULL AND key.expires_at > ${now}::timestamptz
      AND users.status = 'active'`);
  return result.rows[0] as LiveKeyRow | undefined;
}

/** Notes a use, at most once in `intervalSeconds` however many isolates try. */
export async function noteKeyUse(
  db: Db,
  keyId: string,
  use: { readonly at: string; readonly networkHash: string; readonly country: string | undefined },
  intervalSeconds: number,
): Promise<void> {
  await db.execute(sql`
    UPDATE api_keys SET last_used_at = ${use.at}::timestamptz, last_used_network = decode(${use.networkHash}, 'hex'),
      last_used_country = ${use.country ?? null}
    WHERE id = ${keyId}::uuid
      AND (last_used_at IS NULL OR last_used_at <= ${use.at}::timestamptz - make_interval(secs => ${intervalSeconds}))`);
}
