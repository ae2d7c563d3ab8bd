import type { RequestContext } from '../../../context.ts';
import { requireViewerId } from '../../../http/viewer.ts';
import { userNotFound } from '../../users/index.ts';
import { roleForSelf } from '../chat.errors.ts';
import { grantRole, takeRole } from '../chat.repository.ts';

/**
 * Makes somebody a moderator or VIP of the caller's channel. Rooms know it within five minutes, at once when they come anew.
 * @throws users.not_found, chat.role_for_self.
 */
export async function grantChatRole(
  ctx: RequestContext,
  userId: string,
  role: 'moderator' | 'vip',
): Promise<void> {
  const ownerId = requireViewerId(ctx);
  if (userId === ownerId) throw roleForSelf();
  if (!(await grantRole(ctx, ownerId, userId, role))) throw userNotFound();
}

/**
 * Takes a role in the caller's channel back, if somebody has one.
 * @throws users.not_found
 */
export async function takeChatRole(ctx: RequestContext, userId: string): Promise<void> {
  if (!(await takeRole(ctx, requireViewerId(ctx), userId))) throw userNotFound();
}
