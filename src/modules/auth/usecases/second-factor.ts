import type { RequestContext } from '../../../context.ts';
import { insertAudit } from '../../../db/audit.ts';
import {
  type FactorProof,
  type GivenCode,
  methodOf,
  proveFactor,
  type SentCode,
  sendSmsCode,
} from '../../factors/index.ts';
import type { AccountRow } from '../../users/index.ts';
import { mfaCodeInvalid, mfaTokenInvalid } from '../auth.errors.ts';
import type { TokenPair } from '../auth.views.ts';
import { secondFactorCounts } from '../policy/throttles.ts';
import {
  failureOf,
  insertSessionByFactor,
  isChallengeOpen,
  takeChallengeAttempt,
} from '../reauthentication.repository.ts';
import { type MfaGrant, verifyMfaToken } from './mfa-token.ts';
import { announceSession, prepareSession } from './open-session.ts';
import { type ChargedAttempt, callerNetwork, chargeAttempt } from './throttle.ts';

/** A login that owes its second factor, with an attempt at it charged. */
export interface OwedLogin {
  readonly challenge: { readonly id: string; readonly userId: string };
  /** In hex; null when there is no authenticator app. */
  readonly sealedSecret: string | null;
  /** The method (RFC 8176) that came before. */
  readonly firstFactor: string;
  readonly charged: ChargedAttempt;
}

interface SignedIn {
  readonly account: AccountRow;
  readonly tokens: TokenPair;
}

/**
 * Finishes a login that owed a second factor, by a code. The token works for one login, five attempts and the network it was
 * given to; each code works once.
 * @throws auth.mfa_token_invalid, auth.mfa_code_invalid, auth.too_many_failures, service.unavailable.
 */
export async function finishLogin(
  ctx: RequestContext,
  input: { readonly mfaToken: string; readonly given: GivenCode },
): Promise<SignedIn> {
  const owed = await takeOwedLogin(ctx, input.mfaToken);
  const { userId } = owed.challenge;
  const binding = { purpose: 'login', id: owed.challenge.id } as const;
  const proof = await proveFactor(ctx, userId, owed.sealedSecret ?? undefined, input.given, binding);
  if (proof === undefined) throw refuseFactor(ctx, userId, 'wrong_code', mfaCodeInvalid);
  const signedIn = await completeLogin(ctx, owed, proof, ['pwd', methodOf(input.given)]);
  if (signedIn === undefined) throw refuseFactor(ctx, userId, 'used_code', mfaCodeInvalid);
  return signedIn;
}

/**
 * Sends a code by SMS for a login that owes its second factor; the code is good for that login only.
 * @throws auth.mfa_token_invalid, factors.sms_not_offered, factors.sms_not_set_up, factors.sms_limited, factors.phone_refused,
 * service.unavailable.
 */
export async function sendLoginCode(ctx: RequestContext, mfaToken: string): Promise<SentCode> {
  const { userId, challengeId } = await readMfaToken(ctx, mfaToken);
  const challenge = { id: challengeId, userId };
  const now = new Date(ctx.clock.now()).toISOString();
  if (!(await isChallengeOpen(ctx.databases.primary, challenge, now)))
    throw refuseFactor(ctx, userId, 'challenge_over', mfaTokenInvalid);
  return sendSmsCode(ctx, userId, { purpose: 'login', id: challengeId });
}

/**
 * What an `mfa_token` stands for, if it is shown from the network it was given to.
 * @throws auth.mfa_token_invalid.
 */
export async function readMfaToken(ctx: RequestContext, mfaToken: string): Promise<MfaGrant> {
  const network = await callerNetwork(ctx);
  const grant = await verifyMfaToken(ctx.config.auth, mfaToken, ctx.clock.now());
  if (grant === undefined) throw mfaTokenInvalid();
  if (grant.networkHash !== network.hash)
    throw refuseFactor(ctx, grant.userId, 'other_network', mfaTokenInvalid);
  return grant;
}

/**
 * Takes one of the attempts of a login that owes its second factor, and charges it as if it failed.
 * @throws auth.mfa_token_invalid, auth.too_many_failures, service.unavailable.
 */
export async function takeOwedLogin(ctx: RequestContext, mfaToken: string): Promise<OwedLogin> {
  const { userId, challengeId, networkHash } = await readMfaToken(ctx, mfaToken);
  const challenge = { id: challengeId, userId };
  const now = new Date(ctx.clock.now()).toISOString();
  const attempt = await takeChallengeAttempt(ctx.databases.primary, challenge, networkHash, now);
  if (attempt === undefined) throw refuseFactor(ctx, userId, 'challenge_over', mfaTokenInvalid);
  const charged = await chargeAttempt(ctx, secondFactorCounts(userId, networkHash, attempt.knownNetwork));
  return { challenge, sealedSecret: attempt.sealedSecret, firstFactor: attempt.firstFactor, charged };
}

/** Opens the session of a login whose second factor was proven; undefined when the proof was used before. */
export async function completeLogin(
  ctx: RequestContext,
  { challenge, firstFactor, charged }: OwedLogin,
  proof: FactorProof,
  amr: readonly string[],
): Promise<SignedIn | undefined> {
  // Whoever came from a provider typed no password.
  const methods = amr.map((method) => (method === 'pwd' ? firstFactor : method));
  const session = await prepareSession(ctx, methods);
  const { maxSessionsPerUser } = ctx.config.auth;
  const opened = await insertSessionByFactor(ctx, challenge, proof, session, maxSessionsPerUser);
  if (opened === undefined) return undefined;
  charged.forgive();
  return announceSession(ctx, opened, session);
}

/** Records a refused attempt at a second factor and makes the error to throw. */
export function refuseFactor(ctx: RequestContext, userId: string, reason: string, error: () => Error): Error {
  ctx.log.log('warn', 'auth.second_factor_failed', { reason, user_id: userId });
  ctx.background(() =>
    insertAudit(ctx.databases.primary, ctx, failureOf('auth.second_factor', userId, reason)).execute(),
  );
  return error();
}
