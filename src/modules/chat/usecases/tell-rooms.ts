import { roomName } from '../../../../durable-objects/chat-room/protocol.ts';
import type { RequestContext } from '../../../context.ts';
import { callDurableObject } from '../../../shared/durable-object-call.ts';
import type { ChannelChange } from '../actions.repository.ts';

/**
 * Tells the open rooms of a channel, without anybody waiting for it, that something was decided there. A room that is not
 * reached asks by itself within ten seconds.
 */
export function tellRooms(ctx: RequestContext, { version, rooms }: ChannelChange): void {
  for (const streamId of rooms)
    ctx.background(async () => {
      try {
        await callDurableObject(ctx.bindings.CHAT_ROOM, roomName(streamId), (room) => room.look(version));
      } catch (error) {
        ctx.log.log('warn', 'chat.room_not_told', {
          error_name: error instanceof Error ? error.name : 'unknown',
        });
      }
    });
}
