import type { RequestContext } from '../../../context.ts';
import { requireSession } from '../../../http/viewer.ts';
import {
  accountDeactivated,
  accountSuspended,
  announceSession,
  beginReauthentication,
  type ChargedAttempt,
  callerNetwork,
  chargeAttempt,
  completeLogin,
  completeReactivation,
  completeStepUp,
  judged,
  loginCounts,
  prepareSession,
  readMfaToken,
  type SteppedUp,
  type TokenPair,
  takeOwedLogin,
} from '../../auth/index.ts';
import type { PasskeyProof } from '../../factors/index.ts';
import type { AccountRow } from '../../users/index.ts';
import { passkeyNotFound } from '../passkeys.errors.ts';
import { keyMethod } from '../passkeys.policy.ts';
import {
  type CredentialRow,
  type DescriptorRow,
  findCredential,
  findOwner,
  insertSessionByPasskey,
} from '../passkeys.repository.ts';
import {
  type IssuedChallenge,
  issueChallenge,
  type Purpose,
  type ReadChallenge,
  readChallenge,
} from './challenge-token.ts';
import { credentialIdOf, type GivenAssertion, provePasskey, refuse } from './prove-passkey.ts';

interface SignedIn {
  readonly account: AccountRow;
  readonly tokens: TokenPair;
}

export interface AssertionRequest extends IssuedChallenge {
  /** Empty: any passkey of this service that the authenticator offers. */
  readonly credentials: readonly DescriptorRow[];
}

/** A challenge for whoever asks: the same whether or not anybody has a passkey. */
export const startLogin = async (ctx: RequestContext): Promise<AssertionRequest> => ({
  ...(await issueChallenge(ctx, { kind: 'login' })),
  credentials: [],
});

/**
 * Opens a session by a passkey alone. The authenticator verified the user, so it counts as two factors. Failures slow down
 * further ones as those of passwords do, and only who has the passkey learns that the account is suspended or deactivated.
 * @throws passkeys.assertion_invalid, auth.account_suspended, auth.account_deactivated, auth.too_many_failures,
 * service.unavailable.
 */
export async function loginByPasskey(ctx: RequestContext, given: GivenAssertion): Promise<SignedIn> {
  const action = 'auth.login';
  const { passkey, answered, attempt, proof } = await proveAny(ctx, given, action);
  if (passkey.status === 'suspended' || passkey.status === 'deactivated') {
    attempt.forgive();
    const error = passkey.status === 'suspended' ? accountSuspended : accountDeactivated;
    throw refuse(ctx, { action, reason: passkey.status, passkey, answered }, error);
  }
  const session = await prepareSession(ctx, [keyMethod(passkey), 'user', 'mfa']);
  const { maxSessionsPerUser } = ctx.config.auth;
  const opened = await insertSessionByPasskey(ctx, passkey.userId, proof, session, maxSessionsPerUser);
  if (opened === undefined) throw refuse(ctx, { action, reason: 'used_challenge', passkey });
  attempt.forgive();
  return announceSession(ctx, opened, session);
}

/**
 * Opens a closed account again by a passkey alone, and calls its deletion off. It signs nobody in. Takes the answer to a
 * challenge of `startLogin`, and slows failures down as a login does.
 * @returns whether a deletion was called off; false also for an account that is open already.
 * @throws passkeys.assertion_invalid, auth.account_suspended, auth.too_many_failures, service.unavailable.
 */
export async function reactivateByPasskey(
  ctx: RequestContext,
  given: GivenAssertion,
): Promise<{ readonly deletionCancelled: boolean }> {
  const action = 'auth.reactivation';
  const { passkey, answered, attempt, proof } = await proveAny(ctx, given, action);
  if (passkey.status === 'suspended' || passkey.status === 'active') {
    attempt.forgive();
    const refused = refuse(ctx, { action, reason: passkey.status, passkey, answered }, accountSuspended);
    if (passkey.status === 'active') return { deletionCancelled: false };
    throw refused;
  }
  const shown = { userId: passkey.userId, checkedHash: undefined, proof };
  const reopened = await completeReactivation(ctx, shown);
  if (reopened === undefined) throw refuse(ctx, { action, reason: 'used_challenge', passkey });
  attempt.forgive();
  return reopened;
}

/** Charges an attempt and checks the answer to a challenge of `startLogin` by a passkey of whichever account. */
async function proveAny(
  ctx: RequestContext,
  given: GivenAssertion,
  action: 'auth.login' | 'auth.reactivation',
): Promise<{
  readonly passkey: CredentialRow;
  readonly answered: ReadChallenge;
  readonly attempt: ChargedAttempt;
  readonly proof: PasskeyProof;
}> {
  const answered = await readChallenge(ctx, given.challengeToken, { kind: 'login' });
  const credentialId = credentialIdOf(given.credential);
  if (answered === undefined || credentialId === undefined)
    throw refuse(ctx, { action, reason: 'challenge_invalid', answered });
  const network = await callerNetwork(ctx);
  const found = await findCredential(ctx.databases.primary, credentialId, network.hash);
  const passkey = found?.status === 'deleted' ? undefined : found;
  const subject = passkey?.userId ?? `passkey:${credentialId}`;
  const attempt = await chargeAttempt(
    ctx,
    loginCounts(subject, network.hash, passkey?.knownNetwork ?? false),
  );
  if (passkey === undefined) throw refuse(ctx, { action, reason: 'unknown_passkey', answered });
  // Only a passkey that the authenticator itself found for this account may stand for it (WebAuthn L3 §7.2, step 6).
  if (typeof given.credential.response.userHandle !== 'string')
    throw refuse(ctx, { action, reason: 'other_account', passkey, answered });
  const proof = await judged(attempt, () => provePasskey(ctx, passkey, answered, given.credential));
  if (typeof proof === 'string') throw refuse(ctx, { action, reason: proof, passkey, answered });
  return { passkey, answered, attempt, proof };
}

