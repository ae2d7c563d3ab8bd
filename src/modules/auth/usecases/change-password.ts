import type { RequestContext } from '../../../context.ts';
import { passwordRefused, passwordWrong } from '../auth.errors.ts';
import { passwordProblems } from '../policy/password-rules.ts';
import { replacePassword } from '../reauthentication.repository.ts';
import { announceEnd } from './announce-end.ts';
import { hashPassword } from './hash-password.ts';
import { isoOf } from './open-session.ts';
import { beginReauthentication, checkPassword } from './step-up.ts';

/**
 * Changes the caller's password, given the current one. Every other session ends, and so does every login that still owes
 * its second factor.
 * @throws auth.password_wrong, auth.password_refused, auth.too_many_failures, auth.unauthenticated.
 */
export async function changePassword(
  ctx: RequestContext,
  input: { readonly currentPassword: string; readonly newPassword: string },
): Promise<void> {
  const { actor, account, attempt, nowSeconds } = await beginReauthentication(ctx);
  const errors = newPasswordProblems(input, account);
  if (errors.length > 0) {
    attempt.forgive();
    throw passwordRefused({ errors });
  }
  await checkPassword(ctx, actor, account, attempt, input.currentPassword);
  attempt.forgive();
  const { passwordHash } = account;
  if (passwordHash === null) throw passwordWrong();
  const newHash = await hashPassword(ctx.config.auth, input.newPassword);
  const hashes = { checkedHash: passwordHash, newHash };
  const changed = await replacePassword(ctx, actor, hashes, isoOf(nowSeconds));
  if (changed === undefined) throw passwordWrong();
  ctx.log.log('info', 'auth.password_changed', { user_id: actor.userId });
  // A guard that cannot be reached is told by the event: the change is made and could not be repeated with the old password.
  if (changed.ended !== undefined) await announceEnd(ctx, changed.ended);
}

function newPasswordProblems(
  input: { readonly currentPassword: string; readonly newPassword: string },
  account: { readonly username: string; readonly email: string },
) {
  const pointer = '/new_password';
  if (input.newPassword === input.currentPassword)
    return [{ pointer, code: 'unchanged', message: 'The new password is the current one.' }];
  return passwordProblems(input.newPassword, account).map((problem) => ({ ...problem, pointer }));
}
