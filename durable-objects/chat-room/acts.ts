import { randomIds } from '../../src/shared/ids.ts';
import type { Chatters } from './chatters.ts';
import { emojiOf } from './emotes.ts';
import { fragmentsOf } from './fragments.ts';
import type { LogStore } from './log-store.ts';
import { authorOf, quoteOf } from './messages.ts';
import type { Notes } from './notes.ts';
import type { ChatEvent, ModeratorAct, PinnedMessage } from './protocol.ts';
import type { RoomRecord } from './room-record.ts';

/** What a room consists of. */
export interface RoomHold {
  readonly log: LogStore;
  readonly chatters: Chatters;
  readonly notes: Notes;
  readonly record: RoomRecord;
  /** All of it, or nothing. */
  atomically<T>(work: () => T): T;
}

/**
 * Does what a moderator asked for, in the stores; in a transaction.
 * @returns the event that tells of it; undefined when there was nothing to do, or nothing to tell.
 */
export function carryOut(act: ModeratorAct, hold: RoomHold, nowMs: number): ChatEvent | undefined {
  const { log, chatters, notes } = hold;
  switch (act.kind) {
    case 'delete': {
      const message = log.message(act.messageId)?.event;
      if (message?.type !== 'message' || message.deleted === true) return undefined;
      log.blank({ messageId: act.messageId });
      unpin(notes, ({ message_id }) => message_id === act.messageId);
      return { type: 'message_deleted', message_id: act.messageId };
    }
    case 'clear':
      log.blank('all');
      unpin(notes, () => true);
      return { type: 'cleared' };
    case 'silence': {
      const untilMs = act.seconds === null ? null : nowMs + act.seconds * 1_000;
      chatters.setBan(act.userId, { untilMs }, nowMs);
      unpin(notes, ({ message_id }) => log.message(message_id)?.authorId === act.userId);
      log.blank({ authorId: act.userId });
      return { type: 'user_silenced', user_id: act.publicId, seconds: act.seconds };
    }
    case 'unban':
      chatters.setBan(act.userId, null, nowMs);
      return undefined;
    case 'announce': {
      const writer = chatters.writer(act.userId, nowMs);
      if (writer === undefined) return undefined;
      const fragments = fragmentsOf(act.text, emojiOf);
      return { type: 'announcement', author: authorOf(writer.facts), fragments };
    }
    case 'pin': {
      const quote = quoteOf(log, act.messageId);
      if (quote === undefined || notes.pinned()?.message_id === act.messageId) return undefined;
      notes.pin(quote);
      return { type: 'pinned', pinned: quote };
    }
    case 'unpin':
      if (notes.pinned() === null) return undefined;
      notes.pin(null);
      return { type: 'pinned', pinned: null };
    case 'open poll': {
      const running = notes.poll();
      if (running !== null && !running.ended) return undefined;
      const { title, choices, seconds } = act;
      notes.open({ id: randomIds.next(), title, choices, endsAtMs: nowMs + seconds * 1_000 });
      return pollEvent(notes);
    }
    case 'close poll':
      return closePoll(notes);
    case 'settings': {
      hold.record.set(act.settings);
      return { type: 'settings', settings: act.settings };
    }
  }
}

function unpin(notes: Notes, isGone: (pinned: PinnedMessage) => boolean): void {
  const pinned = notes.pinned();
  if (pinned !== null && isGone(pinned)) notes.pin(null);
}

function pollEvent(notes: Notes): ChatEvent | undefined {
  const poll = notes.poll();
  return poll === null ? undefined : { type: 'poll', poll };
}

/** Ends the poll that goes on. @returns the event with its votes; undefined when none does. */
export function closePoll(notes: Notes): ChatEvent | undefined {
  const poll = notes.poll();
  if (poll === null || poll.ended) return undefined;
  notes.close();
  return pollEvent(notes);
}