/**
 * A challenge for the passkeys of an account whose login owes a second factor.
 * @throws auth.mfa_token_invalid, passkeys.not_found when it has none.
 */
export async function startSecondFactor(ctx: RequestContext, mfaToken: string): Promise<AssertionRequest> {
  const { userId, challengeId } = await readMfaToken(ctx, mfaToken);
  const credentials = await credentialsOf(ctx, userId);
  return {
    ...(await issueChallenge(ctx, { kind: 'second_factor', userId, loginId: challengeId })),
    credentials,
  };
}

/**
 * Finishes a login by a passkey in place of a code.
 * @throws auth.mfa_token_invalid, passkeys.assertion_invalid, auth.too_many_failures, service.unavailable.
 */
export async function finishLoginByPasskey(
  ctx: RequestContext,
  given: GivenAssertion & { readonly mfaToken: string },
): Promise<SignedIn> {
  const action = 'auth.second_factor';
  const owed = await takeOwedLogin(ctx, given.mfaToken);
  const { userId, id: loginId } = owed.challenge;
  const purpose = { kind: 'second_factor', userId, loginId } as const;
  const { passkey, proof } = await proveOwn(ctx, given, action, purpose, owed.charged);
  const signedIn = await completeLogin(ctx, owed, proof, ['pwd', keyMethod(passkey)]);
  if (signedIn === undefined) throw refuse(ctx, { action, reason: 'used_challenge', passkey });
  return signedIn;
}

/**
 * A challenge for the caller's passkeys, for routes that want a recent login.
 * @throws passkeys.not_found when there are none.
 */
export async function startStepUp(ctx: RequestContext): Promise<AssertionRequest> {
  const { userId, sessionId } = requireSession(ctx);
  const credentials = await credentialsOf(ctx, userId);
  return { ...(await issueChallenge(ctx, { kind: 'step_up', userId, sessionId })), credentials };
}

/**
 * Authenticates the caller again by a passkey. The session stays; its new access token carries the new time and methods.
 * @throws passkeys.assertion_invalid, auth.too_many_failures, auth.unauthenticated when the session is over.
 */
export async function stepUpByPasskey(ctx: RequestContext, given: GivenAssertion): Promise<SteppedUp> {
  const action = 'auth.reauthentication';
  const { actor, attempt, nowSeconds } = await beginReauthentication(ctx);
  const { userId, sessionId } = actor;
  const purpose = { kind: 'step_up', userId, sessionId } as const;
  const { passkey, proof } = await proveOwn(ctx, given, action, purpose, attempt);
  const access = await completeStepUp(ctx, {
    actor,
    nowSeconds,
    attempt,
    checkedHash: undefined,
    proof,
    amr: [keyMethod(passkey)],
  });
  if (access === undefined) throw refuse(ctx, { action, reason: 'used_challenge', passkey });
  return access;
}

// A passkey of the user the challenge was given to; that of anybody else proves nothing here.
async function proveOwn(
  ctx: RequestContext,
  given: GivenAssertion,
  action: 'auth.second_factor' | 'auth.reauthentication',
  purpose: Extract<Purpose, { readonly userId: string }>,
  attempt: ChargedAttempt,
): Promise<{ readonly passkey: CredentialRow; readonly proof: PasskeyProof }> {
  const { userId } = purpose;
  const answered = await readChallenge(ctx, given.challengeToken, purpose);
  const credentialId = credentialIdOf(given.credential);
  if (answered === undefined || credentialId === undefined)
    throw refuse(ctx, { action, reason: 'challenge_invalid', userId, answered });
  const { hash } = await callerNetwork(ctx);
  const passkey = await judged(attempt, () => findCredential(ctx.databases.primary, credentialId, hash));
  if (passkey === undefined) throw refuse(ctx, { action, reason: 'unknown_passkey', userId, answered });
  if (passkey.userId !== userId) throw refuse(ctx, { action, reason: 'other_account', userId, answered });
  const proof = await judged(attempt, () => provePasskey(ctx, passkey, answered, given.credential));
  if (typeof proof === 'string') throw refuse(ctx, { action, reason: proof, passkey, answered });
  return { passkey, proof };
}

async function credentialsOf(ctx: RequestContext, userId: string): Promise<readonly DescriptorRow[]> {
  const owner = await findOwner(ctx.databases.primary, userId);
  if (owner === undefined || owner.credentials.length === 0) throw passkeyNotFound();
  return owner.credentials;
}
