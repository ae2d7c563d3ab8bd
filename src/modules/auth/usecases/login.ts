import type { RequestContext } from '../../../context.ts';
import { insertAudit } from '../../../db/audit.ts';
import { publishAfterResponse } from '../../../jobs/publish.ts';
import type { AccountRow } from '../../users/index.ts';
import { accountDeactivated, accountSuspended, invalidCredentials } from '../auth.errors.ts';
import { type CredentialsRow, findCredentials, insertSession } from '../auth.repository.ts';
import type { TokenPair } from '../auth.views.ts';
import { parseIdentifier } from '../policy/identifier.ts';
import { announceEnd } from './announce-end.ts';
import { hashPassword, verifyPassword } from './hash-password.ts';
import { prepareSession, tokensOf } from './open-session.ts';

export interface Credentials {
  /** A username, or a verified e-mail address. */
  readonly identifier: string;
  readonly password: string;
}

/**
 * Opens a session by password. A wrong password and an unknown account get the same answer for the same work; only who knows
 * the password learns that an account is suspended or deactivated.
 * @throws auth.invalid_credentials, auth.account_suspended, auth.account_deactivated, service.unavailable.
 */
export async function login(
  ctx: RequestContext,
  input: Credentials,
): Promise<{ readonly account: AccountRow; readonly tokens: TokenPair }> {
  const identifier = parseIdentifier(input.identifier);
  const found =
    identifier === undefined ? undefined : await findCredentials(ctx.databases.primary, identifier);
  const known = found?.status === 'deleted' ? undefined : found;
  const check = await verifyPassword(ctx.config.auth, input.password, known?.passwordHash);
  if (known === undefined || known.passwordHash === null || !check.matches) {
    recordFailure(ctx, known, known === undefined ? 'unknown_account' : 'wrong_password');
    throw invalidCredentials();
  }
  if (known.status !== 'active') {
    recordFailure(ctx, known, known.status);
    throw known.status === 'suspended' ? accountSuspended() : accountDeactivated();
  }
  const newHash = check.outdated ? await hashPassword(ctx.config.auth, input.password) : undefined;
  const session = await prepareSession(ctx, ['pwd']);
  const opened = await insertSession(
    ctx,
    known.userId,
    { checkedHash: known.passwordHash, newHash },
    session,
    ctx.config.auth.maxSessionsPerUser,
  );
  if (opened === undefined) {
    recordFailure(ctx, known, 'changed_meanwhile');
    throw invalidCredentials();
  }
  const { account, eventIds, limited } = opened;
  publishAfterResponse(ctx, eventIds);
  if (limited !== undefined) await announceEnd(ctx, limited);
  return { account, tokens: await tokensOf(ctx, account, session) };
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
