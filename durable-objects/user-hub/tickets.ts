/** A ticket that opens something once. */
export interface Ticket {
  /** SHA-256 of its secret, in hex. */
  readonly hash: string;
  /** What it opens, and nothing else: `realtime`, or a room. */
  readonly purpose: string;
  /** The token holder that asked for it, as JSON. */
  readonly holder: string;
  readonly expiresAtMs: number;
}

export interface TicketStore {
  /** Keeps a ticket; beyond the limit the oldest go. */
  keep(ticket: Ticket, nowMs: number): void;
  /** Takes a ticket away and yields it, if there was one: of several who show it, the first. */
  burn(hash: string): Ticket | undefined;
  /** Forgets the tickets of a session, or all of them. */
  forget(sessionId: string | undefined): void;
}

const maxTickets = 20;

interface Row extends Record<string, SqlStorageValue> {
  readonly hash: string;
  readonly purpose: string;
  readonly holder: string;
  readonly expires_at_ms: number;
}

export function createTicketStore(sql: SqlStorage): TicketStore {
  return {
    keep({ hash, purpose, holder, expiresAtMs }, nowMs) {
      sql.exec('DELETE FROM tickets WHERE expires_at_ms <= ?', nowMs);
      sql.exec(
        'INSERT INTO tickets (hash, purpose, holder, expires_at_ms) VALUES (?, ?, ?, ?)',
        hash,
        purpose,
        holder,
        expiresAtMs,
      );
      sql.exec(
        'DELETE FROM tickets WHERE rowid NOT IN (SELECT rowid FROM tickets ORDER BY rowid DESC LIMIT ?)',
        maxTickets,
      );
    },
    burn(hash) {
      const [row] = sql
        .exec<Row>('DELETE FROM tickets WHERE hash = ? RETURNING hash, purpose, holder, expires_at_ms', hash)
        .toArray();
      return row === undefined
        ? undefined
        : { hash: row.hash, purpose: row.purpose, holder: row.holder, expiresAtMs: row.expires_at_ms };
    },
    forget(sessionId) {
      if (sessionId === undefined) sql.exec('DELETE FROM tickets');
      else sql.exec("DELETE FROM tickets WHERE json_extract(holder, '$.sessionId') = ?", sessionId);
    },
  };
}
