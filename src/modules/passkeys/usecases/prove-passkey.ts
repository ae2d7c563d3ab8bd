import type { RequestContext } from '../../../context.ts';
import { publishAfterResponse } from '../../../jobs/publish.ts';
import { base64Url, fromBase64Url, fromHex, hex } from '../../../shared/encoding.ts';
import type { PasskeyProof } from '../../factors/index.ts';
import { newSecurityNotice } from '../../notices/index.ts';
import { assertionInvalid } from '../passkeys.errors.ts';
import { isCloned } from '../passkeys.policy.ts';
import { type AnsweredChallenge, type CredentialRow, recordRefusal } from '../passkeys.repository.ts';
import { type AssertionJson, verifyAssertion } from '../webauthn.policy.ts';
import type { ReadChallenge } from './challenge-token.ts';

/** An answer to a challenge, as the client sends it. */
export interface GivenAssertion {
  readonly challengeToken: string;
  readonly credential: AssertionJson;
}

export type RefusalReason =
  | 'challenge_invalid'
  | 'unknown_passkey'
  | 'other_account'
  | 'assertion_invalid'
  | 'cloned'
  | 'used_challenge'
  | 'active'
  | 'suspended'
  | 'deactivated';

/** The id of a credential in hex; undefined when it is not base64url. */
export function credentialIdOf({ id }: AssertionJson): string | undefined {
  const bytes = fromBase64Url(id);
  return bytes === undefined ? undefined : hex(bytes);
}

/** WebAuthn's user handle of an account: the 16 bytes of its id, in base64url. */
export const userHandleOf = (userId: string): string => base64Url(fromHex(userId.replaceAll('-', '')));

/** Checks an assertion without using the challenge up; the statement that acts on it does that by `useFactorCte`. */
export async function provePasskey(
  ctx: Pick<RequestContext, 'config'>,
  passkey: CredentialRow,
  answered: ReadChallenge,
  credential: AssertionJson,
): Promise<PasskeyProof | Extract<RefusalReason, 'assertion_invalid' | 'other_account' | 'cloned'>> {
  const { userHandle } = credential.response;
  if (typeof userHandle === 'string' && userHandle !== userHandleOf(passkey.userId)) return 'other_account';
  const verified = await verifyAssertion(ctx.config.passkeys, answered.expected, credential, {
    publicKey: fromHex(passkey.publicKey),
    backupEligible: passkey.backupEligible,
  });
  if (verified === undefined) return 'assertion_invalid';
  if (isCloned(passkey.signCount, verified.signCount)) return 'cloned';
  return {
    kind: 'passkey',
    passkeyId: passkey.id,
    challenge: answered.challenge,
    challengeExpiresAt: answered.expiresAt,
    signCount: verified.signCount,
    backedUp: verified.backedUp,
  };
}

export interface Refusal {
  /** Of the audit entry. */
  readonly action:
    | 'auth.login'
    | 'auth.reactivation'
    | 'auth.second_factor'
    | 'auth.reauthentication'
    | 'passkeys.register';
  readonly reason: RefusalReason;
  /** Whose account it was about, if that is known. */
  readonly userId?: string | undefined;
  readonly passkey?: CredentialRow | undefined;
  readonly answered?: AnsweredChallenge | undefined;
}

/**
 * Records a refused answer, uses its challenge up and makes the error to throw. The owner is told of a copied authenticator:
 * its signature was right and its count was not.
 */
export function refuse(ctx: RequestContext, refusal: Refusal, error: () => Error = assertionInvalid): Error {
  const { action, reason, passkey, answered } = refusal;
  const userId = refusal.userId ?? passkey?.userId;
  ctx.log.log('warn', 'passkeys.refused', { reason, operation: action, user_id: userId });
  const notice =
    reason === 'cloned' && passkey !== undefined
      ? newSecurityNotice(ctx, {
          userId: passkey.userId,
          notice: 'passkey_cloned',
          detail: { name: passkey.name },
        })
      : undefined;
  ctx.background(async () => {
    await recordRefusal(ctx, { action, userId, reason, answered, notice });
    publishAfterResponse(ctx, notice === undefined ? [] : [notice.id]);
  });
  return error();
}
