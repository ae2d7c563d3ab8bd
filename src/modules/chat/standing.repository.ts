import { type SQL, sql } from 'drizzle-orm';
import type { ChatRole, Standing } from '../../../durable-objects/chat-room/protocol.ts';
import type { RequestContext } from '../../context.ts';
import { insertAuditIfAny } from '../../db/audit.ts';
import type { Db } from '../../db/client.ts';
import {
  type ChannelChange,
  type ChatAction,
  changeChannel,
  insertAction,
  nextVersion,
  selectChange,
} from './actions.repository.ts';
import { standingColumns } from './channel.repository.ts';

/** Whose channel it is, and who acts. */
export interface By {
  readonly ownerId: string;
  readonly actorId: string;
}

/** Runs a change of one row in a channel, with the version it makes and the action, or nothing of it. */
function changing(ctx: RequestContext, by: By, changed: SQL, action: ChatAction, more = sql``): SQL {
  return sql`WITH changed AS (${changed}),
    channel AS (${nextVersion(by.ownerId, sql`changed`)}),
    acted AS (${insertAction(ctx, by, action)})${more}
    ${selectChange(by.ownerId)}`;
}

export interface NewBan {
  readonly userId: string;
  /** Null: for good. */
  readonly seconds: number | null;
  readonly reason: string;
  readonly streamId: string;
}

/** Keeps a ban, in place of an older one. @returns undefined when one that ends no earlier is in force. */
export function insertBan(ctx: RequestContext, by: By, ban: NewBan): Promise<ChannelChange | undefined> {
  const { userId, seconds, reason, streamId } = ban;
  const until = seconds === null ? sql`NULL::timestamptz` : sql`now() + make_interval(secs => ${seconds})`;
  const banned = sql`
    INSERT INTO chat_bans AS ban (owner_id, user_id, until, reason, banned_by)
    VALUES (${by.ownerId}::uuid, ${userId}::uuid, ${until}, ${reason}, ${by.actorId}::uuid)
    ON CONFLICT (owner_id, user_id) DO UPDATE SET until = excluded.until, reason = excluded.reason,
      banned_by = excluded.banned_by, banned_at = now()
    WHERE ban.until IS NOT NULL AND (ban.until < excluded.until OR excluded.until IS NULL)
    RETURNING user_id`;
  const kind = seconds === null ? 'ban' : 'timeout';
  const detail = seconds === null ? {} : { seconds };
  const audit = { action: 'chat.ban', target: { kind: 'user', id: userId } } as const;
  const statement = changing(
    ctx,
    by,
    banned,
    { kind, targetId: userId, reason, streamId, detail },
    sql`, audit AS (${insertAuditIfAny(ctx, audit, sql`changed`)})`,
  );
  return changeChannel(ctx.databases.primary, statement);
}

/** Lifts a ban; what its holder asked is answered by it. @returns undefined when nobody was banned. */
export function deleteBan(
  ctx: RequestContext,
  by: By,
  userId: string,
  streamId: string,
): Promise<ChannelChange | undefined> {
  const unbanned = sql`
    DELETE FROM chat_bans WHERE owner_id = ${by.ownerId}::uuid AND user_id = ${userId}::uuid RETURNING user_id`;
  const audit = { action: 'chat.unban', target: { kind: 'user', id: userId } } as const;
  const statement = changing(
    ctx,
    by,
    unbanned,
    { kind: 'unban', targetId: userId, streamId },
    sql`, audit AS (${insertAuditIfAny(ctx, audit, sql`changed`)}), answered AS (
      UPDATE chat_unban_requests AS asked SET state = 'approved', decided_by = ${by.actorId}::uuid, decided_at = now()
      FROM changed WHERE asked.owner_id = ${by.ownerId}::uuid AND asked.user_id = changed.user_id
        AND asked.state = 'pending')`,
  );
  return changeChannel(ctx.databases.primary, statement);
}

