import type { RequestContext } from '../../../context.ts';
import { requireViewerId } from '../../../http/viewer.ts';
import { userNotFound } from '../../users/index.ts';
import { roleForSelf } from '../chat.errors.ts';
import { findRole } from '../chat.repository.ts';
import { grantRole, takeRole } from '../standing.repository.ts';
import { tellRooms } from './tell-rooms.ts';

/**
 * Makes somebody a moderator or VIP of the caller's channel, in its open rooms at once.
 * @throws users.not_found, chat.role_for_self.
 */
export async function grantChatRole(
  ctx: RequestContext,
  userId: string,
  role: 'moderator' | 'vip',
): Promise<void> {
  const ownerId = requireViewerId(ctx);
  if (userId === ownerId) throw roleForSelf();
  const change = await grantRole(ctx, { ownerId, actorId: ownerId }, userId, role);
  if (change === undefined) throw userNotFound();
  tellRooms(ctx, change);
}

/**
 * Takes a role in the caller's channel back, if somebody has one.
 * @throws users.not_found
 */
export async function takeChatRole(ctx: RequestContext, userId: string): Promise<void> {
  const ownerId = requireViewerId(ctx);
  const change = await takeRole(ctx, { ownerId, actorId: ownerId }, userId);
  if (change !== undefined) return tellRooms(ctx, change);
  if ((await findRole(ctx.databases.primary, ownerId, userId)) === undefined) throw userNotFound();
}
