import type { RequestContext } from '../../../context.ts';
import { unauthenticated } from '../../../http/errors.ts';
import { listOpenSessions, type SessionRow } from '../sessions.repository.ts';

/** The caller's open sessions, the one used last first. */
export async function listMySessions(
  ctx: RequestContext,
): Promise<{ readonly sessions: readonly SessionRow[]; readonly currentId: string }> {
  if (ctx.actor.kind !== 'user') throw unauthenticated();
  const { userId, sessionId } = ctx.actor;
  const now = new Date(ctx.clock.now()).toISOString();
  return { sessions: await listOpenSessions(ctx.readDb, userId, now), currentId: sessionId };
}
