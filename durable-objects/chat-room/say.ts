import { encodeId, randomIds } from '../../src/shared/ids.ts';
import { decide, type Meter, meterOf } from '../rate-limiter/gcra.ts';
import type { RoomHold } from './acts.ts';
import { comparable, type Drop, keepsOrder, reasonToDrop, type Writer } from './decide.ts';
import { emojiOf } from './emotes.ts';
import { fragmentsOf } from './fragments.ts';
import { dropped, mentionsIn, messageEvent, quoteOf } from './messages.ts';
import { type MessageInput, roomBurst, roomMessagesPerSecond, type SendResult } from './protocol.ts';

const meter: Meter = meterOf({ limit: roomMessagesPerSecond, periodSeconds: 1, burst: roomBurst });

/** Keeps the room's own limit. On the heap: a room that slept had nothing to limit. */
export function createRoomMeter(): (writer: Writer, nowMs: number) => Drop | undefined {
  let known: number | undefined;
  return ({ facts }, nowMs) => {
    const { allowed, tat, retryAfterMs } = decide(meter, known, nowMs, 1);
    // Those who keep order get through when the room is loudest.
    if (allowed) known = tat;
    if (allowed || keepsOrder(facts)) return undefined;
    return {
      code: 'msg_roomratelimit',
      message: 'More is being said here than anybody could read; try again.',
      retryAfterMs,
    };
  };
}

/** Decides on a message, and puts it into the log where nothing stands in its way. What is answered as sent is kept. */
export function say(
  hold: RoomHold,
  writer: Writer,
  input: MessageInput,
  tooFull: (writer: Writer, nowMs: number) => Drop | undefined,
  nowMs: number,
): SendResult {
  const { log, chatters, record } = hold;
  const { userId } = writer.facts;
  const sent = log.sentAs(userId, input.clientId);
  if (sent !== undefined) return { is_sent: true, message_id: sent.messageId, seq: sent.seq };
  if (record.isClosed()) return dropped({ code: 'msg_closed', message: 'This room is closed.' });

  const fragments = fragmentsOf(input.text, emojiOf);
  const text = comparable(input.text);
  const said = { text: input.text, fragments, isKnown: () => log.isSaid(text) };
  const drop = reasonToDrop(writer, record.settings(), said, nowMs) ?? tooFull(writer, nowMs);
  if (drop !== undefined) return dropped(drop);

  const messageId = encodeId('chatMessage', randomIds.next());
  const event = messageEvent(messageId, writer.facts, fragments, quoteOf(log, input.replyTo));
  const seq = hold.atomically(() => {
    chatters.noteSent(userId, text, nowMs);
    return log.append(
      {
        event,
        isKept: writer.facts.role !== 'viewer' || writer.facts.isMember,
        mentions: mentionsIn(event, fragments),
        message: { id: messageId, authorId: userId, clientId: input.clientId, text },
      },
      nowMs,
    );
  });
  return { is_sent: true, message_id: messageId, seq };
}
