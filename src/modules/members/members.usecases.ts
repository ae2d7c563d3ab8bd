import type { RequestContext } from '../../context.ts';
import { requireViewerId } from '../../http/viewer.ts';
import { tellAccessChanged } from '../streams/index.ts';
import { userNotFound } from '../users/index.ts';
import { cannotJoinSelf, membershipInThePast } from './members.errors.ts';
import {
  endMembership as deleteMembership,
  grantMembership as insertMembership,
  listMembers as listMemberRows,
  type MemberRow,
} from './members.repository.ts';
import type { MemberPosition } from './members.schemas.ts';

/**
 * Makes somebody a member of the caller's channel, who then sees what is for members.
 * @param expiresAt RFC 3339; null: until it is taken away.
 * @throws members.self, members.expired; users.not_found also when either blocks the other.
 */
export async function grantMembership(
  ctx: RequestContext,
  userId: string,
  expiresAt: string | null,
): Promise<void> {
  const ownerId = requireViewerId(ctx);
  if (ownerId === userId) throw cannotJoinSelf();
  if (expiresAt !== null && Date.parse(expiresAt) <= ctx.clock.now()) throw membershipInThePast();
  if (!(await insertMembership(ctx, { ownerId, userId }, expiresAt))) throw userNotFound();
}

/**
 * Ends a membership of the caller's channel; nothing happens when there is none.
 * @throws members.self, users.not_found.
 */
export async function endMembership(ctx: RequestContext, userId: string): Promise<void> {
  const ownerId = requireViewerId(ctx);
  if (ownerId === userId) throw cannotJoinSelf();
  if (!(await deleteMembership(ctx, { ownerId, userId }))) throw userNotFound();
  tellAccessChanged(ctx, { ownerId, viewerId: userId });
}

/** Members of the caller's channel, latest first. */
export const listMembers = (
  ctx: RequestContext,
  request: { readonly after: MemberPosition | undefined; readonly limit: number },
): Promise<MemberRow[]> => listMemberRows(ctx.readDb, requireViewerId(ctx), request);
