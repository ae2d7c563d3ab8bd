import type { RequestContext } from '../../../context.ts';
import { unauthenticated } from '../../../http/errors.ts';
import { disconnectUser } from '../../realtime/index.ts';
import { endSession } from '../auth.repository.ts';

/**
 * Ends the session of the caller's access token: its refresh tokens are dead at once and its open sockets are closed.
 * Repeating it does no harm.
 */
export async function logout(ctx: RequestContext): Promise<void> {
  const { actor } = ctx;
  if (actor.kind !== 'user') throw unauthenticated();
  const now = new Date(ctx.clock.now()).toISOString();
  await endSession(ctx, { id: actor.sessionId, userId: actor.userId }, 'logout', now);
  ctx.background(() => disconnectUser(ctx, actor.userId, actor.sessionId));
}
