/** A request known under its key. */
export interface RequestRecord {
  readonly fingerprint: string;
  readonly seed: string;
  /** Who runs it now; null when nobody does. */
  readonly claim: string | null;
  readonly attempts: number;
  readonly leaseEndsAtMs: number;
  readonly expiresAtMs: number;
  readonly answered: boolean;
}

export interface StoredAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface RequestStore {
  read(scope: string): RequestRecord | undefined;
  readAnswer(scope: string): StoredAnswer | undefined;
  insert(scope: string, record: Omit<RequestRecord, 'answered' | 'attempts'>): void;
  /** Starts another attempt. */
  claim(scope: string, claim: string, leaseEndsAtMs: number): void;
  /** Ends the current attempt without an answer. */
  unclaim(scope: string): void;
  answer(scope: string, answer: StoredAnswer, atMs: number): void;
  remove(scope: string): void;
  /** Forgets up to `limit` expired requests, the oldest first. */
  prune(nowMs: number, limit: number): void;
  nextExpiry(): number | undefined;
}

// A row may hold 2 MB; smaller pieces keep a wide margin and let SQLite reuse pages.
const chunkBytes = 256 * 1_024;

export function createRequestStore(storage: DurableObjectStorage): RequestStore {
  const { sql } = storage;
  const remove = (scope: string) => {
    sql.exec('DELETE FROM body_chunks WHERE scope = ?', scope);
    sql.exec('DELETE FROM requests WHERE scope = ?', scope);
  };
  return {
    read(scope) {
      const [row] = sql
        .exec<{
          fingerprint: string;
          seed: string;
          claim: string | null;
          attempts: number;
          lease_ends_at_ms: number;
          expires_at_ms: number;
          answered_at_ms: number | null;
        }>(
          `SELECT fingerprint, seed, claim, attempts, lease_ends_at_ms, expires_at_ms, answered_at_ms
             FROM requests WHERE scope = ?`,
          scope,
        )
        .toArray();
      if (row === undefined) return undefined;
      return {
        fingerprint: row.fingerprint,
        seed: row.seed,
        claim: row.claim,
        attempts: row.attempts,
        leaseEndsAtMs: row.lease_ends_at_ms,
        expiresAtMs: row.expires_at_ms,
        answered: row.answered_at_ms !== null,
      };
    },
    readAnswer(scope) {
      const [row] = sql
        .exec<{ status: number | null; headers: string | null }>(
          'SELECT status, headers FROM requests WHERE scope = ? AND answered_at_ms IS NOT NULL',
          scope,
        )
        .toArray();
      if (row === undefined || row.status === null || row.headers === null) return undefined;
      const chunks = sql
        .exec<{ bytes: ArrayBuffer }>(
          'SELECT bytes FROM body_chunks WHERE scope = ? ORDER BY position',
          scope,
        )
        .toArray();
      return {
        status: row.status,
        headers: JSON.parse(row.headers) as Record<string, string>,
        body: joined(chunks.map((chunk) => new Uint8Array(chunk.bytes))),
      };
    },
    insert(scope, record) {
      sql.exec(
        `INSERT INTO requests (scope, fingerprint, seed, claim, attempts, lease_ends_at_ms, expires_at_ms)
           VALUES (?, ?, ?, ?, 1, ?, ?)`,
        scope,
        record.fingerprint,
        record.seed,
        record.claim,
        record.leaseEndsAtMs,
        record.expiresAtMs,
      );
    },
    claim(scope, claim, leaseEndsAtMs) {
      sql.exec(
        'UPDATE requests SET claim = ?, lease_ends_at_ms = ?, attempts = attempts + 1 WHERE scope = ?',
        claim,
        leaseEndsAtMs,
        scope,
      );
    },
    unclaim(scope) {
      sql.exec('UPDATE requests SET claim = NULL, lease_ends_at_ms = 0 WHERE scope = ?', scope);
    },
    answer(scope, answer, atMs) {
      storage.transactionSync(() => {
        sql.exec(
          'UPDATE requests SET claim = NULL, answered_at_ms = ?, status = ?, headers = ? WHERE scope = ?',
          atMs,
          answer.status,
          JSON.stringify(answer.headers),
          scope,
        );
        for (let start = 0; start < answer.body.length; start += chunkBytes)
          sql.exec(
            'INSERT INTO body_chunks (scope, position, bytes) VALUES (?, ?, ?)',
            scope,
            start / chunkBytes,
            answer.body.slice(start, start + chunkBytes),
          );
      });
    },
    remove(scope) {
      storage.transactionSync(() => remove(scope));
    },
    prune(nowMs, limit) {
      storage.transactionSync(() => {
        const expired = sql
          .exec<{ scope: string }>(
            'SELECT scope FROM requests WHERE expires_at_ms <= ? ORDER BY expires_at_ms LIMIT ?',
            nowMs,
            limit,
          )
          .toArray();
        for (const { scope } of expired) remove(scope);
      });
    },
    nextExpiry() {
      return (
        sql.exec<{ at: number | null }>('SELECT min(expires_at_ms) AS at FROM requests').one().at ?? undefined
      );
    },
  };
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(chunks.reduce((total, chunk) => total + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}
