import type { RequestContext } from '../../../context.ts';
import { unauthenticated } from '../../../http/errors.ts';
import { requireSession } from '../../../http/viewer.ts';
import { publishAfterResponse } from '../../../jobs/publish.ts';
import { newSecurityNotice } from '../../notices/index.ts';
import { type AccountRow, isReservedUsername, usernameReserved } from '../../users/index.ts';
import { usernameChangedRecently } from '../accounts.errors.ts';
import { changeUsername } from '../accounts.repository.ts';

const dayMs = 86_400_000;

/**
 * Gives the caller another username, at most once in `USERNAME_CHANGE_DAYS`; another spelling of the same name at any time.
 * The old name answers 404 from then on and is kept for the caller for `USERNAME_RESERVATION_DAYS`.
 * @throws users.username_reserved, users.username_taken, accounts.username_changed_recently, auth.unauthenticated.
 */
export async function changeMyUsername(ctx: RequestContext, username: string): Promise<AccountRow> {
  const { userId } = requireSession(ctx);
  if (isReservedUsername(username)) throw usernameReserved();
  const { usernameChangeDays, usernameReservationDays } = ctx.config.accounts;
  const nowMs = ctx.clock.now();
  const notice = newSecurityNotice(ctx, { userId, notice: 'username_changed', detail: { username } });
  const outcome = await changeUsername(
    ctx,
    {
      userId,
      username,
      now: isoOf(nowMs),
      changedSince: isoOf(nowMs - usernameChangeDays * dayMs),
      reservedUntil: isoOf(nowMs + usernameReservationDays * dayMs),
    },
    notice,
  );
  if (outcome.kind === 'not_active') throw unauthenticated();
  if (outcome.kind === 'too_recent') {
    const waitMs = outcome.changedAtMs + usernameChangeDays * dayMs - nowMs;
    throw usernameChangedRecently({
      headers: { 'retry-after': String(Math.max(1, Math.ceil(waitMs / 1000))) },
    });
  }
  if (outcome.renamed) publishAfterResponse(ctx, [notice.id]);
  return outcome.account;
}

const isoOf = (unixMs: number): string => new Date(unixMs).toISOString();
