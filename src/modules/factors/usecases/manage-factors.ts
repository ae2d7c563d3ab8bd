import type { RequestContext } from '../../../context.ts';
import { requireSession } from '../../../http/viewer.ts';
import { publishAfterResponse } from '../../../jobs/publish.ts';
import { randomBytes } from '../../../shared/crypto.ts';
import { newSecurityNotice } from '../../notices/index.ts';
import {
  backupCodeBytes,
  backupCodeCount,
  formatBackupCode,
  normaliseBackupCode,
} from '../backup-codes.policy.ts';
import { codeInvalid, totpExists, totpNotFound, totpNotPending } from '../factors.errors.ts';
import {
  confirmTotp,
  type FactorsRow,
  findFactors,
  findPendingTotp,
  putPendingTotp,
  removeTotp,
  replaceBackupCodes,
} from '../factors.repository.ts';
import { qrSvgOf } from '../qr.policy.ts';
import { base32, otpauthUri, secretLength } from '../totp.policy.ts';
import { backupCodeHash, proveTotp, sealSecret } from './prove-factor.ts';

/** How long a new seed waits to be confirmed. */
const pendingSeconds = 900;
const issuer = 'Social Flow';

/** The caller's second factors. */
export const listFactors = (ctx: RequestContext): Promise<FactorsRow> =>
  findFactors(ctx.databases.primary, requireSession(ctx).userId);

export interface TotpEnrolment {
  /** Base32, for typing. */
  readonly secret: string;
  readonly otpauthUri: string;
  /** The address as QR code: an SVG image. */
  readonly qrSvg: string;
  readonly expiresInSeconds: number;
}

/**
 * Makes a seed for the caller's authenticator app. It counts only once a code of it was confirmed; starting again replaces it.
 * @throws factors.totp_exists, auth.unauthenticated when the account is no longer active.
 */
export async function startTotp(ctx: RequestContext): Promise<TotpEnrolment> {
  const userId = requireSession(ctx).userId;
  const secret = randomBytes(secretLength);
  const account = await putPendingTotp(ctx, userId, await sealSecret(ctx, userId, secret), nowOf(ctx));
  if (account === undefined) throw totpExists();
  const uri = otpauthUri(issuer, account.username, secret);
  return {
    secret: base32(secret),
    otpauthUri: uri,
    qrSvg: qrSvgOf(uri),
    expiresInSeconds: pendingSeconds,
  };
}

/**
 * Turns the second factor on, given one code of the new seed.
 * @returns the backup codes, which are never shown again.
 * @throws factors.totp_not_pending, factors.code_invalid.
 */
export async function confirmPendingTotp(ctx: RequestContext, code: string): Promise<readonly string[]> {
  const userId = requireSession(ctx).userId;
  const startedAfter = new Date(ctx.clock.now() - pendingSeconds * 1000).toISOString();
  const sealedSecret = await findPendingTotp(ctx.databases.primary, userId, startedAfter);
  if (sealedSecret === undefined) throw totpNotPending();
  const proof = await proveTotp(ctx, userId, sealedSecret, code);
  if (proof === undefined) throw codeInvalid();
  const { codes, hashes } = await newBackupCodes();
  const notice = noticeOf(ctx, userId, 'factor_added');
  if (!(await confirmTotp(ctx, userId, proof, hashes, notice, nowOf(ctx)))) throw totpNotPending();
  publishAfterResponse(ctx, [notice.id]);
  ctx.log.log('info', 'factors.totp_confirmed', { user_id: userId });
  return codes;
}

/**
 * Removes the authenticator app and, unless passkeys remain, the backup codes.
 * @throws factors.totp_not_found.
 */
export async function removeMyTotp(ctx: RequestContext): Promise<void> {
  const userId = requireSession(ctx).userId;
  const notice = noticeOf(ctx, userId, 'factor_removed');
  if (!(await removeTotp(ctx, userId, notice))) throw totpNotFound();
  publishAfterResponse(ctx, [notice.id]);
  ctx.log.log('info', 'factors.totp_removed', { user_id: userId });
}

/**
 * Makes ten new backup codes; the old ones stop working.
 * @throws factors.totp_not_found.
 */
export async function regenerateBackupCodes(ctx: RequestContext): Promise<readonly string[]> {
  const { userId } = requireSession(ctx);
  const { codes, hashes } = await newBackupCodes();
  const notice = newSecurityNotice(ctx, { userId, notice: 'backup_codes_replaced' });
  if (!(await replaceBackupCodes(ctx, userId, hashes, notice, nowOf(ctx)))) throw totpNotFound();
  publishAfterResponse(ctx, [notice.id]);
  return codes;
}

/** Ten backup codes to show once, and the hashes of them to keep. */
export async function newBackupCodes(): Promise<{ readonly codes: string[]; readonly hashes: string[] }> {
  const codes = Array.from({ length: backupCodeCount }, () => formatBackupCode(randomBytes(backupCodeBytes)));
  const hashes = await Promise.all(codes.map((code) => backupCodeHash(normaliseBackupCode(code) ?? code)));
  return { codes, hashes };
}

const noticeOf = (ctx: RequestContext, userId: string, notice: 'factor_added' | 'factor_removed') =>
  newSecurityNotice(ctx, { userId, notice, detail: { factor: 'authenticator app' } });

const nowOf = (ctx: RequestContext): string => new Date(ctx.clock.now()).toISOString();
