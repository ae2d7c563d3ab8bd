import type { RequestContext } from '../../../context.ts';
import { requireSession } from '../../../http/viewer.ts';
import { listOpenSessions, type SessionRow } from '../sessions.repository.ts';

/** The caller's open sessions, the one used last first. */
export async function listMySessions(
  ctx: RequestContext,
): Promise<{ readonly sessions: readonly SessionRow[]; readonly currentId: string }> {
  const { userId, sessionId } = requireSession(ctx);
  const now = new Date(ctx.clock.now()).toISOString();
  return { sessions: await listOpenSessions(ctx.readDb, userId, now), currentId: sessionId };
}
