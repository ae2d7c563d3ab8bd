import { dayOf } from '../../../../durable-objects/view-counter/protocol.ts';
import type { RequestContext } from '../../../context.ts';
import { randomBytes } from '../../../shared/crypto.ts';
import { hex } from '../../../shared/encoding.ts';
import { dropSalts, makeSalts } from '../sessions.repository.ts';

const dayMs = 86_400_000;
const daysAhead = 2;
const newSalt = (): string => hex(randomBytes(32));

/** Makes the salts of today and the next days, and deletes those of days that are over. */
export async function rotateViewSalts(ctx: RequestContext): Promise<void> {
  const nowMs = ctx.clock.now();
  const days = Array.from({ length: daysAhead + 1 }, (_, ahead) => dayOf(nowMs + ahead * dayMs));
  await makeSalts(
    ctx.databases.primary,
    days.map((day) => ({ day, salt: newSalt() })),
  );
  const dropped = await dropSalts(ctx.databases.primary, dayOf(nowMs));
  ctx.log.log('info', 'views.salts_rotated', { dropped });
}

/** The salt of a day for which the cron has not made one yet, or that a replica has not heard of. */
export async function saltOf(ctx: RequestContext, day: string): Promise<string> {
  const salts = await makeSalts(ctx.databases.primary, [{ day, salt: newSalt() }]);
  const salt = salts.get(day);
  if (salt === undefined) throw new Error('a salt that was just made is gone');
  return salt;
}
