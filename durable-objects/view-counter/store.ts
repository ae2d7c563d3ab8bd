import type { Claim, SessionFacts } from './protocol.ts';
import type { Progress, SessionState } from './session.ts';
import type { Totals } from './totals.ts';

export interface SessionRow {
  readonly facts: SessionFacts;
  readonly counted: boolean;
  readonly state: SessionState;
  readonly settled: Progress;
  readonly dirty: boolean;
  readonly claimed: boolean;
}

/** Sessions, and what is on its way to the totals of the video. */
export interface CountStore {
  fact(name: string): string | undefined;
  setFact(name: string, value: string): void;

  session(id: string): SessionRow | undefined;
  insertSession(row: SessionRow): void;
  /** Writes what a heartbeat changed. */
  updateSession(row: SessionRow): void;
  settleSession(id: string, settled: Progress): void;
  dirtySessions(limit: number): SessionRow[];
  /** Counted sessions of a viewer with a heartbeat since then. */
  parallelSessions(viewer: string, sinceMs: number): number;
  /** When the sessions had their last heartbeat, of those since then. */
  recentSessions(sinceMs: number): { id: string; lastAtMs: number }[];
  untoldSessions(idleBeforeMs: number, toldBeforeMs: number, limit: number): SessionRow[];
  hasUntold(): boolean;
  markTold(id: string, lastAtMs: number): void;
  dropSessions(expiredBeforeMs: number): void;

  dayTotals(): Map<string, Totals>;
  setDayTotals(day: string, totals: Totals): void;
  addMinute(minute: number, views: number, watchMs: number): void;
  minutes(): { minute: number; views: number; watchMs: number }[];
  addClaim(claim: Claim): void;
  /** The oldest claims, and the last of their ids. */
  claims(limit: number): { readonly claims: Claim[]; readonly lastId: number };
  /** Forgets what a batch has taken over; of the claims those up to `lastClaimId`. */
  clearTotals(lastClaimId: number): void;
  hasTotals(): boolean;
  hasDirty(): boolean;
  hasClaims(): boolean;

  outgoing(): { seq: number; views: number; batch: string } | undefined;
  setOutgoing(seq: number, views: number, batch: string): void;
  dropOutgoing(seq: number): void;
  isEmpty(): boolean;
}

interface Row extends Record<string, SqlStorageValue> {
  readonly facts: string;
  readonly counted: number;
  readonly state: string;
  readonly settled: string;
  readonly dirty: number;
  readonly claimed: number;
}

const rowColumns = 'facts, counted, state, settled, dirty, claimed';

// Written by `insertSession` and `updateSession`, and by nobody else.
const rowOf = (row: Row): SessionRow => ({
  facts: JSON.parse(row.facts) as SessionFacts,
  counted: row.counted === 1,
  state: JSON.parse(row.state) as SessionState,
  settled: JSON.parse(row.settled) as Progress,
  dirty: row.dirty === 1,
  claimed: row.claimed === 1,
});

const flag = (value: boolean): number => (value ? 1 : 0);

