import { randomIds } from '../../src/shared/ids.ts';

/** Stretches of time in which somebody was there, Unix milliseconds. */
export type Span = readonly [fromMs: number, toMs: number];

/**
 * Who was there, on its way to the database. Counts are of the relay since it began, and stretches are united with what is known,
 * so a flush may arrive twice, late, or not at all where a later one does.
 */
export interface PresenceFlush {
  readonly streamId: string;
  /** Names this stretch of the relay's life. */
  readonly counterId: string;
  readonly seq: number;
  readonly joins: number;
  readonly leaves: number;
  /** Sockets of strangers, each a viewer, and how long they were there together. */
  readonly strangers: number;
  readonly strangersMs: number;
  readonly people: readonly { readonly userId: string; readonly spans: readonly Span[] }[];
}

/** Puts a flush into the database. */
export type ApplyPresence = (flush: PresenceFlush) => Promise<void>;

/** Who comes to a relay, stays and goes. Every change is in SQLite before the socket hears of anything. */
export interface Presence {
  /** @returns what the visit is known by. */
  join(userId: string | undefined, nowMs: number): number;
  leave(visit: number, nowMs: number): void;
  /** Ends the visits whose sockets are gone without a word, at the last time they were seen. */
  see(present: ReadonlySet<number>, nowMs: number): void;
  /** Sends what is due; all there is, once nobody is there. */
  flush(streamId: string, apply: ApplyPresence, nowMs: number): Promise<void>;
  /** Everything is sent and nobody is there: the next visit begins another count. */
  forget(): void;
}

interface Counts {
  counterId: string;
  seq: number;
  joins: number;
  leaves: number;
  strangers: number;
  /** Of those who have gone. */
  strangersMs: number;
  seenAtMs: number;
  sentAtMs: number;
}

interface Visit extends Record<string, SqlStorageValue> {
  readonly id: number;
  readonly user_id: string | null;
  readonly from_ms: number;
  readonly to_ms: number | null;
}

const flushEveryMs = 60_000;
/** Those who stay are told of so often, so that a crowd that sits still costs the database little. */
const stayMs = 600_000;
const peopleAtOnce = 500;

export function createPresence(sql: SqlStorage, atomically: <T>(work: () => T) => T): Presence {
  const [row] = sql.exec<{ counts: string }>('SELECT counts FROM presence').toArray();
  let counts = row === undefined ? undefined : (JSON.parse(row.counts) as Counts);

  function save(): void {
    sql.exec(
      'INSERT INTO presence (id, counts) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET counts = excluded.counts',
      JSON.stringify(counts),
    );
  }

  function begun(nowMs: number): Counts {
    counts ??= {
      counterId: randomIds.next(),
      seq: 0,
      joins: 0,
      leaves: 0,
      strangers: 0,
      strangersMs: 0,
      seenAtMs: nowMs,
      sentAtMs: nowMs,
    };
    return counts;
  }

  function end({ id, user_id, from_ms }: Visit, atMs: number): void {
    if (counts === undefined) return;
    const toMs = Math.max(from_ms, atMs);
    counts.leaves += 1;
    if (user_id !== null) return void sql.exec('UPDATE visits SET to_ms = ? WHERE id = ?', toMs, id);
    counts.strangersMs += toMs - from_ms;
    sql.exec('DELETE FROM visits WHERE id = ?', id);
  }

  const openVisits = (): Visit[] =>
    sql.exec<Visit>('SELECT id, user_id, from_ms, to_ms FROM visits WHERE to_ms IS NULL').toArray();

  /** Visits of people that the database should hear of, the longest unheard first. */
  const untold = (nowMs: number): Visit[] =>
    sql
      .exec<Visit>(
        `SELECT id, user_id, from_ms, to_ms FROM visits
         WHERE user_id IS NOT NULL AND (to_ms IS NOT NULL OR told_ms IS NULL OR told_ms <= ?) ORDER BY told_ms LIMIT ?`,
        nowMs - stayMs,
        peopleAtOnce,
      )
      .toArray();

  function frozen(streamId: string, visits: readonly Visit[], nowMs: number): PresenceFlush {
    const known = begun(nowMs);
    known.seq += 1;
    save();
    const stillThere = sql
      .exec<{ ms: number }>(
        'SELECT coalesce(sum(? - from_ms), 0) AS ms FROM visits WHERE user_id IS NULL AND from_ms < ?',
        nowMs,
        nowMs,
      )
      .one().ms;
    const byUser = Map.groupBy(visits, ({ user_id }) => user_id ?? '');
    const { counterId, seq, joins, leaves, strangers, strangersMs } = known;
    return {
      streamId,
      counterId,
      seq,
      joins,
      leaves,
      strangers,
      strangersMs: strangersMs + stillThere,
      people: [...byUser].map(([userId, theirs]) => ({
        userId,
        spans: theirs.map(({ from_ms, to_ms }) => [from_ms, to_ms ?? nowMs] as const),
      })),
    };
  }

  function told(visits: readonly Visit[], nowMs: number): void {
    const gone = visits.filter(({ to_ms }) => to_ms !== null).map(({ id }) => id);
    const here = visits.filter(({ to_ms }) => to_ms === null).map(({ id }) => id);
    sql.exec('DELETE FROM visits WHERE id IN (SELECT value FROM json_each(?))', JSON.stringify(gone));
    sql.exec(
      'UPDATE visits SET told_ms = ? WHERE id IN (SELECT value FROM json_each(?))',
      nowMs,
      JSON.stringify(here),
    );
  }

  return {
    join: (userId, nowMs) =>
      atomically(() => {
        const known = begun(nowMs);
        known.joins += 1;
        if (userId === undefined) known.strangers += 1;
        save();
        return sql
          .exec<{ id: number }>(
            'INSERT INTO visits (user_id, from_ms) VALUES (?, ?) RETURNING id',
            userId ?? null,
            nowMs,
          )
          .one().id;
      }),
    leave(visit, nowMs) {
      const [open] = sql
        .exec<Visit>('SELECT id, user_id, from_ms, to_ms FROM visits WHERE id = ? AND to_ms IS NULL', visit)
        .toArray();
      if (open === undefined) return;
      atomically(() => {
        end(open, nowMs);
        save();
      });
    },
    see(present, nowMs) {
      const known = counts;
      if (known === undefined) return;
      atomically(() => {
        for (const visit of openVisits()) if (!present.has(visit.id)) end(visit, known.seenAtMs);
        known.seenAtMs = nowMs;
        save();
      });
    },
    async flush(streamId, apply, nowMs) {
      if (counts === undefined) return;
      if (nowMs - counts.sentAtMs < flushEveryMs && openVisits().length > 0) return;
      for (;;) {
        const visits = untold(nowMs);
        const flush = atomically(() => frozen(streamId, visits, nowMs));
        await apply(flush);
        atomically(() => told(visits, nowMs));
        if (visits.length < peopleAtOnce) break;
      }
      counts.sentAtMs = nowMs;
      save();
    },
    forget() {
      counts = undefined;
      sql.exec('DELETE FROM presence');
    },
  };
}
