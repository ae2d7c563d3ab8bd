import type { RequestContext } from '../../../context.ts';
import { type FactorKind, usableFactors } from '../../factors/index.ts';
import { type Admission, insertAdmittedSession } from '../auth.repository.ts';
import { insertChallengeOf } from '../reauthentication.repository.ts';
import type { LoginResult } from './login.ts';
import { mfaTokenSeconds, signMfaToken } from './mfa-token.ts';
import { announceSession, isoOf, prepareSession } from './open-session.ts';
import { callerNetwork } from './throttle.ts';

/**
 * Logs a user in who proved themselves without a password: opens the session, or asks for the second factor the account has.
 * `method` (RFC 8176) is what they did; `admission` must refuse accounts that are not active, and, where `factors` is empty,
 * those that have a factor by now. Undefined when it admitted nobody.
 */
export async function admit(
  ctx: RequestContext,
  admission: Admission,
  { factors, method }: { readonly factors: readonly FactorKind[]; readonly method: string },
): Promise<LoginResult | undefined> {
  const { userId } = admission;
  if (factors.length === 0) {
    const session = await prepareSession(ctx, [method]);
    const opened = await insertAdmittedSession(ctx, admission, session, ctx.config.auth.maxSessionsPerUser);
    return opened === undefined
      ? undefined
      : { kind: 'signed_in', ...(await announceSession(ctx, opened, session)) };
  }
  const nowSeconds = Math.floor(ctx.clock.now() / 1000);
  const challengeId = ctx.ids.next();
  const owed = { userId, ctes: admission.ctes, firstFactor: method };
  const asked = await insertChallengeOf(ctx, owed, {
    id: challengeId,
    now: isoOf(nowSeconds),
    expiresAt: isoOf(nowSeconds + mfaTokenSeconds),
  });
  if (!asked) return undefined;
  const { hash: networkHash } = await callerNetwork(ctx);
  return {
    kind: 'mfa_required',
    mfaToken: await signMfaToken(ctx.config.auth, { challengeId, userId, networkHash }, nowSeconds),
    expiresInSeconds: mfaTokenSeconds,
    factors: usableFactors(ctx, factors),
  };
}
