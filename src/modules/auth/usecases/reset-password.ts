import type { RequestContext } from '../../../context.ts';
import { publishAfterResponse } from '../../../jobs/publish.ts';
import { newSecurityNotice } from '../../notices/index.ts';
import { findResetToken, resetPassword } from '../account-recovery.repository.ts';
import { linkInvalid } from '../auth.errors.ts';
import { askPasswordReset } from '../mail-tokens.repository.ts';
import { parseIdentifier } from '../policy/identifier.ts';
import { isMailToken } from '../policy/mail-tokens.ts';
import { announceEnd } from './announce-end.ts';
import { checkNewPassword } from './check-new-password.ts';
import { hashPassword } from './hash-password.ts';
import { mailTokenHash } from './token-mails.ts';

/**
 * Takes the wish to reset a password. Whether there is such an account, and whether it has a verified address to write to, is
 * only looked up after the answer.
 */
export async function requestPasswordReset(ctx: RequestContext, identifier: string): Promise<void> {
  // Neither a username nor an address, which the sender knows as well as we do.
  if (parseIdentifier(identifier) === undefined) return;
  const event = await askPasswordReset(ctx, identifier, new Date(ctx.clock.now()).toISOString());
  ctx.log.log('info', 'auth.password_reset_requested', { event_id: event.id });
  publishAfterResponse(ctx, [event.id]);
}

/**
 * Sets a new password by the token of a mail, and ends every session. Signs nobody in: a second factor is still owed at the
 * next login.
 * @throws auth.link_invalid, auth.password_refused (the link goes on working), service.unavailable.
 */
export async function confirmPasswordReset(
  ctx: RequestContext,
  input: { readonly token: string; readonly newPassword: string },
): Promise<void> {
  if (!isMailToken('reset_password', input.token)) throw linkInvalid();
  const hash = await mailTokenHash(input.token);
  const found = await findResetToken(ctx.databases.primary, hash, new Date(ctx.clock.now()).toISOString());
  if (found === undefined) throw linkInvalid();
  await checkNewPassword(ctx, input.newPassword, found, '/new_password');
  const newHash = await hashPassword(ctx.config.auth, input.newPassword);
  const { userId } = found;
  const notice = newSecurityNotice(ctx, { userId, notice: 'password_reset' });
  const ended = await resetPassword(
    ctx,
    userId,
    hash,
    newHash,
    notice,
    new Date(ctx.clock.now()).toISOString(),
  );
  if (ended === undefined) throw linkInvalid();
  ctx.log.log('info', 'auth.password_reset', { user_id: userId });
  publishAfterResponse(ctx, [notice.id]);
  // A guard that cannot be reached is told by the event: the password is set and the link is used up.
  await announceEnd(ctx, ended);
}
