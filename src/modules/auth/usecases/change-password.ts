import type { RequestContext } from '../../../context.ts';
import { publishAfterResponse } from '../../../jobs/publish.ts';
import { newSecurityNotice } from '../../notices/index.ts';
import { passwordRefused, passwordWrong } from '../auth.errors.ts';
import type { PasswordContext } from '../policy/password-rules.ts';
import { replacePassword } from '../reauthentication.repository.ts';
import { announceEnd } from './announce-end.ts';
import { checkNewPassword } from './check-new-password.ts';
import { hashPassword } from './hash-password.ts';
import { isoOf } from './open-session.ts';
import { beginReauthentication, checkPassword } from './step-up.ts';
import { judged } from './throttle.ts';

/**
 * Changes the caller's password, given the current one, or sets the first of an account that has none. Every other session ends, and so does every login that still owes
 * its second factor, and every link to reset the password.
 * @throws auth.password_wrong, auth.password_refused, auth.too_many_failures, auth.unauthenticated.
 */
export async function changePassword(
  ctx: RequestContext,
  input: { readonly currentPassword: string | undefined; readonly newPassword: string },
): Promise<void> {
  const { actor, account, attempt, nowSeconds } = await beginReauthentication(ctx);
  await judged(attempt, () => checkAnotherPassword(ctx, input, account));
  const { passwordHash } = account;
  // Nothing given for nothing there; the login was recent, which the route asks for.
  const isFirst = passwordHash === null && input.currentPassword === undefined;
  if (!isFirst) await checkPassword(ctx, actor, account, attempt, input.currentPassword ?? '');
  attempt.forgive();
  const newHash = await hashPassword(ctx.config.auth, input.newPassword);
  const hashes = { checkedHash: passwordHash, newHash };
  const notice = newSecurityNotice(ctx, { userId: actor.userId, notice: 'password_changed' });
  const changed = await replacePassword(ctx, actor, hashes, notice, isoOf(nowSeconds));
  if (changed === undefined) throw passwordWrong();
  publishAfterResponse(ctx, [notice.id]);
  ctx.log.log('info', 'auth.password_changed', { user_id: actor.userId });
  // A guard that cannot be reached is told by the event: the change is made and could not be repeated with the old password.
  if (changed.ended !== undefined) await announceEnd(ctx, changed.ended);
}

async function checkAnotherPassword(
  ctx: RequestContext,
  input: { readonly currentPassword: string | undefined; readonly newPassword: string },
  account: PasswordContext,
): Promise<void> {
  const pointer = '/new_password';
  if (input.newPassword === input.currentPassword)
    throw passwordRefused({
      errors: [{ pointer, code: 'unchanged', message: 'The new password is the current one.' }],
    });
  await checkNewPassword(ctx, input.newPassword, account, pointer);
}
