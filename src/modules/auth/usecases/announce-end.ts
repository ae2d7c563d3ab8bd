import type { RequestContext } from '../../../context.ts';
import { endAccess } from '../../../http/session-guard.ts';
import { publishAfterResponse } from '../../../jobs/publish.ts';
import { disconnectUser } from '../../realtime/index.ts';
import type { EndedAccess } from '../sessions.repository.ts';

// Beyond the life of a token: clocks of isolates differ, and a refresh on its way may have signed one a moment later.
const graceSeconds = 60;

/**
 * Tells the user's guard that access ended, which was written before, and closes the sockets after the response. What fails
 * here is done by the event that was written with it.
 * @returns whether the guard took it.
 */
export async function announceEnd(ctx: RequestContext, ended: EndedAccess): Promise<boolean> {
  const taken = await endAccess(ctx, ended.userId, refusalOf(ctx, ended));
  ctx.background(() => disconnect(ctx, ended));
  publishAfterResponse(ctx, [ended.eventId]);
  return taken;
}

/** What the guard must refuse, and for how long: until the last token signed before the end has expired. */
export const refusalOf = (
  ctx: Pick<RequestContext, 'config'>,
  { sessionIds, epoch, endedAt }: Pick<EndedAccess, 'sessionIds' | 'epoch' | 'endedAt'>,
) => ({
  // An epoch covers every session.
  sessionIds: epoch === undefined ? sessionIds : [],
  ...(epoch === undefined ? {} : { epoch }),
  untilMs: Date.parse(endedAt) + (ctx.config.auth.accessTokenTtlSeconds + graceSeconds) * 1000,
});

/** Closes the sockets of what ended. */
export async function disconnect(
  ctx: Pick<RequestContext, 'bindings' | 'log'>,
  { userId, sessionIds, epoch }: Pick<EndedAccess, 'userId' | 'sessionIds' | 'epoch'>,
): Promise<void> {
  if (epoch !== undefined) await disconnectUser(ctx, userId);
  else for (const sessionId of sessionIds) await disconnectUser(ctx, userId, sessionId);
}
