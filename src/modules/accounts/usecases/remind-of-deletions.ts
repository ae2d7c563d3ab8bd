import type { RequestContext } from '../../../context.ts';
import { newSecurityNotice } from '../../notices/index.ts';
import { listDeletionsToRemind, remindOnce } from '../deletions.repository.ts';

const atOnce = 100;
const dayMs = 86_400_000;

/**
 * Reminds owners of closed accounts by mail that the account is about to be erased, once for each deletion, however often it
 * runs. A grace that is no longer than the reminder has none: the notice of the request has just told the date.
 */
export async function remindOfDeletions(ctx: RequestContext): Promise<void> {
  const { primary } = ctx.databases;
  const days = ctx.config.accounts.deletionReminderDays;
  if (days === 0) return;
  const nowMs = ctx.clock.now();
  const times = {
    now: new Date(nowMs).toISOString(),
    until: new Date(nowMs + days * dayMs).toISOString(),
    days,
  };
  for (const { userId, due, reminderId } of await listDeletionsToRemind(primary, times, atOnce))
    await remindOnce(
      primary,
      reminderId,
      newSecurityNotice(ctx, { userId, notice: 'deletion_reminder', detail: { erased_on: due } }),
    );
}
