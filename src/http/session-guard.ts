import type {
  AccessEnd,
  GuardState,
  SessionGuard,
} from '../../durable-objects/session-guard/session-guard.ts';
import type { RequestContext, TokenHolder } from '../context.ts';
import { withinDeadline } from '../shared/deadline.ts';
import { callDurableObject } from '../shared/durable-object-call.ts';
import { invalidToken } from './authenticate.ts';
import { unavailable } from './errors.ts';
import { createGuardLeases } from './session-guard/leases.ts';

type GuardScope = Pick<RequestContext, 'bindings' | 'clock' | 'log'>;

/** What a token says of its session. */
export type SessionToken = Pick<TokenHolder, 'userId' | 'sessionId' | 'epoch' | 'issuedAt'>;

const deadlineMs = 1_500;
/** While a guard cannot be reached, tokens older than this are refused: a refresh, which asks the database, gives a younger one. */
const trustedAgeSeconds = 300;

const leases = createGuardLeases();

/**
 * Refuses a token whose session has ended. Costs no hop while this isolate holds a lease, else one to the user's guard;
 * where `sensitive`, always one.
 * @throws auth.unauthenticated; service.unavailable when the guard cannot be reached and the route is sensitive or the token
 * is not fresh.
 */
export async function assertSessionLive(
  ctx: GuardScope,
  holder: SessionToken,
  { sensitive }: { readonly sensitive: boolean },
): Promise<void> {
  const askedAtMs = ctx.clock.now();
  let verdict = leases.decide(holder, askedAtMs);
  if (verdict === 'unknown' || (verdict === 'live' && sensitive)) {
    const state = await callGuard(ctx, holder.userId, (guard) => guard.read());
    if (state === undefined) return decideWithoutGuard(ctx, holder, sensitive);
    leases.note(holder.userId, state, askedAtMs);
    verdict = leases.decide(holder, askedAtMs);
  }
  if (verdict === 'ended') throw invalidToken();
}

/**
 * Ends access by tokens that have not expired: in this isolate at once, for sensitive routes everywhere when this returns,
 * for others within the lease.
 * @returns whether the guard took it. If not, it must be told again: the end of a session is also an event.
 */
export async function endAccess(ctx: GuardScope, userId: string, end: AccessEnd): Promise<boolean> {
  const { sessionIds, epoch = 0, untilMs } = end;
  leases.noteEnd(userId, { epoch, ended: sessionIds.map((sessionId) => ({ sessionId, untilMs })) });
  const state = await callGuard(ctx, userId, (guard) => guard.end(end));
  return state !== undefined;
}

function decideWithoutGuard(ctx: GuardScope, holder: SessionToken, sensitive: boolean): void {
  const ageSeconds = ctx.clock.now() / 1000 - holder.issuedAt;
  if (sensitive || ageSeconds > trustedAgeSeconds) throw unavailable({ headers: { 'retry-after': '5' } });
}

async function callGuard(
  ctx: GuardScope,
  userId: string,
  call: (guard: DurableObjectStub<SessionGuard>) => Promise<GuardState>,
): Promise<GuardState | undefined> {
  let reason: unknown = new Error('no answer in time');
  const answer = await withinDeadline(
    (async () => callDurableObject(ctx.bindings.SESSION_GUARD, `user:${userId}`, call, 2))().catch(
      (error: unknown) => {
        reason = error;
        return undefined;
      },
    ),
    deadlineMs,
  );
  if (answer === undefined)
    ctx.log.log('error', 'session_guard.unreachable', {
      error_name: reason instanceof Error ? reason.name : 'unknown',
    });
  return answer;
}
