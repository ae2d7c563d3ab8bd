import { roomName } from '../../../../durable-objects/chat-room/protocol.ts';
import type { RequestContext } from '../../../context.ts';
import { stopStream } from '../../../integrations/aws/index.ts';
import type { MessageOf } from '../../../jobs/messages.ts';
import { publishEvents } from '../../../jobs/publish.ts';
import { callDurableObject } from '../../../shared/durable-object-call.ts';
import {
  findRoomsToClose,
  type NotedStream,
  noteHealth,
  noteRoomClosed,
  noteSession,
  type SessionNote,
} from '../life.repository.ts';
import { readStreamEvent } from '../policy/ivs-events.ts';

const roomsAtOnce = 50;

/** Takes what IVS tells of a broadcast. Repeating it, in whatever order, changes nothing. */
export async function takeStreamEvent(
  ctx: RequestContext,
  message: MessageOf<'ivs.stream_changed'>,
): Promise<void> {
  const { resource: channelArn, time, detail } = message.data;
  const news = readStreamEvent(time, detail);
  if (news === undefined || channelArn === undefined) return;
  if ('health' in news) await noteHealth(ctx.databases.primary, { ...news, at: time });
  else await followSession(ctx, { channelArn, ...news });
}

/**
 * Notes a session, publishes what that changed, and disconnects an encoder that came back to a stopped stream.
 * @throws AwsError when IVS did not answer: the message is tried again.
 */
export async function followSession(
  ctx: RequestContext,
  note: SessionNote,
): Promise<NotedStream | undefined> {
  const noted = await noteSession(ctx, note);
  if (noted === undefined) return undefined;
  if (noted.eventId !== null) await publishEvents(ctx, { ids: [noted.eventId], limit: 1 });
  if (noted.unwanted) await stopStream(ctx.config.aws, note.channelArn);
  return noted;
}

/** Closes chat rooms some time after their streams. One that fails is left for the next run. */
export async function closeRooms(ctx: RequestContext): Promise<void> {
  const { primary } = ctx.databases;
  const due = await findRoomsToClose(primary, {
    nowMs: ctx.clock.now(),
    afterSeconds: ctx.config.live.chatClosesAfterSeconds,
    limit: roomsAtOnce,
  });
  for (const id of due)
    try {
      await callDurableObject(ctx.bindings.CHAT_ROOM, roomName(id), (room) => room.close());
      await noteRoomClosed(primary, id);
    } catch (error) {
      ctx.log.log('warn', 'streams.room_not_closed', {
        error_name: error instanceof Error ? error.name : 'unknown',
      });
    }
}
