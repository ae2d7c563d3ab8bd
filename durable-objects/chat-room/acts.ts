import { encodeId, randomIds } from '../../src/shared/ids.ts';
import type { Chatters } from './chatters.ts';
import { isOwnerOrModerator } from './decide.ts';
import { emotesFor } from './emotes.ts';
import { fragmentsOf } from './fragments.ts';
import { endedNotices, type Held } from './held.ts';
import type { LogStore, NewEvent } from './log-store.ts';
import { authorOf, quoteOf } from './messages.ts';
import type { Notes } from './notes.ts';
import type {
  ActResult,
  ChatEvent,
  ChatterFacts,
  ModeratorAct,
  Notice,
  PinnedMessage,
  Standing,
} from './protocol.ts';
import type { RoomRecord } from './room-record.ts';
import { noticesOf } from './standing.ts';

/** What a room consists of. */
export interface RoomHold {
  readonly log: LogStore;
  readonly chatters: Chatters;
  readonly notes: Notes;
  readonly record: RoomRecord;
  readonly held: Held;
  /** All of it, or nothing. */
  atomically<T>(work: () => T): T;
}

/** What came of an act: what is to be put into the log and told. */
export interface Outcome {
  readonly result: ActResult;
  readonly entries: readonly NewEvent[];
  readonly notices: readonly Notice[];
  /** Whom it was done to, where the act itself does not say. */
  readonly targetId?: string;
}

const nothing: Outcome = { result: 'nothing', entries: [], notices: [] };
const above: Outcome = { ...nothing, result: 'above' };

/** An event of the room itself. */
export const roomEvent = (event: ChatEvent): NewEvent => ({ event, isKept: true, mentions: [], delayMs: 0 });

function done(event: ChatEvent | undefined, notices: readonly Notice[] = [], targetId?: string): Outcome {
  const entries = event === undefined ? [] : [roomEvent(event)];
  return { result: 'done', entries, notices, ...(targetId === undefined ? {} : { targetId }) };
}

/**
 * Does what a moderator asked for, in the stores; in a transaction.
 * @param by who asked; undefined where the room acts by itself.
 */
export function carryOut(
  act: ModeratorAct,
  hold: RoomHold,
  by: ChatterFacts | undefined,
  nowMs: number,
): Outcome {
  const pinned = hold.notes.pinned();
  const outcome = carriedOut(act, hold, by, nowMs);
  // What was taken away may have been pinned.
  const isUnpinned = pinned !== null && hold.notes.pinned() === null && act.kind !== 'unpin';
  return isUnpinned
    ? { ...outcome, entries: [...outcome.entries, roomEvent({ type: 'pinned', pinned: null })] }
    : outcome;
}

function carriedOut(act: ModeratorAct, hold: RoomHold, by: ChatterFacts | undefined, nowMs: number): Outcome {
  const { log, chatters, notes } = hold;
  switch (act.kind) {
    case 'delete': {
      const message = log.message(act.messageId);
      if (message?.event.type !== 'message' || message.event.deleted === true) return nothing;
      const isTheirOwn = by !== undefined && by.userId === message.authorId;
      if (by?.role === 'moderator' && !isTheirOwn && isOwnerOrModerator(message.event.author.role))
        return above;
      log.blank({ messageId: act.messageId });
      unpin(notes, ({ message_id }) => message_id === act.messageId);
      return done({ type: 'message_deleted', message_id: act.messageId }, [], message.authorId);
    }
    case 'delete archived':
      return done({ type: 'message_deleted', message_id: act.messageId }, [], act.authorId);
    case 'clear':
      log.blank('all');
      unpin(notes, () => true);
      return done({ type: 'cleared' });
    case 'silence': {
      const ban = { untilMs: act.seconds === null ? null : nowMs + act.seconds * 1_000 };
      const notices = decided(hold, act.userId, { ban }, act.version, nowMs);
      const silenced = silence(hold, act.userId, ban, nowMs);
      return done(silenced.event, [...notices, ...silenced.notices]);
    }
    case 'unban':
      return done(undefined, decided(hold, act.userId, { ban: null }, act.version, nowMs));
    case 'warn':
      return done(undefined, decided(hold, act.userId, { warning: act.reason }, act.version, nowMs));
    case 'acknowledge':
      return done(undefined, decided(hold, act.userId, { warning: null }, act.version, nowMs));
    case 'judge': {
      const waiting = hold.record.isClosed() ? undefined : hold.held.end(act.messageId, act.outcome);
      const authorId = waiting?.entry.message?.authorId;
      if (waiting === undefined || authorId === undefined) return nothing;
      const notices = endedNotices(act.messageId, authorId, act.outcome);
      const entries = act.outcome === 'approved' ? [waiting.entry] : [];
      return { result: 'done', entries, notices, targetId: authorId };
    }
    case 'announce': {
      const writer = chatters.writer(act.userId, nowMs);
      if (writer === undefined) return nothing;
      const fragments = fragmentsOf(act.text, emotesFor(hold.record.rules()?.emotes ?? [], writer.facts));
      return done({ type: 'announcement', author: authorOf(writer.facts), fragments });
    }
    case 'pin': {
      const quote = quoteOf(log, act.messageId);
      if (quote === undefined || notes.pinned()?.message_id === act.messageId) return nothing;
      notes.pin(quote);
      return done({ type: 'pinned', pinned: quote });
    }
    case 'unpin':
      if (notes.pinned() === null) return nothing;
      notes.pin(null);
      return done({ type: 'pinned', pinned: null });
    case 'open poll': {
      const running = notes.poll();
      if (running !== null && !running.ended) return nothing;
      const { title, choices, seconds } = act;
      notes.open({ id: randomIds.next(), title, choices, endsAtMs: nowMs + seconds * 1_000 });
      return done(pollEvent(notes));
    }
    case 'close poll': {
      const event = closePoll(notes);
      return event === undefined ? nothing : done(event);
    }
    case 'settings': {
      const { settings } = act;
      return done(hold.record.set(settings, act.version) ? { type: 'settings', settings } : undefined);
    }
  }
}

/** Takes all words of somebody out of the room, also those that wait. */
export function silence(
  { log, notes, held }: RoomHold,
  userId: string,
  ban: NonNullable<ChatterFacts['ban']>,
  nowMs: number,
): { readonly event: ChatEvent; readonly notices: readonly Notice[] } {
  unpin(notes, ({ message_id }) => log.message(message_id)?.authorId === userId);
  log.blank({ authorId: userId });
  const seconds = ban.untilMs === null ? null : Math.ceil((ban.untilMs - nowMs) / 1_000);
  return {
    event: { type: 'user_silenced', user_id: encodeId('user', userId), seconds },
    notices: held.denyAll(userId),
  };
}

function decided(
  { chatters }: RoomHold,
  userId: string,
  standing: Partial<Standing>,
  version: number,
  nowMs: number,
): Notice[] {
  const before = chatters.decide(userId, standing, version, nowMs);
  return before === null || before === undefined
    ? []
    : noticesOf(userId, before, { ...before, ...standing }, nowMs);
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
