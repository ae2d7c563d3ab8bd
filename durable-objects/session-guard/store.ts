import { migrate } from '../sqlite-migrations.ts';
import { sessionGuardMigrations } from './schema.ts';

/** Which access tokens of a user are refused although they have not expired. */
export interface GuardState {
  /** Tokens of a lower epoch are refused. */
  readonly epoch: number;
  /** Ended sessions, each until its last access token has expired (Unix milliseconds). */
  readonly ended: readonly { readonly sessionId: string; readonly untilMs: number }[];
}

export interface AccessEnd {
  readonly sessionIds: readonly string[];
  /** Ends every token of a lower epoch too. */
  readonly epoch?: number;
  /** When the last token this refuses has expired, in Unix milliseconds. */
  readonly untilMs: number;
}

export interface GuardStore {
  read(nowMs: number): GuardState;
  add(end: AccessEnd): void;
  /** Forgets what has run out. @returns when the next thing does, or undefined when nothing is left. */
  prune(nowMs: number): number | undefined;
}

/** What a guard keeps. Most users never end a session, and for them nothing is stored, not even the tables. */
export function createGuardStore(storage: DurableObjectStorage): GuardStore {
  const { sql } = storage;
  const hasTables = (): boolean =>
    sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'ended_sessions'").toArray().length > 0;

  return {
    read(nowMs) {
      if (!hasTables()) return { epoch: 0, ended: [] };
      const [epoch] = sql.exec<{ value: number }>('SELECT value FROM epoch WHERE until_ms > ?', nowMs);
      const ended = sql
        .exec<{ session_id: string; until_ms: number }>(
          'SELECT session_id, until_ms FROM ended_sessions WHERE until_ms > ?',
          nowMs,
        )
        .toArray();
      return {
        epoch: epoch?.value ?? 0,
        ended: ended.map(({ session_id, until_ms }) => ({ sessionId: session_id, untilMs: until_ms })),
      };
    },
    add({ sessionIds, epoch, untilMs }) {
      migrate(storage, sessionGuardMigrations);
      storage.transactionSync(() => {
        for (const sessionId of sessionIds)
          sql.exec(
            `INSERT INTO ended_sessions (session_id, until_ms) VALUES (?, ?)
             ON CONFLICT (session_id) DO UPDATE SET until_ms = max(until_ms, excluded.until_ms)`,
            sessionId,
            untilMs,
          );
        if (epoch !== undefined)
          sql.exec(
            `INSERT INTO epoch (id, value, until_ms) VALUES (1, ?, ?)
             ON CONFLICT (id) DO UPDATE SET value = max(value, excluded.value), until_ms = max(until_ms, excluded.until_ms)`,
            epoch,
            untilMs,
          );
      });
    },
    prune(nowMs) {
      if (!hasTables()) return undefined;
      sql.exec('DELETE FROM ended_sessions WHERE until_ms <= ?', nowMs);
      sql.exec('DELETE FROM epoch WHERE until_ms <= ?', nowMs);
      const { next } = sql
        .exec<{ next: number | null }>(
          'SELECT min(until_ms) AS next FROM (SELECT until_ms FROM ended_sessions UNION ALL SELECT until_ms FROM epoch)',
        )
        .one();
      return next ?? undefined;
    },
  };
}
