import type { RequestContext } from '../../context.ts';
import { unauthenticated } from '../../http/errors.ts';
import { requireViewerId, viewerIdOf } from '../../http/viewer.ts';
import { userNotFound } from './users.errors.ts';
import type { UserReference } from './users.policy.ts';
import { findAccount, findProfile, type ProfileChanges, updateProfile } from './users.repository.ts';
import type { AccountRow, ProfileRow, ViewerRow } from './users.views.ts';

/**
 * The caller's own account.
 * @throws auth.unauthenticated when the account is no longer active.
 */
export async function getMyAccount(ctx: RequestContext): Promise<AccountRow> {
  const account = await findAccount(ctx.readDb, requireViewerId(ctx));
  if (account === undefined) throw unauthenticated();
  return account;
}

/**
 * Changes the caller's profile.
 * @throws auth.unauthenticated when the account is no longer active.
 */
export async function updateMyProfile(ctx: RequestContext, changes: ProfileChanges): Promise<AccountRow> {
  const now = new Date(ctx.clock.now()).toISOString();
  const account = await updateProfile(ctx.databases.primary, requireViewerId(ctx), changes, now);
  if (account === undefined) throw unauthenticated();
  return account;
}

/**
 * A user's public profile as the caller may see it.
 * @throws users.not_found when there is none, the account is not active, or it blocks the caller.
 */
export async function getProfile(
  ctx: RequestContext,
  reference: UserReference,
): Promise<{ readonly user: ProfileRow; readonly viewer: ViewerRow | undefined }> {
  const viewerId = viewerIdOf(ctx);
  const row = await findProfile(ctx.readDb, reference, viewerId);
  if (row === undefined) throw userNotFound();
  const { isFollowing = false, followedBy = false, blocking = false, ...user } = row;
  return { user, viewer: viewerId === undefined ? undefined : { isFollowing, followedBy, blocking } };
}
