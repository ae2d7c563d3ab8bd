import type { RequestContext } from '../../../context.ts';
import { unauthenticated } from '../../../http/errors.ts';
import { requireSession } from '../../../http/viewer.ts';
import { publishAfterResponse } from '../../../jobs/publish.ts';
import { fromBase64Url, hex } from '../../../shared/encoding.ts';
import { newBackupCodes } from '../../factors/index.ts';
import { newSecurityNotice } from '../../notices/index.ts';
import {
  alreadyRegistered,
  lastWayIn,
  passkeyNotFound,
  registrationInvalid,
  tooManyPasskeys,
} from '../passkeys.errors.ts';
import { defaultName, maxPasskeys } from '../passkeys.policy.ts';
import {
  deletePasskey,
  findOwner,
  insertPasskey,
  listPasskeys,
  type OwnerRow,
  type PasskeyRow,
  renamePasskey,
} from '../passkeys.repository.ts';
import { type RegistrationJson, verifyRegistration } from '../webauthn.policy.ts';
import { type IssuedChallenge, issueChallenge, readChallenge } from './challenge-token.ts';
import { refuse, userHandleOf } from './prove-passkey.ts';

/** The caller's passkeys, the newest first. */
export const listMyPasskeys = (ctx: RequestContext): Promise<readonly PasskeyRow[]> =>
  listPasskeys(ctx.databases.primary, requireSession(ctx).userId);

export interface RegistrationRequest extends IssuedChallenge {
  readonly userHandle: string;
  readonly owner: OwnerRow;
}

/**
 * A challenge for a new passkey of the caller, bound to the session.
 * @throws passkeys.too_many, auth.unauthenticated when the account is no longer active.
 */
export async function startRegistration(ctx: RequestContext): Promise<RegistrationRequest> {
  const { userId, sessionId } = requireSession(ctx);
  const owner = await findOwner(ctx.databases.primary, userId);
  if (owner === undefined) throw unauthenticated();
  if (owner.credentials.length >= maxPasskeys) throw tooManyPasskeys();
  const issued = await issueChallenge(ctx, { kind: 'registration', userId, sessionId });
  return { ...issued, userHandle: userHandleOf(userId), owner };
}

/**
 * Registers the passkey that answered a challenge. The first second factor of an account comes with backup codes, which are
 * never shown again.
 * @throws passkeys.registration_invalid, passkeys.already_registered, passkeys.too_many.
 */
export async function registerPasskey(
  ctx: RequestContext,
  input: {
    readonly challengeToken: string;
    readonly credential: RegistrationJson;
    readonly name: string | undefined;
  },
): Promise<{ readonly passkey: PasskeyRow; readonly backupCodes: readonly string[] | undefined }> {
  const action = 'passkeys.register';
  const { userId, sessionId } = requireSession(ctx);
  const purpose = { kind: 'registration', userId, sessionId } as const;
  const answered = await readChallenge(ctx, input.challengeToken, purpose);
  if (answered === undefined)
    throw refuse(ctx, { action, reason: 'challenge_invalid', userId }, registrationInvalid);
  const created = await verifyRegistration(ctx.config.passkeys, answered.expected, input.credential);
  const credentialId = created === undefined ? undefined : fromBase64Url(created.credentialId);
  if (created === undefined || credentialId === undefined)
    throw refuse(ctx, { action, reason: 'assertion_invalid', userId, answered }, registrationInvalid);
  const name = input.name ?? defaultName(created.backupEligible);
  const notice = newSecurityNotice(ctx, {
    userId,
    notice: 'factor_added',
    detail: { factor: 'passkey' },
  });
  const { codes, hashes } = await newBackupCodes();
  const result = await insertPasskey(
    ctx,
    {
      ...created,
      id: ctx.ids.next(),
      userId,
      credentialId: hex(credentialId),
      publicKey: hex(created.publicKey),
      transports: input.credential.response.transports ?? [],
      name,
      createdAt: new Date(ctx.clock.now()).toISOString(),
    },
    answered,
    hashes,
    notice,
    maxPasskeys,
  );
  switch (result.kind) {
    case 'registered':
      publishAfterResponse(ctx, [notice.id]);
      ctx.log.log('info', 'passkeys.registered', { user_id: userId });
      return { passkey: result.passkey, backupCodes: result.firstFactor ? codes : undefined };
    case 'already_registered':
      throw alreadyRegistered();
    case 'too_many':
      throw tooManyPasskeys();
    default:
      throw refuse(ctx, { action, reason: 'used_challenge', userId }, registrationInvalid);
  }
}

/**
 * Gives one of the caller's passkeys another name.
 * @throws passkeys.not_found.
 */
export async function renameMyPasskey(
  ctx: RequestContext,
  passkeyId: string,
  name: string,
): Promise<PasskeyRow> {
  const renamed = await renamePasskey(ctx, { id: passkeyId, userId: requireSession(ctx).userId }, name);
  if (renamed === undefined) throw passkeyNotFound();
  return renamed;
}

/**
 * Removes one of the caller's passkeys, unless nobody could sign in afterwards.
 * @throws passkeys.not_found, passkeys.last_way_in.
 */
export async function removeMyPasskey(ctx: RequestContext, passkeyId: string): Promise<void> {
  const { userId } = requireSession(ctx);
  const notice = newSecurityNotice(ctx, {
    userId,
    notice: 'factor_removed',
    detail: { factor: 'passkey' },
  });
  const result = await deletePasskey(ctx, { id: passkeyId, userId }, notice);
  if (result === 'not_found') throw passkeyNotFound();
  if (result === 'last_way_in') throw lastWayIn();
  publishAfterResponse(ctx, [notice.id]);
  ctx.log.log('info', 'passkeys.removed', { user_id: userId });
}
