import { createJudge, type Judge, type Suspicion } from '../../src/modules/chat/policy/auto-moderation.ts';
import type { ChannelRules } from '../../src/modules/chat/policy/rules.ts';
import { encodeId, randomIds } from '../../src/shared/ids.ts';
import { decide, type Meter, meterOf } from '../rate-limiter/gcra.ts';
import type { RoomHold } from './acts.ts';
import { comparable, type Drop, keepsOrder, reasonToDrop, type Writer } from './decide.ts';
import { emotesFor } from './emotes.ts';
import { fragmentsOf } from './fragments.ts';
import { heldMs, heldNotice } from './held.ts';
import type { NewEvent } from './log-store.ts';
import { authorOf, dropped, mentionsIn, messageEvent, quoteOf } from './messages.ts';
import {
  type Fragment,
  type HeldMessage,
  type MessageInput,
  type Notice,
  roomBurst,
  roomMessagesPerSecond,
  type SendResult,
} from './protocol.ts';

const meter: Meter = meterOf({ limit: roomMessagesPerSecond, periodSeconds: 1, burst: roomBurst });

/** What became of a message, and what is to be told of it. */
export interface Said {
  readonly result: SendResult;
  /** It is in the log. */
  readonly isNew: boolean;
  readonly notices: readonly Notice[];
}

/** Decides on messages. What is answered as sent is in the log, what is answered as held waits. */
export function createSpeech(hold: RoomHold): (writer: Writer, input: MessageInput, nowMs: number) => Said {
  // On the heap: a room that slept had nothing to limit.
  let tat: number | undefined;
  let judged: { readonly rules: ChannelRules; readonly judge: Judge } | undefined;

  function tooFull({ facts }: Writer, nowMs: number): Drop | undefined {
    // More than the burst ahead of the clock is what one that was put back left behind.
    const furthest = nowMs * meter.ticksPerMs + meter.burst * meter.intervalTicks;
    const metered = decide(meter, tat !== undefined && tat <= furthest ? tat : undefined, nowMs, 1);
    // Those who keep order get through when the room is loudest.
    if (metered.allowed) tat = metered.tat;
    if (metered.allowed || keepsOrder(facts)) return undefined;
    return {
      code: 'msg_roomratelimit',
      message: 'More is being said here than anybody could read; try again.',
      retryAfterMs: metered.retryAfterMs,
    };
  }

  function judge(): Judge | undefined {
    const rules = hold.record.rules();
    if (rules === undefined) return undefined;
    if (judged?.rules !== rules) judged = { rules, judge: createJudge(rules) };
    return judged.judge;
  }

  const drop = (reason: Drop): Said => ({ result: dropped(reason), isNew: false, notices: [] });

  return (writer, input, nowMs) => {
    const before = saidBefore(hold, writer, input);
    if (before !== undefined) return { result: before, isNew: false, notices: [] };
    if (hold.record.isClosed()) return drop({ code: 'msg_closed', message: 'This room is closed.' });

    const settings = hold.record.settings();
    const fragments = fragmentsOf(input.text, emotesFor(hold.record.rules()?.emotes ?? [], writer.facts));
    const text = comparable(input.text);
    const said = { text: input.text, fragments, isKnown: () => hold.log.isSaid(text) };
    const reason = reasonToDrop(writer, settings, said, nowMs) ?? tooFull(writer, nowMs);
    if (reason !== undefined) return drop(reason);

    const isFree = keepsOrder(writer.facts);
    if (!isFree && judge()?.isBlocked(input.text) === true) return drop(rejected);
    const hasLinks = fragments.some(({ type }) => type === 'link');
    const suspicion = isFree ? undefined : judge()?.suspicionOf(input.text, hasLinks);

    const delayMs = isFree || suspicion !== undefined ? 0 : settings.moderator_delay_seconds * 1_000;
    const messageId = encodeId('chatMessage', randomIds.next());
    const entry = entryOf(hold, writer, { input, messageId, fragments, text, delayMs });
    if (suspicion !== undefined)
      return holdBack(hold, entry, viewOf(entry, fragments, writer, suspicion, nowMs), nowMs);
    const seq = hold.atomically(() => {
      hold.chatters.noteSent(writer.facts.userId, text, nowMs);
      return hold.log.append(entry, nowMs);
    });
    return { result: { is_sent: true, message_id: messageId, seq }, isNew: true, notices: [] };
  };
}

// Which of the terms it was is not said, or they would be guessed one by one.
const rejected: Drop = {
  code: 'msg_rejected_mandatory',
  message: 'The channel does not let this be said.',
};
const heldDrop: Drop = { code: 'msg_held', message: 'A moderator looks at it first.' };
const denied: Drop = {
  code: 'msg_rejected',
  message: 'The moderators of the channel did not let this be said.',
};

/** What became of a message that was sent under this id already. */
function saidBefore(
  { log, held }: RoomHold,
  writer: Writer,
  { clientId }: MessageInput,
): SendResult | undefined {
  const { userId } = writer.facts;
  const sent = log.sentAs(userId, clientId);
  if (sent !== undefined) return { is_sent: true, message_id: sent.messageId, seq: sent.seq };
  const waiting = held.sentAs(userId, clientId);
  if (waiting === undefined) return undefined;
  return { ...dropped(waiting.state === 'held' ? heldDrop : denied), message_id: waiting.messageId };
}

function entryOf(
  hold: RoomHold,
  { facts }: Writer,
  message: {
    readonly input: MessageInput;
    readonly messageId: string;
    readonly fragments: readonly Fragment[];
    readonly text: string;
    readonly delayMs: number;
  },
): NewEvent {
  const { input, messageId, fragments, text, delayMs } = message;
  const event = messageEvent(messageId, facts, fragments, quoteOf(hold.log, input.replyTo));
  return {
    event,
    isKept: facts.role !== 'viewer' || facts.isMember,
    mentions: mentionsIn(event, fragments),
    delayMs,
    message: { id: messageId, authorId: facts.userId, clientId: input.clientId, text },
  };
}

const viewOf = (
  { message }: NewEvent,
  fragments: readonly Fragment[],
  { facts }: Writer,
  { category, severity }: Suspicion,
  nowMs: number,
): HeldMessage => ({
  id: message?.id ?? '',
  author: authorOf(facts),
  fragments,
  category,
  severity,
  at: nowMs,
  ends_at: nowMs + heldMs,
});

function holdBack(hold: RoomHold, entry: NewEvent, view: HeldMessage, nowMs: number): Said {
  const isHeld = hold.atomically(() => {
    hold.chatters.noteSent(entry.message?.authorId ?? '', entry.message?.text ?? '', nowMs);
    return hold.held.hold({ view, entry });
  });
  // Nobody keeps up with what waits.
  if (!isHeld) return { result: dropped(denied), isNew: false, notices: [] };
  const result = { ...dropped(heldDrop), message_id: view.id };
  return { result, isNew: false, notices: [heldNotice(view)] };
}
