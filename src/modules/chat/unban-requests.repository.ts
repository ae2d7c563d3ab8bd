import { sql } from 'drizzle-orm';
import type { RequestContext } from '../../context.ts';
import type { Db } from '../../db/client.ts';
import { type UserSummaryRow, userSummaryJson } from '../users/index.ts';
import {
  type ChannelChange,
  changeChannel,
  insertAction,
  nextVersion,
  selectChange,
} from './actions.repository.ts';
import type { By } from './standing.repository.ts';

export type UnbanState = 'pending' | 'approved' | 'denied';

export interface UnbanRequestRow {
  readonly id: string;
  readonly text: string;
  readonly state: UnbanState;
  readonly note: string;
  readonly createdAt: string;
  readonly decidedAt: string | null;
}

const utc = (column: string) =>
  sql`to_char(${sql.identifier(column)} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
const columns = sql`id, text, state, note, ${utc('created_at')} AS "createdAt", ${utc('decided_at')} AS "decidedAt"`;

/** Asks to be unbanned, once for each ban. */
export async function insertUnbanRequest(
  ctx: RequestContext,
  ownerId: string,
  userId: string,
  text: string,
): Promise<UnbanRequestRow | 'not_banned' | 'asked'> {
  const result = await ctx.databases.primary.execute(sql`
    WITH ban AS (
      SELECT banned_at FROM chat_bans WHERE owner_id = ${ownerId}::uuid AND user_id = ${userId}::uuid
        AND (until IS NULL OR until > now())
    ), asked AS (
      INSERT INTO chat_unban_requests (id, owner_id, user_id, banned_at, text)
      SELECT ${ctx.ids.next()}::uuid, ${ownerId}::uuid, ${userId}::uuid, banned_at, ${text} FROM ban
      ON CONFLICT DO NOTHING RETURNING *
    )
    SELECT EXISTS (SELECT FROM ban) AS "isBanned", made.* FROM (SELECT) AS one
      LEFT JOIN (SELECT ${columns} FROM asked) AS made ON true`);
  const row = result.rows[0] as unknown as { readonly isBanned: boolean } & (
    | UnbanRequestRow
    | { readonly id: null }
  );
  if (!row.isBanned) return 'not_banned';
  const { isBanned: _, ...request } = row;
  return request.id === null ? 'asked' : request;
}

/** A page of what people asked in a channel, newest first. */
export async function listUnbanRequests(
  db: Db,
  query: {
    readonly ownerId: string;
    readonly state: UnbanState;
    readonly before: string | undefined;
    readonly limit: number;
  },
): Promise<(UnbanRequestRow & { readonly user: UserSummaryRow })[]> {
  const older = query.before === undefined ? sql`true` : sql`id < ${query.before}::uuid`;
  const result = await db.execute(sql`
    SELECT asked.*, ${userSummaryJson('person')} AS user FROM (
      SELECT ${columns}, user_id FROM chat_unban_requests
      WHERE owner_id = ${query.ownerId}::uuid AND state = ${query.state} AND ${older}
      ORDER BY id DESC LIMIT ${query.limit}
    ) AS asked JOIN users AS person ON person.id = asked.user_id
    ORDER BY asked.id DESC`);
  return result.rows as unknown as (UnbanRequestRow & { readonly user: UserSummaryRow })[];
}

/** Answers a request once; approved, the ban is lifted with it. @returns undefined when it does not wait for an answer. */
export async function decideUnbanRequest(
  ctx: RequestContext,
  by: By,
  decision: { readonly id: string; readonly state: 'approved' | 'denied'; readonly note: string },
): Promise<(ChannelChange & { readonly userId: string }) | undefined> {
  const { id, state, note } = decision;
  const kind = state === 'approved' ? 'approve_unban' : 'deny_unban';
  const change = await changeChannel(
    ctx.databases.primary,
    sql`WITH decided AS (
      UPDATE chat_unban_requests SET state = ${state}, note = ${note}, decided_by = ${by.actorId}::uuid, decided_at = now()
      WHERE id = ${id}::uuid AND owner_id = ${by.ownerId}::uuid AND state = 'pending' RETURNING user_id
    ), unbanned AS (
      DELETE FROM chat_bans AS ban USING decided
      WHERE ${state} = 'approved' AND ban.owner_id = ${by.ownerId}::uuid AND ban.user_id = decided.user_id
    ), channel AS (${nextVersion(by.ownerId, sql`decided`)}),
    acted AS (${insertAction(ctx, by, { kind, targetId: sql`(SELECT user_id FROM decided)`, reason: note })})
    SELECT change.*, (SELECT user_id FROM decided) AS "userId" FROM (${selectChange(by.ownerId)}) AS change`,
  );
  return change as (ChannelChange & { readonly userId: string }) | undefined;
}

/** Whether a channel has been asked this. */
export async function hasUnbanRequest(db: Db, ownerId: string, id: string): Promise<boolean> {
  const result = await db.execute(
    sql`SELECT 1 FROM chat_unban_requests WHERE id = ${id}::uuid AND owner_id = ${ownerId}::uuid`,
  );
  return result.rows.length > 0;
}

/** What somebody last asked in a channel. */
export async function findUnbanRequest(
  db: Db,
  ownerId: string,
  userId: string,
): Promise<UnbanRequestRow | undefined> {
  const result = await db.execute(sql`
    SELECT ${columns} FROM chat_unban_requests
    WHERE owner_id = ${ownerId}::uuid AND user_id = ${userId}::uuid ORDER BY id DESC LIMIT 1`);
  return result.rows[0] as unknown as UnbanRequestRow | undefined;
}
