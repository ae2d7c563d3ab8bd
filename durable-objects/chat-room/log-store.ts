import type { LoggedEvent } from './archive-flush.ts';
import {
  type ChatEvent,
  keptEvents,
  keptMs,
  type LogItem,
  type LogRun,
  unarchivedEvents,
} from './protocol.ts';

export interface NewEvent {
  readonly event: ChatEvent;
  readonly isKept: boolean;
  readonly mentions: readonly string[];
  /** How long others than moderators wait for it. */
  readonly delayMs: number;
  readonly message?: {
    readonly id: string;
    readonly authorId: string;
    readonly clientId: string;
    /** What uniqueness is judged by. */
    readonly text: string;
  };
}

/** The room's log: every event has the next number; the oldest are forgotten. */
export interface LogStore {
  /** @returns the number of the event. */
  append(entry: NewEvent, atMs: number): number;
  /** Highest number ever given out; 0 when none. */
  head(): number;
  /** What came after `after`, at most `limit` events. */
  runAfter(after: number, limit: number): LogRun;
  /** The last events, at most `limit`. */
  latest(limit: number): LogRun;
  /** A message by what its author's client called it. */
  sentAs(
    authorId: string,
    clientId: string,
  ): { readonly seq: number; readonly messageId: string } | undefined;
  message(messageId: string): { readonly authorId: string; readonly event: ChatEvent } | undefined;
  isSaid(text: string): boolean;
  /** Takes the words out of messages: of one, of one author, or of all. */
  blank(which: { readonly messageId: string } | { readonly authorId: string } | 'all'): void;
  /** What came after `after` and is kept, at most `limit` events. */
  eventsAfter(after: number, limit: number): LoggedEvent[];
  /**
   * Forgets what is old and archived. Of a room that is over, all of it.
   * @returns whether there is more than must be kept, to look at again.
   */
  prune(nowMs: number, room: { readonly archivedUpTo: number; readonly isOver: boolean }): boolean;
}

interface Row extends Record<string, SqlStorageValue> {
  readonly seq: number;
  readonly at_ms: number;
  readonly author_id: string | null;
  readonly kept: number;
  readonly mentions: string;
  readonly event: string;
  readonly shown_at_ms: number;
}

const columns = 'seq, at_ms, author_id, kept, mentions, event, shown_at_ms';

const itemOf = ({ seq, at_ms, author_id, kept, mentions, event, shown_at_ms }: Row): LogItem => ({
  seq,
  text: `{"seq":${seq},"at":${at_ms},"event":${event}}`,
  isKept: kept === 1,
  authorId: author_id ?? undefined,
  mentions: mentions === '' ? [] : mentions.split(' '),
  shownAtMs: shown_at_ms,
});

export function createLogStore(sql: SqlStorage): LogStore {
  const number = (query: string, ...bindings: SqlStorageValue[]): number | undefined =>
    sql.exec<{ value: number | null }>(query, ...bindings).toArray()[0]?.value ?? undefined;
  let head = number("SELECT seq AS value FROM sqlite_sequence WHERE name = 'events'") ?? 0;

  const runAfter = (after: number, limit: number): LogRun => {
    const first = number('SELECT min(seq) AS value FROM events') ?? head + 1;
    if (after > head || after < first - 1) return { after: -1, head, items: [] };
    const rows = sql
      .exec<Row>(`SELECT ${columns} FROM events WHERE seq > ? ORDER BY seq LIMIT ?`, after, limit)
      .toArray();
    return { after, head, items: rows.map(itemOf) };
  };

  return {
    append({ event, isKept, mentions, delayMs, message }, atMs) {
      const { seq } = sql
        .exec<{ seq: number }>(
          `INSERT INTO events (at_ms, author_id, client_id, message_id, text, kept, mentions, event, shown_at_ms)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING seq`,
          atMs,
          message?.authorId ?? null,
          message?.clientId ?? null,
          message?.id ?? null,
          message?.text ?? null,
          isKept ? 1 : 0,
          mentions.join(' '),
          JSON.stringify(event),
          delayMs === 0 ? 0 : atMs + delayMs,
        )
        .one();
      head = seq;
      return seq;
    },
    head: () => head,
    runAfter,
    latest(limit) {
      const first = number('SELECT min(seq) AS value FROM events') ?? head + 1;
      return runAfter(Math.max(first - 1, head - limit), limit);
    },
    sentAs(authorId, clientId) {
      const [row] = sql
        .exec<{ seq: number; message_id: string }>(
          'SELECT seq, message_id FROM events WHERE author_id = ? AND client_id = ?',
          authorId,
          clientId,
        )
        .toArray();
      return row === undefined ? undefined : { seq: row.seq, messageId: row.message_id };
    },
    message(messageId) {
      const [row] = sql
        .exec<{ author_id: string; event: string }>(
          'SELECT author_id, event FROM events WHERE message_id = ?',
          messageId,
        )
        .toArray();
      if (row === undefined) return undefined;
      return { authorId: row.author_id, event: JSON.parse(row.event) as ChatEvent };
    },
    isSaid: (text) => number('SELECT 1 AS value FROM events WHERE text = ? LIMIT 1', text) !== undefined,
    blank(which) {
      const blanked = `UPDATE events SET text = NULL,
          event = json_set(json_remove(event, '$.reply_to'), '$.fragments', json('[]'), '$.deleted', json('true'))
        WHERE message_id IS NOT NULL`;
      if (which === 'all') sql.exec(blanked);
      else if ('messageId' in which) sql.exec(`${blanked} AND message_id = ?`, which.messageId);
      else sql.exec(`${blanked} AND author_id = ?`, which.authorId);
    },
    eventsAfter: (after, limit) =>
      sql
        .exec<Pick<Row, 'seq' | 'at_ms' | 'event'>>(
          'SELECT seq, at_ms, event FROM events WHERE seq > ? ORDER BY seq LIMIT ?',
          after,
          limit,
        )
        .toArray()
        .map(({ seq, at_ms, event }) => ({ seq, atMs: at_ms, event: JSON.parse(event) as ChatEvent })),
    prune(nowMs, { archivedUpTo, isOver }) {
      const ring = isOver ? head : head - keptEvents;
      const upTo = Math.min(ring, Math.max(archivedUpTo, head - unarchivedEvents));
      sql.exec('DELETE FROM events WHERE seq <= ? AND at_ms < ?', upTo, nowMs - keptMs);
      return (number('SELECT min(seq) AS value FROM events') ?? head + 1) <= ring;
    },
  };
}

/** A run up to the first event that is not shown to everybody yet. */
export function shownOf(run: LogRun, nowMs: number): LogRun {
  const waiting = run.items.findIndex(({ shownAtMs }) => shownAtMs > nowMs);
  const next = run.items[waiting];
  if (next === undefined) return run;
  return { ...run, head: next.seq - 1, items: run.items.slice(0, waiting) };
}
