import type { RequestContext } from '../../../context.ts';
import { newSecurityNotice } from '../../notices/index.ts';
import { forgetVideoPages } from '../../videos/index.ts';
import {
  anyAccount,
  becomesSuspended,
  becomesUnsuspended,
  birthDateForgottenCte,
  canBeSuspended,
  changeAccount,
  findEndedSuspensions,
  hasStatedBirthDate,
  isSuspended,
  liftEndedSuspension,
  liftedCte,
  roleAdded,
  roleRemoved,
  suspensionCte,
} from '../accounts.repository.ts';
import { twoAdministratorsNeeded, wrongStatus } from '../admin.errors.ts';
import { type ChangeableRole, givenByOne, staffRoles } from '../admin.policy.ts';
import { assertAllowed, type Outcome, refused, spread, staffMember } from './act.ts';

const nowOf = (ctx: RequestContext): string => new Date(ctx.clock.now()).toISOString();

/**
 * Suspends an account and ends all its access: sessions, access tokens, sockets and API keys. Until `until`, or until somebody
 * lifts it.
 * @throws users.not_found, admin.not_oneself, admin.staff_protected, admin.wrong_status.
 */
export async function suspendUser(
  ctx: RequestContext,
  input: { readonly userId: string; readonly reason: string; readonly until: string | undefined },
): Promise<Outcome> {
  const { userId, reason, until } = input;
  const [action, now, actor] = ['admin.user_suspended', nowOf(ctx), staffMember(ctx, staffRoles)];
  const notice = newSecurityNotice(ctx, {
    userId,
    notice: 'account_suspended',
    detail: { reason, ...(until === undefined ? {} : { until }) },
  });
  const result = await changeAccount(ctx, {
    actor,
    targetId: userId,
    now,
    audit: { action, target: { kind: 'user', id: userId }, detail: { reason, until } },
    assignments: becomesSuspended,
    condition: canBeSuspended,
    reason: 'disabled',
    endsSessions: true,
    notice,
    also: suspensionCte({ reason, by: actor.userId, now, until }),
  });
  assertAllowed(ctx, action, userId, result);
  if (!result.changed) throw wrongStatus();
  const outcome = await spread(ctx, result.ended, [notice.id]);
  await forgetVideoPages(ctx, userId);
  return outcome;
}

/**
 * Lifts a suspension; the account is again what it was.
 * @throws users.not_found, admin.not_oneself, admin.staff_protected, admin.wrong_status.
 */
export async function unsuspendUser(
  ctx: RequestContext,
  input: { readonly userId: string; readonly reason: string },
): Promise<Outcome> {
  const { userId, reason } = input;
  const action = 'admin.user_unsuspended';
  const notice = newSecurityNotice(ctx, { userId, notice: 'account_unsuspended' });
  const result = await changeAccount(ctx, {
    actor: staffMember(ctx, staffRoles),
    targetId: userId,
    now: nowOf(ctx),
    audit: { action, target: { kind: 'user', id: userId }, detail: { reason } },
    assignments: becomesUnsuspended,
    condition: isSuspended,
    reason: undefined,
    endsSessions: false,
    notice,
    also: liftedCte,
  });
  assertAllowed(ctx, action, userId, result);
  if (!result.changed) throw wrongStatus();
  return spread(ctx, undefined, [notice.id]);
}

/**
 * Ends every session and access token of an account.
 * @throws users.not_found, admin.not_oneself, admin.staff_protected.
 */
export async function logUserOut(ctx: RequestContext, userId: string): Promise<Outcome> {
  const action = 'admin.user_logged_out';
  const result = await changeAccount(ctx, {
    actor: staffMember(ctx, staffRoles),
    targetId: userId,
    now: nowOf(ctx),
    audit: { action, target: { kind: 'user', id: userId } },
    condition: anyAccount,
    reason: 'admin',
    endsSessions: true,
    notice: undefined,
  });
  assertAllowed(ctx, action, userId, result);
  return spread(ctx, result.ended, []);
}

/**
 * Forgets the date of birth an account stated, so that its owner can state the right one; does nothing when there is none. Nobody
 * can do so for themselves: a date could be tried until it is old enough.
 * @throws users.not_found, admin.not_oneself, admin.staff_protected.
 */
export async function clearBirthDate(
  ctx: RequestContext,
  input: { readonly userId: string; readonly reason: string },
): Promise<Outcome> {
  const { userId, reason } = input;
  const action = 'admin.birth_date_cleared';
  const notice = newSecurityNotice(ctx, { userId, notice: 'birth_date_cleared' });
  const result = await changeAccount(ctx, {
    actor: staffMember(ctx, staffRoles),
    targetId: userId,
    now: nowOf(ctx),
    audit: { action, target: { kind: 'user', id: userId }, detail: { reason } },
    condition: hasStatedBirthDate,
    reason: undefined,
    endsSessions: false,
    notice,
    also: birthDateForgottenCte,
  });
  assertAllowed(ctx, action, userId, result);
  return spread(ctx, undefined, result.changed ? [notice.id] : []);
}

/**
 * Gives a role, or does nothing when the account has it. Access tokens end, so that the next ones carry the role; API keys end.
 * @throws users.not_found, admin.not_oneself, admin.two_administrators_needed, admin.wrong_status.
 */
export function grantRole(ctx: RequestContext, userId: string, role: ChangeableRole): Promise<Outcome> {
  if (!givenByOne.some((one) => one === role))
    throw refused(ctx, 'admin.role_granted', userId, twoAdministratorsNeeded());
  return changeRole(ctx, userId, role, 'admin.role_granted');
}

/**
 * Takes a role away, or does nothing when the account does not have it. Holds at the next request.
 * @throws users.not_found, admin.not_oneself.
 */
export const revokeRole = (ctx: RequestContext, userId: string, role: ChangeableRole): Promise<Outcome> =>
  changeRole(ctx, userId, role, 'admin.role_revoked');

async function changeRole(
  ctx: RequestContext,
  userId: string,
  role: ChangeableRole,
  action: 'admin.role_granted' | 'admin.role_revoked',
): Promise<Outcome> {
  const grants = action === 'admin.role_granted';
  const notice = newSecurityNotice(ctx, {
    userId,
    notice: 'roles_changed',
    detail: { role, change: grants ? 'granted' : 'revoked' },
  });
  const result = await changeAccount(ctx, {
    actor: staffMember(ctx, ['admin']),
    targetId: userId,
    now: nowOf(ctx),
    audit: { action, target: { kind: 'user', id: userId }, detail: { role } },
    ...(grants ? roleAdded(role) : roleRemoved(role)),
    reason: 'roles_changed',
    endsSessions: false,
    revokesKeys: true,
    notice,
  });
  assertAllowed(ctx, action, userId, result);
  if (grants && !result.changed && result.targetStatus !== 'active') throw wrongStatus();
  return spread(ctx, result.ended, result.changed ? [notice.id] : []);
}

const liftBatch = 100;

/** Lifts the suspensions whose end has come; what one run leaves, the next takes. */
export async function liftEndedSuspensions(ctx: RequestContext): Promise<number> {
  const now = nowOf(ctx);
  let lifted = 0;
  for (const userId of await findEndedSuspensions(ctx, now, liftBatch)) {
    const notice = newSecurityNotice(ctx, { userId, notice: 'account_unsuspended' });
    if (!(await liftEndedSuspension(ctx, userId, now, notice))) continue;
    lifted += 1;
    ctx.log.log('info', 'admin.suspension_ended', { user_id: userId });
  }
  return lifted;
}
