import { heldEndedFrame, heldFrame } from '../chat-relay/protocol.ts';
import type { NewEvent } from './log-store.ts';
import type { HeldMessage, HeldOutcome, Notice } from './protocol.ts';

/** How long moderators have; after that, a message is not said. */
export const heldMs = 300_000;
/** What waits in a room at most. */
export const maxHeld = 500;
/** How long it is known what became of a message, for clients that send it again. */
const rememberMs = 600_000;

/** A message that waits, as it will be said. */
interface Waiting {
  readonly view: HeldMessage;
  readonly entry: NewEvent;
}

/** Messages that wait for a moderator. Each is decided on once. */
export interface Held {
  /** @returns false when too many wait. */
  hold(waiting: Waiting): boolean;
  /** What became of a message, by what its author's client called it. */
  sentAs(
    authorId: string,
    clientId: string,
  ): { readonly messageId: string; readonly state: HeldState } | undefined;
  /** Those that wait behind `after`, the oldest first. */
  list(after: string | undefined, limit: number): HeldMessage[];
  /** Ends the waiting of a message. @returns it; undefined when it does not wait any more. */
  end(messageId: string, outcome: HeldOutcome): Waiting | undefined;
  /** Denies all that somebody has waiting. @returns what is to be told of it. */
  denyAll(authorId: string): Notice[];
  /** Ends what has waited for too long, and forgets what ended long ago. */
  expire(nowMs: number): Notice[];
  /** When something is next to be done. */
  dueMs(): number | undefined;
}

export type HeldState = 'held' | HeldOutcome;

export function createHeld(sql: SqlStorage): Held {
  const rowsWhere = (condition: string, ...bindings: SqlStorageValue[]): Waiting[] =>
    sql
      .exec<{ held: string }>(`SELECT held FROM held WHERE state = 'held' AND ${condition}`, ...bindings)
      .toArray()
      .map(({ held }) => JSON.parse(held) as Waiting);

  const end: Held['end'] = (messageId, outcome) => {
    const [waiting] = rowsWhere('message_id = ?', messageId);
    // Nobody needs the words of what is decided.
    sql.exec(
      "UPDATE held SET state = ?, held = '' WHERE message_id = ? AND state = 'held'",
      outcome,
      messageId,
    );
    return waiting;
  };

  const endAll = (waiting: readonly Waiting[], outcome: HeldOutcome): Notice[] =>
    waiting.flatMap(({ view, entry }) => {
      end(view.id, outcome);
      return endedNotices(view.id, entry.message?.authorId ?? '', outcome);
    });

  return {
    hold({ view, entry }) {
      const { waiting } = sql
        .exec<{ waiting: number }>("SELECT count(*) AS waiting FROM held WHERE state = 'held'")
        .one();
      if (waiting >= maxHeld || entry.message === undefined) return false;
      sql.exec(
        `INSERT INTO held (message_id, author_id, client_id, held, state, ends_at_ms) VALUES (?, ?, ?, ?, 'held', ?)`,
        view.id,
        entry.message.authorId,
        entry.message.clientId,
        JSON.stringify({ view, entry }),
        view.ends_at,
      );
      return true;
    },
    sentAs(authorId, clientId) {
      const [row] = sql
        .exec<{ message_id: string; state: string }>(
          'SELECT message_id, state FROM held WHERE author_id = ? AND client_id = ?',
          authorId,
          clientId,
        )
        .toArray();
      return row === undefined ? undefined : { messageId: row.message_id, state: row.state as HeldState };
    },
    // Ids of messages count up with time.
    list: (after, limit) =>
      rowsWhere('message_id > ? ORDER BY message_id LIMIT ?', after ?? '', limit).map(({ view }) => view),
    end,
    denyAll: (authorId) => endAll(rowsWhere('author_id = ?', authorId), 'denied'),
    expire(nowMs) {
      sql.exec("DELETE FROM held WHERE state <> 'held' AND ends_at_ms < ?", nowMs - rememberMs);
      return endAll(rowsWhere('ends_at_ms <= ?', nowMs), 'expired');
    },
    dueMs() {
      const { due } = sql
        .exec<{ due: number | null }>(
          "SELECT min(CASE state WHEN 'held' THEN ends_at_ms ELSE ends_at_ms + ? END) AS due FROM held",
          rememberMs,
        )
        .one();
      return due ?? undefined;
    },
  };
}

/** Tells moderators that a message waits. */
export const heldNotice = (view: HeldMessage): Notice => ({ to: 'moderators', frame: heldFrame(view) });

/** Tells moderators and its author what became of a message. */
export function endedNotices(messageId: string, authorId: string, outcome: HeldOutcome): Notice[] {
  const frame = heldEndedFrame(messageId, outcome);
  return [
    { to: 'moderators', frame },
    { to: { userId: authorId }, frame },
  ];
}
