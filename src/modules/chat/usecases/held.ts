import { type HeldMessage, roomName } from '../../../../durable-objects/chat-room/protocol.ts';
import type { RequestContext } from '../../../context.ts';
import { requireViewerId } from '../../../http/viewer.ts';
import { callDurableObject } from '../../../shared/durable-object-call.ts';
import { streamNotFound } from '../../streams/index.ts';
import { notModerator } from '../chat.errors.ts';
import { findChatter } from '../chat.repository.ts';

/**
 * Messages that wait in a room, the oldest first, for those who keep order there.
 * @throws streams.not_found, chat.not_moderator.
 */
export async function readHeld(
  ctx: RequestContext,
  streamId: string,
  page: { readonly after: string | undefined; readonly limit: number },
): Promise<HeldMessage[]> {
  const found = await findChatter(ctx.databases.primary, streamId, requireViewerId(ctx));
  if (found === undefined) throw streamNotFound();
  if (found.facts?.role !== 'owner' && found.facts?.role !== 'moderator') throw notModerator();
  return callDurableObject(ctx.bindings.CHAT_ROOM, roomName(streamId), (room) =>
    room.held(page.after, page.limit),
  );
}
