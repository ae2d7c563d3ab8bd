import { sql } from 'drizzle-orm';
import type { RequestContext } from '../../context.ts';
import { insertAuditIfAny } from '../../db/audit.ts';

/** Makes an account that of a program, with its rate; again changes the rate. @returns false when there is no such account. */
export async function saveBot(
  ctx: RequestContext,
  actorId: string,
  userId: string,
  messages: number,
): Promise<boolean> {
  const audit = {
    action: 'chat.bot_verify',
    as: 'admin',
    target: { kind: 'user', id: userId },
    detail: { messages },
  } as const;
  const result = await ctx.databases.primary.execute(sql`
    WITH saved AS (
      INSERT INTO chat_bots (user_id, messages, verified_by)
      SELECT id, ${messages}, ${actorId}::uuid FROM users WHERE id = ${userId}::uuid AND status = 'active'
      ON CONFLICT (user_id) DO UPDATE SET messages = excluded.messages, verified_by = excluded.verified_by,
        verified_at = now()
      RETURNING user_id
    ), audit AS (${insertAuditIfAny(ctx, audit, sql`saved`)})
    SELECT 1 FROM saved`);
  return result.rows.length > 0;
}

/** @returns false when there is no such account. */
export async function deleteBot(ctx: RequestContext, userId: string): Promise<boolean> {
  const audit = { action: 'chat.bot_end', as: 'admin', target: { kind: 'user', id: userId } } as const;
  const result = await ctx.databases.primary.execute(sql`
    WITH ended AS (DELETE FROM chat_bots WHERE user_id = ${userId}::uuid RETURNING user_id),
    audit AS (${insertAuditIfAny(ctx, audit, sql`ended`)})
    SELECT 1 FROM users WHERE id = ${userId}::uuid`);
  return result.rows.length > 0;
}
