import type { PinnedMessage, PollView } from './protocol.ts';

export interface NewPoll {
  readonly id: string;
  readonly title: string;
  readonly choices: readonly string[];
  readonly endsAtMs: number;
}

/** What hangs on the wall of a room: a message, and a question with its votes. */
export interface Notes {
  pinned(): PinnedMessage | null;
  pin(message: PinnedMessage | null): void;
  /** The last poll, whether it goes on or not. */
  poll(): PollView | null;
  open(poll: NewPoll): void;
  /** @returns false when they have voted already. */
  vote(pollId: string, userId: string, choice: number): boolean;
  /** Ends the poll that goes on. */
  close(): void;
}

interface PollRow extends Record<string, SqlStorageValue> {
  readonly id: string;
  readonly title: string;
  readonly choices: string;
  readonly ends_at_ms: number;
  readonly ended: number;
}

export function createNotes(sql: SqlStorage): Notes {
  return {
    pinned() {
      const [row] = sql.exec<{ value: string }>("SELECT value FROM facts WHERE name = 'pinned'").toArray();
      return row === undefined ? null : (JSON.parse(row.value) as PinnedMessage);
    },
    pin(message) {
      if (message === null) sql.exec("DELETE FROM facts WHERE name = 'pinned'");
      else
        sql.exec(
          "INSERT INTO facts (name, value) VALUES ('pinned', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
          JSON.stringify(message),
        );
    },
    poll() {
      const [row] = sql
        .exec<PollRow>('SELECT id, title, choices, ends_at_ms, ended FROM polls ORDER BY rowid DESC LIMIT 1')
        .toArray();
      if (row === undefined) return null;
      const votes = sql
        .exec<{ choice: number; votes: number }>(
          'SELECT choice, count(*) AS votes FROM votes WHERE poll_id = ? GROUP BY choice',
          row.id,
        )
        .toArray();
      return {
        id: row.id,
        title: row.title,
        choices: (JSON.parse(row.choices) as string[]).map((text, index) => ({
          text,
          votes: votes.find(({ choice }) => choice === index)?.votes ?? 0,
        })),
        ends_at: row.ends_at_ms,
        ended: row.ended === 1,
      };
    },
    open({ id, title, choices, endsAtMs }) {
      // Votes of polls that are over stand in their last event.
      sql.exec('DELETE FROM votes');
      sql.exec('DELETE FROM polls');
      sql.exec(
        'INSERT INTO polls (id, title, choices, ends_at_ms, ended) VALUES (?, ?, ?, ?, 0)',
        id,
        title,
        JSON.stringify(choices),
        endsAtMs,
      );
    },
    vote: (pollId, userId, choice) =>
      sql
        .exec(
          'INSERT INTO votes (poll_id, user_id, choice) VALUES (?, ?, ?) ON CONFLICT DO NOTHING RETURNING 1 AS cast_now',
          pollId,
          userId,
          choice,
        )
        .toArray().length > 0,
    close() {
      sql.exec('UPDATE polls SET ended = 1');
    },
  };
}
