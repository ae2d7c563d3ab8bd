import type { Actor, RequestContext } from '../../../context.ts';
import { insertAudit } from '../../../db/audit.ts';
import { unauthenticated } from '../../../http/errors.ts';
import { requireSession } from '../../../http/viewer.ts';
import {
  type FactorProof,
  type GivenCode,
  methodOf,
  proveFactor,
  type SentCode,
  sendSmsCode,
} from '../../factors/index.ts';
import { mfaCodeInvalid, passwordWrong, secondFactorRequired } from '../auth.errors.ts';
import {
  failureOf,
  findReauthentication,
  type ReauthenticationRow,
  stepUpSession,
} from '../reauthentication.repository.ts';
import { signAccessToken } from './access-tokens.ts';
import { verifyPassword } from './hash-password.ts';
import { isoOf } from './open-session.ts';
import { type ChargedAttempt, chargeAttempt, judged } from './throttle.ts';

type UserActor = Extract<Actor, { kind: 'user' }>;

export interface StepUp {
  readonly password: string | undefined;
  readonly given: GivenCode | undefined;
}

/**
 * Authenticates the caller again, for routes that need it: by a code where the account has a second factor, else by the
 * password. Everything given must be right. The session stays; its new access token carries the new time and methods.
 * @throws auth.second_factor_required, auth.password_wrong, auth.mfa_code_invalid, auth.too_many_failures,
 * auth.unauthenticated when the session is over.
 */
export async function stepUp(ctx: RequestContext, input: StepUp): Promise<SteppedUp> {
  const { actor, account, attempt, nowSeconds } = await beginReauthentication(ctx);
  const hasFactor = account.secondFactor;
  if (hasFactor && input.given === undefined) {
    attempt.forgive();
    throw secondFactorRequired();
  }
  if (!hasFactor && (input.password === undefined || input.given !== undefined))
    throw refuseReauthentication(
      ctx,
      actor,
      'wrong_method',
      input.password === undefined ? passwordWrong : mfaCodeInvalid,
    );
  if (input.password !== undefined) await checkPassword(ctx, actor, account, attempt, input.password);
  const proof =
    input.given === undefined
      ? undefined
      : await proveFactor(ctx, actor.userId, account.sealedSecret ?? undefined, input.given, {
          purpose: 'step_up',
          id: actor.sessionId,
        });
  if (input.given !== undefined && proof === undefined)
    throw refuseReauthentication(ctx, actor, 'wrong_code', mfaCodeInvalid);
  const access = await completeStepUp(ctx, {
    actor,
    nowSeconds,
    attempt,
    checkedHash: input.password === undefined ? undefined : (account.passwordHash ?? undefined),
    proof,
    amr: [
      ...(input.password === undefined ? [] : ['pwd']),
      ...(input.given === undefined ? [] : [methodOf(input.given)]),
    ],
  });
  if (access === undefined) throw refuseReauthentication(ctx, actor, 'used_code', mfaCodeInvalid);
  return access;
}

/**
 * Sends the caller a code by SMS to step up with; it is good for this session only.
 * @throws those of `sendSmsCode`.
 */
export async function sendStepUpCode(ctx: RequestContext): Promise<SentCode> {
  const { userId, sessionId } = requireSession(ctx);
  return sendSmsCode(ctx, userId, { purpose: 'step_up', id: sessionId });
}

export interface SteppedUp {
  readonly accessToken: string;
  readonly expiresInSeconds: number;
}

/**
 * Makes the caller's session freshly authenticated by what was shown, and signs its new access token. Undefined when a proof
 * was used before, the password or the factors changed meanwhile, or the session is over.
 */
export async function completeStepUp(
  ctx: RequestContext,
  shown: {
    readonly actor: UserActor;
    readonly nowSeconds: number;
    readonly attempt: ChargedAttempt;
    readonly checkedHash: string | undefined;
    readonly proof: FactorProof | undefined;
    /** RFC 8176. */
    readonly amr: readonly string[];
  },
): Promise<SteppedUp | undefined> {
  const { actor, nowSeconds } = shown;
  const stepped = await stepUpSession(ctx, actor, shown, isoOf(nowSeconds));
  if (stepped === undefined) return undefined;
  shown.attempt.forgive();
  const access = await signAccessToken(
    ctx.config.auth,
    {
      userId: actor.userId,
      sessionId: actor.sessionId,
      epoch: stepped.tokenEpoch,
      scopes: stepped.roles,
      amr: stepped.amr,
      authTime: nowSeconds,
      sessionExpiresAt: stepped.sessionExpiresAt,
    },
    nowSeconds,
  );
  return { accessToken: access.token, expiresInSeconds: access.expiresInSeconds };
}

/** Charges an attempt of the caller's session and reads what it is checked against. */
export async function beginReauthentication(ctx: RequestContext): Promise<{
  readonly actor: UserActor;
  readonly account: ReauthenticationRow;
  readonly attempt: ChargedAttempt;
  readonly nowSeconds: number;
}> {
  const actor = requireSession(ctx);
  const nowSeconds = Math.floor(ctx.clock.now() / 1000);
  const account = await findReauthentication(ctx.databases.primary, actor, isoOf(nowSeconds));
  if (account === undefined) throw unauthenticated();
  const attempt = await chargeAttempt(ctx, [{ throttle: 'reauthentication', subject: actor.sessionId }]);
  return { actor, account, attempt, nowSeconds };
}

/**
 * Compares the password of a signed-in caller.
 * @throws auth.password_wrong.
 */
export async function checkPassword(
  ctx: RequestContext,
  actor: UserActor,
  account: ReauthenticationRow,
  attempt: ChargedAttempt,
  password: string,
): Promise<void> {
  const check = await judged(attempt, () => verifyPassword(ctx.config.auth, password, account.passwordHash));
  if (!check.matches) throw refuseReauthentication(ctx, actor, 'wrong_password', passwordWrong);
}

/** Records a refused attempt of a signed-in caller and makes the error to throw. */
export function refuseReauthentication(
  ctx: RequestContext,
  actor: UserActor,
  reason: string,
  error: () => Error,
): Error {
  ctx.log.log('warn', 'auth.reauthentication_failed', { reason, user_id: actor.userId });
  ctx.background(() =>
    insertAudit(
      ctx.databases.primary,
      ctx,
      failureOf('auth.reauthentication', actor.userId, reason),
    ).execute(),
  );
  return error();
}
