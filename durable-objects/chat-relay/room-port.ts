import { type Bindings, servicesOf } from '../../src/context.ts';
import { sayInRoom } from '../../src/modules/chat/usecases/say.ts';
import { callDurableObject } from '../../src/shared/durable-object-call.ts';
import type { RoomState, Unknown } from '../chat-room/chat-room.ts';
import { type LogRun, type MessageInput, roomName, type SendResult } from '../chat-room/protocol.ts';

/** Which relay of which room this is. */
export interface Place {
  readonly streamId: string;
  readonly relay: number;
  readonly region: string;
}

/** What the relay asks of its room; replaced in tests. */
export interface RoomPort {
  subscribe(place: Place, sockets: number, after: number | undefined): Promise<RoomState>;
  report(place: Place, sockets: number): Promise<void>;
  leave(place: Place): Promise<void>;
  /** What came after `after`; without it, the latest. */
  read(place: Place, after: number | undefined, limit: number): Promise<LogRun>;
  say(place: Place, userId: string, input: MessageInput): Promise<SendResult | Unknown>;
}

/** The real one. */
export const roomOf = (bindings: Bindings): RoomPort => {
  const rooms = bindings.CHAT_ROOM;
  return {
    subscribe: ({ streamId, relay, region }, sockets, after) =>
      callDurableObject(rooms, roomName(streamId), (room) =>
        room.subscribe({ number: relay, region, sockets, after }),
      ),
    report: ({ streamId, relay, region }, sockets) =>
      callDurableObject(rooms, roomName(streamId), (room) => room.report({ number: relay, region, sockets })),
    leave: ({ streamId, relay }) => callDurableObject(rooms, roomName(streamId), (room) => room.leave(relay)),
    read: ({ streamId }, after, limit) =>
      callDurableObject(rooms, roomName(streamId), (room) => room.read(after, limit)),
    say: ({ streamId }, userId, input) => sayInRoom(servicesOf(bindings), streamId, userId, input),
  };
};
