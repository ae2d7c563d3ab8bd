import type { RequestContext } from '../../context.ts';
import { newEvent } from '../../db/outbox.ts';
import { requireViewerId, viewerIdOf } from '../../http/viewer.ts';
import type { Handlers } from '../../jobs/handlers.ts';
import { publishAfterResponse } from '../../jobs/publish.ts';
import { userNotFound } from '../users/index.ts';
import { cannotBlockSelf, cannotFollowSelf, followBlocked } from './graph.errors.ts';
import {
  countFollow,
  deleteBlock,
  deleteFollow,
  insertBlock,
  insertFollow,
  type ListedUser,
  type ListRequest,
  listBlocked,
  listConnections,
} from './graph.repository.ts';

/**
 * Follows a user. Following twice is following once.
 * @throws graph.self_follow, users.not_found (also when they block the caller), graph.blocked.
 */
export async function followUser(ctx: RequestContext, targetId: string): Promise<void> {
  const actorId = requireViewerId(ctx);
  if (actorId === targetId) throw cannotFollowSelf();
  const event = newEvent(ctx, 'user.followed', {});
  const outcome = await insertFollow(ctx.databases.primary, { actorId, targetId }, event);
  if (!outcome.found) throw userNotFound();
  if (outcome.blocking) throw followBlocked();
  if (outcome.changed) publishAfterResponse(ctx, [event.id]);
}

/**
 * Stops following a user.
 * @throws graph.self_follow, users.not_found.
 */
export async function unfollowUser(ctx: RequestContext, targetId: string): Promise<void> {
  const actorId = requireViewerId(ctx);
  if (actorId === targetId) throw cannotFollowSelf();
  const event = newEvent(ctx, 'user.unfollowed', {});
  const outcome = await deleteFollow(ctx.databases.primary, { actorId, targetId }, event);
  if (!outcome.found) throw userNotFound();
  if (outcome.changed) publishAfterResponse(ctx, [event.id]);
}

/**
 * Blocks a user and ends the follows between the two, both ways.
 * @throws graph.self_block, users.not_found.
 */
export async function blockUser(ctx: RequestContext, targetId: string): Promise<void> {
  const actorId = requireViewerId(ctx);
  if (actorId === targetId) throw cannotBlockSelf();
  const { found, eventIds } = await insertBlock(
    ctx,
    { actorId, targetId },
    {
      blocked: newEvent(ctx, 'user.blocked', { blocker_id: actorId, blocked_id: targetId }),
      unfollowed: newEvent(ctx, 'user.unfollowed', {}),
      lostFollower: newEvent(ctx, 'user.unfollowed', {}),
    },
  );
  if (!found) throw userNotFound();
  publishAfterResponse(ctx, eventIds);
}

/**
 * Unblocks a user. Follows the block ended stay ended.
 * @throws graph.self_block, users.not_found.
 */
export async function unblockUser(ctx: RequestContext, targetId: string): Promise<void> {
  const actorId = requireViewerId(ctx);
  if (actorId === targetId) throw cannotBlockSelf();
  const { found } = await deleteBlock(ctx, { actorId, targetId });
  if (!found) throw userNotFound();
}

/**
 * Who follows a user, or whom they follow, latest first, without people the caller blocks or is blocked by.
 * @throws users.not_found when the user is not active or blocks the caller.
 */
export async function getConnections(
  ctx: RequestContext,
  which: 'followers' | 'following',
  userId: string,
  request: ListRequest,
): Promise<ListedUser[]> {
  const listed = await listConnections(ctx.readDb, which, userId, viewerIdOf(ctx), request);
  if (listed === undefined) throw userNotFound();
  return listed;
}

/** Whom the caller blocks, latest first. */
export const getBlocked = (ctx: RequestContext, request: ListRequest): Promise<ListedUser[]> =>
  listBlocked(ctx.readDb, requireViewerId(ctx), request);

/** Keeps the follower and following counts of users. */
export const graphHandlers: Handlers = {
  'user.followed': (ctx, { id, data }) =>
    countFollow(
      ctx.databases.primary,
      'made',
      { followId: data.follow_id ?? id, followerId: data.follower_id, followeeId: data.followee_id },
      ctx.clock.now(),
    ),
  'user.unfollowed': (ctx, { data }) =>
    countFollow(
      ctx.databases.primary,
      'undone',
      { followId: data.follow_id, followerId: data.follower_id, followeeId: data.followee_id },
      ctx.clock.now(),
    ),
};
