import type { RequestContext } from '../../../context.ts';
import { unavailable } from '../../../http/errors.ts';
import { endAccess } from '../../../http/session-guard.ts';
import { requireSession } from '../../../http/viewer.ts';
import { sessionNotFound } from '../auth.errors.ts';
import type { EndReason } from '../auth.events.ts';
import { endSession, endSessionsOfUser } from '../sessions.repository.ts';
import { announceEnd, refusalOf } from './announce-end.ts';

/**
 * Ends the session of the caller's access token: its refresh tokens are dead at once and its open sockets are closed.
 * Repeating it does no harm.
 * @throws service.unavailable when the session ended but its access tokens may live on for a while; it may be repeated.
 */
export async function logout(ctx: RequestContext): Promise<void> {
  const { userId, sessionId } = requireSession(ctx);
  const endedAt = nowOf(ctx);
  const ended = await endSession(ctx, { id: sessionId, userId }, 'logout', endedAt);
  const taken =
    ended === undefined
      ? await endAccess(ctx, userId, refusalOf(ctx, { sessionIds: [sessionId], epoch: undefined, endedAt }))
      : await announceEnd(ctx, ended);
  if (!taken) throw notEverywhereYet();
}

/**
 * Ends every session of the caller, this one too.
 * @throws service.unavailable when the sessions ended but access tokens may live on for a while.
 */
export async function logoutEverywhere(ctx: RequestContext): Promise<void> {
  const { userId } = requireSession(ctx);
  if (!(await endAllAccess(ctx, { userId, reason: 'logout_all' }))) throw notEverywhereYet();
}

/**
 * Ends one session of the caller.
 * @throws sessions.not_found when the caller has no such open session; service.unavailable as above.
 */
export async function endMySession(ctx: RequestContext, sessionId: string): Promise<void> {
  const { userId } = requireSession(ctx);
  const ended = await endSession(ctx, { id: sessionId, userId }, 'logout', nowOf(ctx));
  if (ended === undefined) throw sessionNotFound();
  if (!(await announceEnd(ctx, ended))) throw notEverywhereYet();
}

/**
 * Ends all access of a user, or with `keepSessionId` all but one session: for logout everywhere, password changes, suspension,
 * deactivation and administrators. It does not change the account; do that first, so that no login comes in between.
 * @returns whether the user's guard took it. If not, the event written with it will bring it there.
 */
export async function endAllAccess(
  ctx: RequestContext,
  target: {
    readonly userId: string;
    readonly reason: Extract<
      EndReason,
      'logout_all' | 'password_change' | 'password_reset' | 'disabled' | 'deleted' | 'admin'
    >;
    readonly keepSessionId?: string;
  },
): Promise<boolean> {
  const { userId, reason, keepSessionId } = target;
  const ended = await endSessionsOfUser(ctx, { userId, keepSessionId }, reason, nowOf(ctx));
  return ended === undefined || announceEnd(ctx, ended);
}

const nowOf = (ctx: RequestContext): string => new Date(ctx.clock.now()).toISOString();

const notEverywhereYet = () => unavailable({ headers: { 'retry-after': '5' } });
