import type { RequestContext } from '../../../context.ts';
import { newEvent } from '../../../db/outbox.ts';
import { unauthenticated } from '../../../http/errors.ts';
import { requireSession } from '../../../http/viewer.ts';
import type { MessageOf } from '../../../jobs/messages.ts';
import { publishAfterResponse } from '../../../jobs/publish.ts';
import { endAllAccess } from '../../auth/index.ts';
import { newSecurityNotice } from '../../notices/index.ts';
import { forgetVideoPages } from '../../videos/index.ts';
import { administratorStays, noWayBack } from '../accounts.errors.ts';
import { closeAccount, hasStraySessions } from '../accounts.repository.ts';

const dayMs = 86_400_000;

/**
 * Closes the caller's account: nobody finds it or what it published any more, and every session ends. Logging in is refused
 * until `POST /v1/auth/reactivate`; nothing is lost.
 * @throws auth.unauthenticated when it is closed already; accounts.administrator_stays, accounts.no_way_back.
 */
export const deactivateMyAccount = (ctx: RequestContext): Promise<void> => close(ctx, undefined);

/**
 * Closes the caller's account and has it erased after `ACCOUNT_DELETION_GRACE_DAYS`, unless it is reactivated before.
 * @returns RFC 3339 of the moment after which it cannot be saved.
 * @throws auth.unauthenticated when it is closed already; accounts.administrator_stays.
 */
export async function requestMyDeletion(ctx: RequestContext): Promise<string> {
  const dueAt = new Date(ctx.clock.now() + ctx.config.accounts.deletionGraceDays * dayMs).toISOString();
  await close(ctx, dueAt);
  return dueAt;
}

async function close(ctx: RequestContext, deletionDueAt: string | undefined): Promise<void> {
  const { userId, scopes } = requireSession(ctx);
  // The last one could not be replaced.
  if (scopes.includes('admin')) throw administratorStays();
  const closed = newEvent(ctx, 'account.closed', { user_id: userId });
  const notice = newSecurityNotice(ctx, {
    userId,
    ...(deletionDueAt === undefined
      ? { notice: 'account_deactivated' }
      : { notice: 'deletion_requested', detail: { due: deletionDueAt.slice(0, 10) } }),
  });
  const now = new Date(ctx.clock.now()).toISOString();
  const outcome = await closeAccount(ctx, { userId, now, deletionDueAt }, { closed, notice });
  if (outcome === 'not_open') throw unauthenticated();
  if (outcome === 'no_way_back') throw noWayBack();
  ctx.apiKeys.forget();
  // What this cannot reach is done by the event.
  await endAllAccess(ctx, { userId, reason: deletionDueAt === undefined ? 'disabled' : 'deleted' });
  await forgetVideoPages(ctx, userId);
  publishAfterResponse(ctx, [closed.id, notice.id]);
}

/** Ends the access a crash left behind when the account was closed. */
export async function finishClosing(
  ctx: RequestContext,
  { data }: MessageOf<'account.closed'>,
): Promise<void> {
  if (await hasStraySessions(ctx.databases.primary, data.user_id))
    await endAllAccess(ctx, { userId: data.user_id, reason: 'disabled' });
}
