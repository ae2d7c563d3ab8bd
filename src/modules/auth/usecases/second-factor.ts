import type { RequestContext } from '../../../context.ts';
import { insertAudit } from '../../../db/audit.ts';
import { type GivenCode, proveFactor } from '../../factors/index.ts';
import type { AccountRow } from '../../users/index.ts';
import { mfaCodeInvalid, mfaTokenInvalid } from '../auth.errors.ts';
import type { TokenPair } from '../auth.views.ts';
import { secondFactorCounts } from '../policy/throttles.ts';
import { failureOf, insertSessionByFactor, takeChallengeAttempt } from '../reauthentication.repository.ts';
import { verifyMfaToken } from './mfa-token.ts';
import { announceSession, prepareSession } from './open-session.ts';
import { callerNetwork, chargeAttempt } from './throttle.ts';

/**
 * Finishes a login that owed a second factor. The token works for one login, five attempts and the network it was given to;
 * each code works once.
 * @throws auth.mfa_token_invalid, auth.mfa_code_invalid, auth.too_many_failures, service.unavailable.
 */
export async function finishLogin(
  ctx: RequestContext,
  input: { readonly mfaToken: string; readonly given: GivenCode },
): Promise<{ readonly account: AccountRow; readonly tokens: TokenPair }> {
  const nowMs = ctx.clock.now();
  const network = await callerNetwork(ctx);
  const grant = await verifyMfaToken(ctx.config.auth, input.mfaToken, nowMs);
  if (grant === undefined) throw mfaTokenInvalid();
  if (grant.networkHash !== network.hash) throw refused(ctx, grant.userId, 'other_network', mfaTokenInvalid);
  const challenge = { id: grant.challengeId, userId: grant.userId };
  const now = new Date(nowMs).toISOString();
  const attempt = await takeChallengeAttempt(ctx.databases.primary, challenge, network.hash, now);
  if (attempt === undefined) throw refused(ctx, grant.userId, 'challenge_over', mfaTokenInvalid);
  const charged = await chargeAttempt(
    ctx,
    secondFactorCounts(grant.userId, network.hash, attempt.knownNetwork),
  );
  const proof = await proveFactor(ctx, grant.userId, attempt.sealedSecret ?? undefined, input.given);
  if (proof === undefined) throw refused(ctx, grant.userId, 'wrong_code', mfaCodeInvalid);
  const session = await prepareSession(ctx, ['pwd', 'otp']);
  const { maxSessionsPerUser } = ctx.config.auth;
  const opened = await insertSessionByFactor(ctx, challenge, proof, session, maxSessionsPerUser);
  if (opened === undefined) throw refused(ctx, grant.userId, 'used_code', mfaCodeInvalid);
  charged.forgive();
  return announceSession(ctx, opened, session);
}

function refused(ctx: RequestContext, userId: string, reason: string, error: () => Error): Error {
  ctx.log.log('warn', 'auth.second_factor_failed', { reason, user_id: userId });
  ctx.background(() =>
    insertAudit(ctx.databases.primary, ctx, failureOf('auth.second_factor', userId, reason)).execute(),
  );
  return error();
}
