import type { RequestContext } from '../../../context.ts';
import { open, type Place, seal } from '../../../shared/crypto/envelope.ts';
import { sha256 } from '../../../shared/crypto.ts';
import { fromHex, hex } from '../../../shared/encoding.ts';
import { normaliseBackupCode } from '../backup-codes.policy.ts';
import type { FactorProof } from '../factors.repository.ts';
import type { SmsBinding } from '../phones.repository.ts';
import { matchingStep } from '../totp.policy.ts';
import { proveSmsCode } from './sms-codes.ts';

/** What a person typed as second factor. */
export type GivenCode =
  | { readonly kind: 'totp'; readonly code: string }
  | { readonly kind: 'backup_code'; readonly code: string }
  | { readonly kind: 'sms'; readonly code: string };

type ProofContext = Pick<RequestContext, 'config' | 'clock' | 'log' | 'databases'>;

const secretPlace = (userId: string): Place => ({
  table: 'totp_factors',
  column: 'sealed_secret',
  rowId: userId,
});

/** A TOTP seed as it is stored: sealed for the user's row, in hex. */
export const sealSecret = async (
  ctx: Pick<RequestContext, 'config'>,
  userId: string,
  secret: Uint8Array,
): Promise<string> => hex(await seal(ctx.config.encryption, secret, secretPlace(userId)));

/** The time step of a right TOTP code, or undefined. */
export async function proveTotp(
  ctx: ProofContext,
  userId: string,
  sealedSecret: string,
  code: string,
): Promise<Extract<FactorProof, { kind: 'totp' }> | undefined> {
  const secret = await open(ctx.config.encryption, fromHex(sealedSecret), secretPlace(userId));
  if (secret === undefined) {
    ctx.log.log('error', 'factors.secret_unreadable', { user_id: userId });
    return undefined;
  }
  const step = await matchingStep(secret, code, Math.floor(ctx.clock.now() / 1000));
  return step === undefined ? undefined : { kind: 'totp', step, sealedSecret };
}

/**
 * Checks a code without using it up; the statement that acts on it does that by `useFactorCte`. A backup code is looked up
 * there, too. `sealedSecret` is undefined when the user has no authenticator app. `smsBinding` is what a code sent by SMS must
 * have been sent for; without it none proves anything.
 */
export async function proveFactor(
  ctx: ProofContext,
  userId: string,
  sealedSecret: string | undefined,
  given: GivenCode,
  smsBinding?: SmsBinding,
): Promise<FactorProof | undefined> {
  if (given.kind === 'sms')
    return smsBinding === undefined ? undefined : proveSmsCode(ctx, userId, smsBinding, given.code);
  if (given.kind === 'totp')
    return sealedSecret === undefined ? undefined : proveTotp(ctx, userId, sealedSecret, given.code);
  const code = normaliseBackupCode(given.code);
  return code === undefined ? undefined : { kind: 'backup_code', codeHash: await backupCodeHash(code) };
}

/** SHA-256 of a normalised backup code, in hex. */
export const backupCodeHash = async (code: string): Promise<string> => hex(await sha256(code));

/** The method (RFC 8176) a code stands for. */
export const methodOf = ({ kind }: GivenCode): 'otp' | 'sms' => (kind === 'sms' ? 'sms' : 'otp');
