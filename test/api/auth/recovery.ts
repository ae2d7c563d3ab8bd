import { call, sqlRows } from '../../support/worker/client.ts';
import { mailsTo, tokenIn } from '../../support/worker/mails.ts';
import { deliverEvents } from '../../support/worker/queues.ts';
import { registerAccount, type SignedInBody } from './accounts.ts';

export interface VerifiedAccount extends SignedInBody {
  readonly email: string;
}

/** An account whose address is verified by the mail it got. */
export async function verifiedAccount(changes: Record<string, unknown> = {}): Promise<VerifiedAccount> {
  const account = await registerAccount(changes);
  const email = String(account.user.email);
  await deliverEvents();
  const token = tokenIn((await mailsTo(email))[0]);
  const confirmed = await confirmEmail(account.access_token, token);
  if (confirmed.status !== 204) throw new Error(`not verified: ${await confirmed.text()}`);
  await deliverEvents();
  return { ...account, email };
}

export const confirmEmail = (accessToken: string | undefined, token: string) =>
  call('POST', '/v1/auth/email-verification/confirm', { token: accessToken, body: { token } });

export const askReset = (
  identifier: string,
  options: { ip?: string; headers?: Record<string, string> } = {},
) => call('POST', '/v1/auth/password-reset', { ...options, body: { identifier } });

export const confirmReset = (token: string, new_password: string) =>
  call('POST', '/v1/auth/password-reset/confirm', { body: { token, new_password } });

/** Asks for a reset and reads its token from the mail. */
export async function resetToken(account: VerifiedAccount): Promise<string> {
  await askReset(account.user.username);
  await deliverEvents();
  return tokenIn((await mailsTo(account.email))[0]);
}

/** Whether the address of an account is verified, and which it is. */
export async function addressOf(username: string): Promise<{ email: string; verified: boolean }> {
  const [row] = await sqlRows<{ email: string; verified: boolean }>(
    'SELECT email, email_verified_at IS NOT NULL AS verified FROM users WHERE username = $1',
    [username],
  );
  if (row === undefined) throw new Error(`no account ${username}`);
  return row;
}
