import type { RequestContext } from '../../../context.ts';
import { insertAudit } from '../../../db/audit.ts';
import { publishAfterResponse } from '../../../jobs/publish.ts';
import { type GivenCode, proveFactor } from '../../factors/index.ts';
import { newSecurityNotice } from '../../notices/index.ts';
import {
  accountSuspended,
  invalidCredentials,
  mfaCodeInvalid,
  secondFactorRequired,
} from '../auth.errors.ts';
import { findCredentials } from '../auth.repository.ts';
import { parseIdentifier } from '../policy/identifier.ts';
import { nameSubject, secondFactorCounts } from '../policy/throttles.ts';
import { findSealedSecret, reopenAccount } from '../reactivation.repository.ts';
import { failureOf } from '../reauthentication.repository.ts';
import { noteLogin } from './anomaly.ts';
import { chargePasswordAttempt } from './challenge.ts';
import { verifyPassword } from './hash-password.ts';
import { callerNetwork, chargeAttempt, judged } from './throttle.ts';

/**
 * Opens a closed account again and calls its deletion off, by password and, if the account has a second factor, a code. It
 * signs nobody in. Guesses are slowed down and answered as at login.
 * @returns whether a deletion was called off; false also for an account that is open already.
 * @throws auth.invalid_credentials, auth.second_factor_required, auth.mfa_code_invalid, auth.account_suspended,
 * auth.too_many_failures, auth.challenge_required, auth.challenge_failed, service.unavailable.
 */
export async function reactivate(
  ctx: RequestContext,
  input: {
    readonly identifier: string;
    readonly password: string;
    readonly given: GivenCode | undefined;
    readonly challengeResponse: string | undefined;
  },
): Promise<{ readonly deletionCancelled: boolean }> {
  const identifier = parseIdentifier(input.identifier);
  const network = await callerNetwork(ctx);
  const { primary } = ctx.databases;
  const found =
    identifier === undefined ? undefined : await findCredentials(primary, identifier, network.hash);
  const known = found?.status === 'deleted' ? undefined : found;
  const attempt = await chargePasswordAttempt(ctx, {
    account: nameSubject(input.identifier),
    network: network.hash,
    knownNetwork: known?.knownNetwork ?? false,
    challengeResponse: input.challengeResponse,
  });
  const check = await judged(attempt, () =>
    verifyPassword(ctx.config.auth, input.password, known?.passwordHash),
  );
  if (known === undefined || known.passwordHash === null || !check.matches) {
    noteLogin(ctx, 'failed');
    throw refused(ctx, known?.userId, known === undefined ? 'unknown_account' : 'wrong_password');
  }
  attempt.forgive();
  noteLogin(ctx, 'succeeded');
  const { userId, passwordHash } = known;
  const owesFactor = known.factors.length > 0;
  if (known.status === 'suspended') throw refused(ctx, userId, 'suspended', accountSuspended);
  if (known.status === 'active') {
    // Who tries whether a password is right must not be able to do so unseen.
    record(ctx, userId, 'active');
    return { deletionCancelled: false };
  }
  if (owesFactor && input.given === undefined) throw refused(ctx, userId, 'no_code', secondFactorRequired);
  if (!owesFactor && input.given !== undefined) throw refused(ctx, userId, 'wrong_method', mfaCodeInvalid);

  const charged = owesFactor
    ? await chargeAttempt(ctx, secondFactorCounts(userId, network.hash, known.knownNetwork))
    : undefined;
  const proof =
    input.given === undefined
      ? undefined
      : await proveFactor(ctx, userId, await findSealedSecret(primary, userId), input.given);
  if (owesFactor && proof === undefined) throw refused(ctx, userId, 'wrong_code', mfaCodeInvalid);
  const reopened = await completeReactivation(ctx, { userId, checkedHash: passwordHash, proof });
  if (reopened === undefined)
    throw refused(ctx, userId, 'used_code', proof === undefined ? invalidCredentials : mfaCodeInvalid);
  charged?.forgive();
  return reopened;
}

/** Opens a closed account by what was shown, and tells its owner; undefined as `reopenAccount` says. */
export async function completeReactivation(
  ctx: RequestContext,
  shown: Parameters<typeof reopenAccount>[1],
): Promise<{ readonly deletionCancelled: boolean } | undefined> {
  const { userId } = shown;
  const events = {
    reopened: newSecurityNotice(ctx, { userId, notice: 'account_reactivated' }),
    cancelled: newSecurityNotice(ctx, { userId, notice: 'deletion_cancelled' }),
  };
  const reopened = await reopenAccount(ctx, shown, events, new Date(ctx.clock.now()).toISOString());
  if (reopened === undefined) return undefined;
  ctx.log.log('info', 'auth.account_reactivated', { user_id: userId });
  publishAfterResponse(ctx, [reopened.deletionCancelled ? events.cancelled.id : events.reopened.id]);
  return reopened;
}

function refused(
  ctx: RequestContext,
  userId: string | undefined,
  reason: string,
  error: () => Error = invalidCredentials,
): Error {
  record(ctx, userId, reason);
  return error();
}

function record(ctx: RequestContext, userId: string | undefined, reason: string): void {
  ctx.log.log('warn', 'auth.reactivation_failed', { reason, user_id: userId });
  ctx.background(() =>
    insertAudit(
      ctx.databases.primary,
      ctx,
      userId === undefined
        ? { action: 'auth.reactivation', outcome: 'failure', detail: { reason } }
        : failureOf('auth.reactivation', userId, reason),
    ).execute(),
  );
}
