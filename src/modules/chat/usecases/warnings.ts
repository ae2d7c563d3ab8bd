import { roomName } from '../../../../durable-objects/chat-room/protocol.ts';
import type { RequestContext } from '../../../context.ts';
import { requireViewerId } from '../../../http/viewer.ts';
import { callDurableObject } from '../../../shared/durable-object-call.ts';
import { streamNotFound } from '../../streams/index.ts';
import { noWarning } from '../chat.errors.ts';
import { findChatter } from '../chat.repository.ts';
import { acknowledgeWarning } from '../standing.repository.ts';
import { tellRooms } from './tell-rooms.ts';

/**
 * The caller has read the warning they got in the channel, and may write again.
 * @throws streams.not_found, chat.no_warning.
 */
export async function acknowledgeChatWarning(ctx: RequestContext, streamId: string): Promise<void> {
  const userId = requireViewerId(ctx);
  const found = await findChatter(ctx.databases.primary, streamId, userId);
  if (found?.facts === undefined) throw streamNotFound();
  const { room, facts } = found;
  const change = await acknowledgeWarning(ctx, { ownerId: room.ownerId, actorId: userId }, streamId);
  if (change === undefined) throw noWarning();
  const { version } = change;
  await callDurableObject(ctx.bindings.CHAT_ROOM, roomName(streamId), (object) =>
    object.act(room, { kind: 'acknowledge', userId, version }, facts),
  );
  tellRooms(ctx, change);
}
