import { decodeId, randomIds } from '../../src/shared/ids.ts';
import type { ChatEvent } from './protocol.ts';

/** An event of the log that is kept for good. */
export interface ArchiveRow {
  readonly seq: number;
  readonly atMs: number;
  readonly kind: 'message' | 'announcement' | 'pinned' | 'poll';
  /** That of a message; others get one of their own. */
  readonly id: string;
  readonly authorId: string | null;
  /** The message whose words stand in this one, too. */
  readonly quotesId: string | null;
  readonly event: ChatEvent;
  readonly isDeleted: boolean;
}

/** Takes the words out of what was said before `seq`: of one message, of one author, or of all. */
export interface Redaction {
  readonly seq: number;
  readonly messageId: string | null;
  readonly authorId: string | null;
  readonly isAll: boolean;
}

/** A run of a room's log on its way to the database. The same again changes nothing. */
export interface ArchiveFlush {
  readonly streamId: string;
  readonly rows: readonly ArchiveRow[];
  readonly redactions: readonly Redaction[];
}

/** `known` is false when there is no such stream; `more` when redactions have more to do: the same is to be sent again. */
export type ArchiveResult = { readonly known: false } | { readonly known: true; readonly more: boolean };

export interface LoggedEvent {
  readonly seq: number;
  readonly atMs: number;
  readonly event: ChatEvent;
}

const uuidOf = (kind: 'user' | 'chatMessage', id: string | undefined): string | null =>
  id === undefined ? null : (decodeId(kind, id) ?? null);

/** What of a run of the log is kept, and what it takes away. What rooms say of their state is neither. */
export function flushOf(streamId: string, run: readonly LoggedEvent[]): ArchiveFlush {
  return {
    streamId,
    rows: run.flatMap((logged) => rowOf(logged) ?? []),
    redactions: run.flatMap((logged) => redactionOf(logged) ?? []),
  };
}

function rowOf({ seq, atMs, event }: LoggedEvent): ArchiveRow | undefined {
  const plain = { seq, atMs, event, authorId: null, quotesId: null, isDeleted: false };
  switch (event.type) {
    case 'message':
      return {
        ...plain,
        kind: 'message',
        id: uuidOf('chatMessage', event.id) ?? randomIds.next(),
        authorId: uuidOf('user', event.author.id),
        quotesId: uuidOf('chatMessage', event.reply_to?.message_id),
        isDeleted: event.deleted === true,
      };
    case 'announcement':
      return {
        ...plain,
        kind: 'announcement',
        id: randomIds.next(),
        authorId: uuidOf('user', event.author.id),
      };
    case 'pinned':
      return {
        ...plain,
        kind: 'pinned',
        id: randomIds.next(),
        quotesId: uuidOf('chatMessage', event.pinned?.message_id),
      };
    case 'poll':
      return { ...plain, kind: 'poll', id: randomIds.next() };
    default:
      return undefined;
  }
}

function redactionOf({ seq, event }: LoggedEvent): Redaction | undefined {
  const none = { seq, messageId: null, authorId: null, isAll: false };
  if (event.type === 'message_deleted')
    return { ...none, messageId: uuidOf('chatMessage', event.message_id) };
  if (event.type === 'user_silenced') return { ...none, authorId: uuidOf('user', event.user_id) };
  return event.type === 'cleared' ? { ...none, isAll: true } : undefined;
}
