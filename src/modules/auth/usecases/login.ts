import type { RequestContext } from '../../../context.ts';
import { insertAudit } from '../../../db/audit.ts';
import { type FactorKind, usableFactors } from '../../factors/index.ts';
import type { AccountRow } from '../../users/index.ts';
import { accountDeactivated, accountSuspended, invalidCredentials } from '../auth.errors.ts';
import {
  type CredentialsRow,
  findCredentials,
  insertSession,
  type PasswordHashes,
} from '../auth.repository.ts';
import type { TokenPair } from '../auth.views.ts';
import { parseIdentifier } from '../policy/identifier.ts';
import { nameSubject } from '../policy/throttles.ts';
import { insertChallenge } from '../reauthentication.repository.ts';
import { noteLogin } from './anomaly.ts';
import { chargePasswordAttempt } from './challenge.ts';
import { hashPassword, verifyPassword } from './hash-password.ts';
import { mfaTokenSeconds, signMfaToken } from './mfa-token.ts';
import { announceSession, isoOf, prepareSession } from './open-session.ts';
import { callerNetwork, judged } from './throttle.ts';

export interface Credentials {
  /** A username, or a verified e-mail address. */
  readonly identifier: string;
  readonly password: string;
  /** The answer to a challenge, where one is asked for. */
  readonly challengeResponse?: string | undefined;
}

/** A session was opened, or a second factor is owed before one is. */
export type LoginResult =
  | { readonly kind: 'signed_in'; readonly account: AccountRow; readonly tokens: TokenPair }
  | {
      readonly kind: 'mfa_required';
      readonly mfaToken: string;
      readonly expiresInSeconds: number;
      readonly factors: readonly FactorKind[];
    };

/**
 * Opens a session by password, or asks for the second factor of an account that has one. A wrong password and an unknown
 * account get the same answer for the same work; only who knows the password learns that an account is suspended or
 * deactivated. Failures slow down further ones from networks the account was never logged into from.
 * @throws auth.invalid_credentials, auth.account_suspended, auth.account_deactivated, auth.too_many_failures,
 * auth.challenge_required, auth.challenge_failed, service.unavailable.
 */
export async function login(ctx: RequestContext, input: Credentials): Promise<LoginResult> {
  const identifier = parseIdentifier(input.identifier);
  const network = await callerNetwork(ctx);
  const found =
    identifier === undefined
      ? undefined
      : await findCredentials(ctx.databases.primary, identifier, network.hash);
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
    recordFailure(ctx, known, known === undefined ? 'unknown_account' : 'wrong_password');
    throw invalidCredentials();
  }
  attempt.forgive();
  noteLogin(ctx, 'succeeded');
  if (known.status !== 'active') {
    recordFailure(ctx, known, known.status);
    throw known.status === 'suspended' ? accountSuspended() : accountDeactivated();
  }
  const newHash = check.outdated ? await hashPassword(ctx.config.auth, input.password) : undefined;
  const hashes = { checkedHash: known.passwordHash, newHash };
  const result =
    known.factors.length > 0
      ? await askSecondFactor(ctx, known, hashes, network.hash)
      : await openSession(ctx, known.userId, hashes);
  if (result === undefined) {
    recordFailure(ctx, known, 'changed_meanwhile');
    throw invalidCredentials();
  }
  return result;
}

async function openSession(
  ctx: RequestContext,
  userId: string,
  hashes: PasswordHashes,
): Promise<LoginResult | undefined> {
  const session = await prepareSession(ctx, ['pwd']);
  const opened = await insertSession(ctx, userId, hashes, session, ctx.config.auth.maxSessionsPerUser);
  return opened === undefined
    ? undefined
    : { kind: 'signed_in', ...(await announceSession(ctx, opened, session)) };
}

async function askSecondFactor(
  ctx: RequestContext,
  { userId, factors }: Pick<CredentialsRow, 'userId' | 'factors'>,
  hashes: PasswordHashes,
  networkHash: string,
): Promise<LoginResult | undefined> {
  const nowSeconds = Math.floor(ctx.clock.now() / 1000);
  const challengeId = ctx.ids.next();
  const asked = await insertChallenge(ctx, userId, hashes, {
    id: challengeId,
    now: isoOf(nowSeconds),
    expiresAt: isoOf(nowSeconds + mfaTokenSeconds),
  });
  if (!asked) return undefined;
  return {
    kind: 'mfa_required',
    mfaToken: await signMfaToken(ctx.config.auth, { challengeId, userId, networkHash }, nowSeconds),
    expiresInSeconds: mfaTokenSeconds,
    factors: usableFactors(ctx, factors),
  };
}

// After the response and for every failure alike, so that time tells nothing. What was typed is never kept: people type
// passwords into the wrong field.
function recordFailure(ctx: RequestContext, account: CredentialsRow | undefined, reason: string): void {
  ctx.log.log('warn', 'auth.login_failed', { reason, user_id: account?.userId });
  ctx.background(() =>
    insertAudit(ctx.databases.primary, ctx, {
      action: 'auth.login',
      outcome: 'failure',
      detail: { reason },
      ...(account === undefined ? {} : { target: { kind: 'user', id: account.userId } }),
    }).execute(),
  );
}