/** Warns somebody. @returns undefined when they have not acknowledged an earlier warning. */
export function insertWarning(
  ctx: RequestContext,
  by: By,
  warning: { readonly userId: string; readonly reason: string; readonly streamId: string },
): Promise<ChannelChange | undefined> {
  const { userId, reason, streamId } = warning;
  const warned = sql`
    INSERT INTO chat_warnings (id, owner_id, user_id, reason, warned_by)
    VALUES (${ctx.ids.next()}::uuid, ${by.ownerId}::uuid, ${userId}::uuid, ${reason}, ${by.actorId}::uuid)
    ON CONFLICT (owner_id, user_id) WHERE acknowledged_at IS NULL DO NOTHING RETURNING user_id`;
  const action = { kind: 'warn', targetId: userId, reason, streamId };
  return changeChannel(ctx.databases.primary, changing(ctx, by, warned, action));
}

/** The caller acknowledges a warning. @returns undefined when they have none. */
export function acknowledgeWarning(
  ctx: RequestContext,
  by: By,
  streamId: string,
): Promise<ChannelChange | undefined> {
  const acknowledged = sql`
    UPDATE chat_warnings SET acknowledged_at = now()
    WHERE owner_id = ${by.ownerId}::uuid AND user_id = ${by.actorId}::uuid AND acknowledged_at IS NULL
    RETURNING user_id`;
  const action = { kind: 'acknowledge', targetId: by.actorId, streamId };
  return changeChannel(ctx.databases.primary, changing(ctx, by, acknowledged, action));
}

/** Gives somebody a place in the chat of a channel. @returns undefined when there is no such active account. */
export function grantRole(
  ctx: RequestContext,
  by: By,
  userId: string,
  role: 'moderator' | 'vip',
): Promise<ChannelChange | undefined> {
  const granted = sql`
    INSERT INTO chat_roles (owner_id, user_id, role)
    SELECT ${by.ownerId}::uuid, id, ${role} FROM users WHERE id = ${userId}::uuid AND status = 'active'
    ON CONFLICT (owner_id, user_id) DO UPDATE SET role = excluded.role RETURNING user_id`;
  const audit = { action: 'chat.role_grant', target: { kind: 'user', id: userId } } as const;
  const statement = changing(
    ctx,
    by,
    granted,
    { kind: 'grant_role', targetId: userId, detail: { role } },
    sql`, audit AS (${insertAuditIfAny(ctx, audit, sql`changed`)})`,
  );
  return changeChannel(ctx.databases.primary, statement);
}

/** Takes a place in the chat back. @returns undefined when they have none. */
export function takeRole(ctx: RequestContext, by: By, userId: string): Promise<ChannelChange | undefined> {
  const taken = sql`
    DELETE FROM chat_roles WHERE owner_id = ${by.ownerId}::uuid AND user_id = ${userId}::uuid RETURNING user_id`;
  const audit = { action: 'chat.role_end', target: { kind: 'user', id: userId } } as const;
  const statement = changing(
    ctx,
    by,
    taken,
    { kind: 'take_role', targetId: userId },
    sql`, audit AS (${insertAuditIfAny(ctx, audit, sql`changed`)})`,
  );
  return changeChannel(ctx.databases.primary, statement);
}

export interface StandingRow {
  readonly role: ChatRole;
  readonly warning: string | null;
  readonly ban: { readonly untilMs: number | null; readonly reason: string } | null;
}

/** What somebody may do in the chat of a channel; undefined when there is no such active channel. */
export async function findStanding(
  db: Db,
  ownerId: string,
  userId: string,
): Promise<StandingRow | undefined> {
  const result = await db.execute(sql`
    SELECT ${standingColumns(sql`person.id`, sql`owner.id`)},
      (SELECT reason FROM chat_bans WHERE owner_id = owner.id AND user_id = person.id) AS "banReason"
    FROM users AS owner JOIN users AS person ON person.id = ${userId}::uuid
    WHERE owner.id = ${ownerId}::uuid AND owner.status = 'active'`);
  const [row] = result.rows as unknown as (Standing & { readonly banReason: string | null })[];
  if (row === undefined) return undefined;
  const { role, warning, ban, banReason } = row;
  return { role, warning, ban: ban === null ? null : { untilMs: ban.untilMs, reason: banReason ?? '' } };
}
