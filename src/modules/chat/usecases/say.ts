import {
  type MessageInput,
  roomName,
  type SendResult,
  type Unknown,
} from '../../../../durable-objects/chat-room/protocol.ts';
import type { Services } from '../../../context.ts';
import { callDurableObject } from '../../../shared/durable-object-call.ts';
import { findChatter } from '../chat.repository.ts';

type SayScope = Pick<Services, 'bindings' | 'databases'>;

/**
 * Says something in the room of a stream. No database trip where the room has known the person for less than five minutes.
 * @returns `unknown` when they see no such stream.
 */
export async function sayInRoom(
  { bindings, databases }: SayScope,
  streamId: string,
  userId: string,
  input: MessageInput,
): Promise<SendResult | Unknown> {
  const name = roomName(streamId);
  const result = await callDurableObject(bindings.CHAT_ROOM, name, (room) => room.send(userId, input));
  if (!('unknown' in result)) return result;
  const found = await findChatter(databases.primary, streamId, userId);
  if (found?.facts === undefined) return result;
  const stated = { room: found.room, facts: found.facts };
  return callDurableObject(bindings.CHAT_ROOM, name, (room) => room.send(userId, input, stated));
}
