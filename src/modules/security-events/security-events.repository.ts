import { sql } from 'drizzle-orm';
import type { Db } from '../../db/client.ts';
import { textArray } from '../../db/outbox.ts';
import { apiKeys } from '../api-keys/index.ts';
import { shownActions } from './security-events.policy.ts';
import type { SecurityEventPosition } from './security-events.schemas.ts';

export interface SecurityEventRow {
  readonly id: string;
  /** RFC 3339 in UTC with microseconds. */
  readonly at: string;
  readonly action: string;
  readonly outcome: string;
  readonly actorKind: string;
  readonly actorId: string | null;
  readonly userAgent: string | null;
  readonly country: string | null;
}

/** Audit entries about a user or one of the user's API keys, latest first, after `before`. */
export async function listSecurityEvents(
  db: Db,
  userId: string,
  request: { readonly limit: number; readonly before: SecurityEventPosition | undefined },
): Promise<SecurityEventRow[]> {
  const { before, limit } = request;
  const wanted = sql`entry.action = ANY(${textArray(shownActions)}::text[])
    AND ${
      before === undefined
        ? sql`true`
        : sql`(entry.created_at, entry.id) < (${before.at}::timestamptz, ${before.id}::uuid)`
    }`;
  const order = sql`ORDER BY entry.created_at DESC, entry.id DESC LIMIT ${limit}::integer`;
  const result = await db.execute(sql`
    SELECT entry.id, to_char(entry.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at, entry.action,
      entry.outcome, entry.actor_kind AS "actorKind", entry.actor_id AS "actorId", entry.user_agent AS "userAgent",
      entry.country
    FROM (
      (SELECT entry.* FROM audit_log AS entry
       WHERE entry.target_kind = 'user' AND entry.target_id = ${userId}::text AND ${wanted} ${order})
      UNION ALL
      (SELECT entry.* FROM ${apiKeys} AS own JOIN audit_log AS entry
         ON entry.target_kind = 'api_key' AND entry.target_id = own.id::text
       WHERE own.user_id = ${userId}::uuid AND ${wanted} ${order})
    ) AS entry
    ${order}`);
  return result.rows as unknown as SecurityEventRow[];
}
