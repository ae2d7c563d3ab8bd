import type { HubEvent, SequencedEvent } from './protocol.ts';

/** The last events of one user, for clients that come back. */
export interface EventStore {
  /** Keeps an event. Undefined when one with the same id is already there. */
  append(event: HubEvent, atMs: number): SequencedEvent | undefined;
  seqOf(eventId: string): number | undefined;
  /** Events after `seq`, oldest first. */
  after(seq: number): SequencedEvent[];
  /** Highest sequence number ever given out; 0 when none. */
  lastSeq(): number;
  /** Lowest sequence number still kept; undefined when none is. */
  firstSeq(): number | undefined;
  prune(olderThanMs: number, keep: number): void;
  oldestAt(): number | undefined;
}

interface Row extends Record<string, SqlStorageValue> {
  readonly seq: number;
  readonly event_id: string;
  readonly type: string;
  readonly data: string;
}

export function createEventStore(sql: SqlStorage): EventStore {
  const number = (query: string, ...bindings: SqlStorageValue[]): number | undefined => {
    const [row] = sql.exec<{ value: number | null }>(query, ...bindings).toArray();
    return row?.value ?? undefined;
  };
  return {
    append(event, atMs) {
      const [row] = sql
        .exec<{ seq: number }>(
          'INSERT INTO events (event_id, type, data, stored_at_ms) VALUES (?, ?, ?, ?) ON CONFLICT (event_id) DO NOTHING RETURNING seq',
          event.id,
          event.type,
          JSON.stringify(event.data),
          atMs,
        )
        .toArray();
      return row === undefined ? undefined : { seq: row.seq, event };
    },
    seqOf: (eventId) => number('SELECT seq AS value FROM events WHERE event_id = ?', eventId),
    after: (seq) =>
      sql
        .exec<Row>('SELECT seq, event_id, type, data FROM events WHERE seq > ? ORDER BY seq', seq)
        .toArray()
        .map((row) => ({
          seq: row.seq,
          event: { id: row.event_id, type: row.type, data: JSON.parse(row.data) as unknown },
        })),
    lastSeq: () => number("SELECT seq AS value FROM sqlite_sequence WHERE name = 'events'") ?? 0,
    firstSeq: () => number('SELECT min(seq) AS value FROM events'),
    prune(olderThanMs, keep) {
      sql.exec(
        `DELETE FROM events WHERE stored_at_ms < ?
           OR seq <= (SELECT seq FROM events ORDER BY seq DESC LIMIT 1 OFFSET ?)`,
        olderThanMs,
        keep,
      );
    },
    oldestAt: () => number('SELECT min(stored_at_ms) AS value FROM events'),
  };
}