export function createCountStore(sql: SqlStorage): CountStore {
  const any = (query: string): boolean => sql.exec(`SELECT 1 ${query} LIMIT 1`).toArray().length > 0;
  return {
    fact(name) {
      const [row] = sql.exec<{ value: string }>('SELECT value FROM facts WHERE name = ?', name).toArray();
      return row?.value;
    },
    setFact(name, value) {
      sql.exec(
        'INSERT INTO facts (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
        name,
        value,
      );
    },
    session(id) {
      const [row] = sql.exec<Row>(`SELECT ${rowColumns} FROM sessions WHERE id = ?`, id).toArray();
      return row === undefined ? undefined : rowOf(row);
    },
    insertSession({ facts, counted, state, settled, dirty, claimed }) {
      sql.exec(
        `INSERT INTO sessions (id, viewer, facts, counted, state, settled, dirty, claimed, last_at_ms, untold, told_at_ms, expires_at_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        facts.id,
        facts.viewer,
        JSON.stringify(facts),
        flag(counted),
        JSON.stringify(state),
        JSON.stringify(settled),
        flag(dirty),
        flag(claimed),
        state.lastAtMs,
        flag(facts.userId !== undefined),
        facts.startedAtMs,
        facts.expiresAtMs,
      );
    },
    updateSession({ facts, counted, state, dirty, claimed }) {
      sql.exec(
        'UPDATE sessions SET counted = ?, state = ?, dirty = ?, claimed = ?, last_at_ms = ?, untold = ? WHERE id = ?',
        flag(counted),
        JSON.stringify(state),
        flag(dirty),
        flag(claimed),
        state.lastAtMs,
        flag(facts.userId !== undefined),
        facts.id,
      );
    },
    settleSession: (id, settled) =>
      void sql.exec('UPDATE sessions SET settled = ?, dirty = 0 WHERE id = ?', JSON.stringify(settled), id),
    dirtySessions: (limit) =>
      sql.exec<Row>(`SELECT ${rowColumns} FROM sessions WHERE dirty = 1 LIMIT ?`, limit).toArray().map(rowOf),
    parallelSessions: (viewer, sinceMs) =>
      sql
        .exec<{ count: number }>(
          'SELECT count(*) AS count FROM sessions WHERE viewer = ? AND counted = 1 AND last_at_ms >= ?',
          viewer,
          sinceMs,
        )
        .one().count,
    recentSessions: (sinceMs) =>
      sql
        .exec<{ id: string; lastAtMs: number }>(
          'SELECT id, last_at_ms AS lastAtMs FROM sessions WHERE last_at_ms >= ?',
          sinceMs,
        )
        .toArray(),
    untoldSessions: (idleBeforeMs, toldBeforeMs, limit) =>
      sql
        .exec<Row>(
          `SELECT ${rowColumns} FROM sessions WHERE untold = 1 AND (last_at_ms <= ? OR told_at_ms <= ?) LIMIT ?`,
          idleBeforeMs,
          toldBeforeMs,
          limit,
        )
        .toArray()
        .map(rowOf),
    hasUntold: () => any('FROM sessions WHERE untold = 1'),
    markTold: (id, lastAtMs) =>
      void sql.exec(
        'UPDATE sessions SET untold = last_at_ms > ?, told_at_ms = ? WHERE id = ?',
        lastAtMs,
        lastAtMs,
        id,
      ),
    dropSessions: (expiredBeforeMs) =>
      void sql.exec(
        'DELETE FROM sessions WHERE expires_at_ms < ? AND dirty = 0 AND untold = 0',
        expiredBeforeMs,
      ),

    dayTotals: () =>
      new Map(
        sql
          .exec<{ day: string; totals: string }>('SELECT day, totals FROM day_totals ORDER BY day')
          .toArray()
          .map(({ day, totals }) => [day, JSON.parse(totals) as Totals]),
      ),
    setDayTotals: (day, totals) =>
      void sql.exec(
        'INSERT INTO day_totals (day, totals) VALUES (?, ?) ON CONFLICT DO UPDATE SET totals = excluded.totals',
        day,
        JSON.stringify(totals),
      ),
    addMinute: (minute, views, watchMs) =>
      void sql.exec(
        `INSERT INTO minute_totals (minute, views, watch_ms) VALUES (?, ?, ?)
         ON CONFLICT DO UPDATE SET views = views + excluded.views, watch_ms = watch_ms + excluded.watch_ms`,
        minute,
        views,
        watchMs,
      ),
    minutes: () =>
      sql
        .exec<{ minute: number; views: number; watchMs: number }>(
          'SELECT minute, views, watch_ms AS watchMs FROM minute_totals ORDER BY minute',
        )
        .toArray(),
    addClaim: (claim) => void sql.exec('INSERT INTO claims (claim) VALUES (?)', JSON.stringify(claim)),
    claims(limit) {
      const rows = sql
        .exec<{ id: number; claim: string }>('SELECT id, claim FROM claims ORDER BY id LIMIT ?', limit)
        .toArray();
      return { claims: rows.map(({ claim }) => JSON.parse(claim) as Claim), lastId: rows.at(-1)?.id ?? 0 };
    },
    clearTotals(lastClaimId) {
      sql.exec('DELETE FROM day_totals');
      sql.exec('DELETE FROM minute_totals');
      sql.exec('DELETE FROM claims WHERE id <= ?', lastClaimId);
    },
    hasTotals: () => any('FROM day_totals') || any('FROM claims') || any('FROM minute_totals'),
    hasClaims: () => any('FROM claims'),
    hasDirty: () => any('FROM sessions WHERE dirty = 1'),

    outgoing() {
      const [row] = sql
        .exec<{ seq: number; views: number; batch: string }>('SELECT seq, views, batch FROM outgoing')
        .toArray();
      return row;
    },
    setOutgoing: (seq, views, batch) =>
      void sql.exec('INSERT INTO outgoing (seq, views, batch) VALUES (?, ?, ?)', seq, views, batch),
    dropOutgoing: (seq) => void sql.exec('DELETE FROM outgoing WHERE seq = ?', seq),
    isEmpty: () =>
      !['sessions', 'day_totals', 'claims', 'outgoing', 'viewers', 'day_sketches', 'others'].some((table) =>
        any(`FROM ${table}`),
      ),
  };
}
