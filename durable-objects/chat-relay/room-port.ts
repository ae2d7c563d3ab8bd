import { type Bindings, servicesOf } from '../../src/context.ts';
import { assertSessionLive } from '../../src/http/session-guard.ts';
import { sayInRoom } from '../../src/modules/chat/usecases/say.ts';
import { callDurableObject } from '../../src/shared/durable-object-call.ts';
import { AppError } from '../../src/shared/errors.ts';

import {
  type Crowd,
  type LogRun,
  type MessageInput,
  type RoomState,
  roomName,
  type SendResult,
  type Unknown,
} from '../chat-room/protocol.ts';

/** Which relay of which room this is. */
export interface Place {
  readonly streamId: string;
  readonly relay: number;
  readonly region: string;
}

/** What the relay asks of its room; replaced in tests. */
export interface RoomPort {
  subscribe(place: Place, crowd: Crowd, after: number | undefined): Promise<RoomState>;
  report(place: Place, crowd: Crowd): Promise<void>;
  leave(place: Place): Promise<void>;
  /** What came after `after`; without it, the latest. */
  read(place: Place, after: number | undefined, limit: number): Promise<LogRun>;
  say(place: Place, userId: string, input: MessageInput): Promise<SendResult | Unknown>;
}

/** Whether the session behind a socket still lives, as far as its user's guard can tell. */
export type SessionCheck = (userId: string, session: string) => Promise<boolean>;

/** A guard that cannot be reached ends no connection: what the token allowed when it began goes on until the token ends. */
export const sessionCheckOf =
  (bindings: Bindings): SessionCheck =>
  async (userId, session) => {
    const [sessionId = '', epoch, issuedAt] = session.split(' ');
    const holder = { userId, sessionId, epoch: Number(epoch), issuedAt: Number(issuedAt) };
    try {
      await assertSessionLive(servicesOf(bindings), holder, { sensitive: false });
      return true;
    } catch (error) {
      return !(error instanceof AppError && error.status === 401);
    }
  };

/** The real one. */
export const roomOf = (bindings: Bindings): RoomPort => {
  const rooms = bindings.CHAT_ROOM;
  return {
    subscribe: ({ streamId, relay, region }, crowd, after) =>
      callDurableObject(rooms, roomName(streamId), (room) =>
        room.subscribe({ number: relay, region, crowd, after }),
      ),
    report: ({ streamId, relay, region }, crowd) =>
      callDurableObject(rooms, roomName(streamId), (room) => room.report({ number: relay, region, crowd })),
    leave: ({ streamId, relay }) => callDurableObject(rooms, roomName(streamId), (room) => room.leave(relay)),
    read: ({ streamId }, after, limit) =>
      callDurableObject(rooms, roomName(streamId), (room) => room.read(after, limit)),
    say: ({ streamId }, userId, input) => sayInRoom(servicesOf(bindings), streamId, userId, input),
  };
};
