import { type SQL, sql } from 'drizzle-orm';
import type { RequestContext } from '../../context.ts';
import { insertAuditIfAny } from '../../db/audit.ts';
import { hex } from '../../shared/encoding.ts';

export interface StatedBirthDate {
  readonly active: boolean;
  /** Hexadecimal of the sealed date that stands now. */
  readonly sealed: string | null;
}

/** Keeps a birth date unless there is one already; says which stands. */
export async function stateBirthDate(
  ctx: RequestContext,
  userId: string,
  sealed: Uint8Array,
): Promise<StatedBirthDate> {
  const audit = { action: 'user.state_birth_date', target: { kind: 'user', id: userId } } as const;
  const result = await ctx.databases.primary.execute(sql`
    WITH made AS (
      INSERT INTO birth_dates (user_id, sealed_date)
      SELECT id, decode(${hex(sealed)}, 'hex') FROM users WHERE id = ${userId}::uuid AND status = 'active'
      ON CONFLICT (user_id) DO NOTHING RETURNING sealed_date
    ), audit AS (${insertAuditIfAny(ctx, audit, sql`made`)})
    SELECT EXISTS (SELECT FROM users WHERE id = ${userId}::uuid AND status = 'active') AS active,
      encode(coalesce((SELECT sealed_date FROM made),
        (SELECT sealed_date FROM birth_dates WHERE user_id = ${userId}::uuid)), 'hex') AS sealed`);
  return result.rows[0] as unknown as StatedBirthDate;
}

/** Whether somebody stated when they were born, over the id of their row. */
export const hasBirthDate = (userId: SQL): SQL =>
  sql`EXISTS (SELECT FROM birth_dates WHERE birth_dates.user_id = ${userId})`;

/** A statement that forgets when those in the CTE `users` were born. */
export const forgetBirthDate = (users: SQL): SQL =>
  sql`DELETE FROM birth_dates USING ${users} WHERE birth_dates.user_id = ${users}.id`;
