import type { ChatRole } from '../../../../durable-objects/chat-room/protocol.ts';
import type { RequestContext } from '../../../context.ts';
import type { Db } from '../../../db/client.ts';
import { requireViewerId } from '../../../http/viewer.ts';
import { userNotFound } from '../../users/index.ts';
import { aboveModerators, notModerator } from '../chat.errors.ts';
import { findChannelRole, findRole } from '../chat.repository.ts';
import type { By } from '../standing.repository.ts';

/**
 * The caller as somebody who keeps order in a channel.
 * @throws users.not_found, chat.not_moderator.
 */
export async function requireModerator(
  ctx: RequestContext,
  ownerId: string,
  db: Db = ctx.databases.primary,
): Promise<By> {
  const actorId = requireViewerId(ctx);
  const role = await findChannelRole(db, ownerId, actorId);
  if (role === undefined) throw userNotFound();
  if (role !== 'owner' && role !== 'moderator') throw notModerator();
  return { ownerId, actorId };
}

/**
 * Throws unless somebody who keeps order may act against this person: nobody may against the owner or themselves, and only the
 * owner may against moderators.
 * @throws users.not_found, chat.not_against_them.
 */
export async function assertBelow(
  ctx: RequestContext,
  by: By & { readonly role: ChatRole },
  userId: string,
): Promise<void> {
  const role = await findRole(ctx.databases.primary, by.ownerId, userId);
  if (role === undefined) throw userNotFound();
  const isAbove = role === 'owner' || (role === 'moderator' && by.role !== 'owner');
  if (isAbove || userId === by.actorId) throw aboveModerators();
}
