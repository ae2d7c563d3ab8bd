import { type Counted, counting, sendsToRemember, type Writer } from './decide.ts';
import { type ChatterFacts, factsMs, type Standing } from './protocol.ts';

/** Who may write in a room and what they wrote last. Kept in memory; every change is in SQLite before it is answered. */
export interface Chatters {
  /** Undefined when the room does not know them, or has not asked about them for some minutes. */
  writer(userId: string, nowMs: number): Writer | undefined;
  /**
   * Takes note of what the database says of somebody. What was decided about them since that was read stays so.
   * @returns what is known of them now.
   */
  learn(facts: ChatterFacts, nowMs: number): ChatterFacts;
  noteSent(userId: string, text: string, nowMs: number): void;
  /**
   * Takes note of what was decided about somebody, as of a version of the channel, unless something later is known.
   * @returns what they were until now: null where they are not known here, undefined where something later is.
   */
  decide(
    userId: string,
    standing: Partial<Standing>,
    version: number,
    nowMs: number,
  ): Standing | null | undefined;
  /** The relay their last socket went to. */
  seat(userId: string): number | undefined;
  sit(userId: string, relay: number): void;
  /** Forgets who has not been heard of for long. */
  forget(nowMs: number): void;
}

interface Row extends Record<string, SqlStorageValue> {
  readonly facts: string;
  readonly known_at_ms: number;
  readonly sent_at: string;
  readonly last_text: string | null;
  readonly counted: string;
  readonly relay: number | null;
}

interface Entry {
  facts: ChatterFacts;
  knownAtMs: number;
  sentAtMs: number[];
  lastText: string | undefined;
  counted: Counted;
  relay: number | undefined;
}

interface Decided {
  readonly standing: Partial<Standing>;
  readonly version: number;
}

const rememberMs = 86_400_000;
/** Longer than any read of the database takes that began before a decision. */
const settlingMs = 600_000;

export function createChatters(sql: SqlStorage): Chatters {
  const inMemory = new Map<string, Entry>();

  function entryOf(userId: string): Entry | undefined {
    const known = inMemory.get(userId);
    if (known !== undefined) return known;
    const [row] = sql
      .exec<Row>(
        'SELECT facts, known_at_ms, sent_at, last_text, counted, relay FROM chatters WHERE user_id = ?',
        userId,
      )
      .toArray();
    if (row === undefined) return undefined;
    const entry: Entry = {
      facts: JSON.parse(row.facts) as ChatterFacts,
      knownAtMs: row.known_at_ms,
      sentAtMs: JSON.parse(row.sent_at) as number[],
      lastText: row.last_text ?? undefined,
      counted: JSON.parse(row.counted) as Counted,
      relay: row.relay ?? undefined,
    };
    inMemory.set(userId, entry);
    return entry;
  }

  function decidedOf(userId: string): Decided | undefined {
    const [row] = sql
      .exec<{ standing: string; version: number }>(
        'SELECT standing, version FROM standings WHERE user_id = ?',
        userId,
      )
      .toArray();
    return row === undefined
      ? undefined
      : { standing: JSON.parse(row.standing) as Partial<Standing>, version: row.version };
  }

  /** What has been decided about somebody since the database was asked. */
  function laterThan(stated: ChatterFacts, known: Entry | undefined): Decided | undefined {
    const decided = decidedOf(stated.userId);
    if (decided !== undefined && decided.version > stated.version) return decided;
    if (known === undefined || known.facts.version <= stated.version) return undefined;
    const { role, ban, warning, version } = known.facts;
    return { standing: { role, ban, warning }, version };
  }

  return {
    writer(userId, nowMs) {
      const entry = entryOf(userId);
      if (entry === undefined || entry.knownAtMs + factsMs <= nowMs) return undefined;
      // A clock that was put back must not keep anybody from writing until it is there again.
      entry.sentAtMs = entry.sentAtMs.filter((atMs) => atMs <= nowMs);
      entry.counted = entry.counted.filter(([second]) => second * 1_000 <= nowMs);
      return entry;
    },
    learn(stated, nowMs) {
      const known = entryOf(stated.userId);
      const later = laterThan(stated, known);
      const facts = later === undefined ? stated : { ...stated, ...later.standing, version: later.version };
      const entry = known ?? {
        facts,
        knownAtMs: nowMs,
        sentAtMs: [],
        lastText: undefined,
        counted: [],
        relay: undefined,
      };
      inMemory.set(facts.userId, Object.assign(entry, { facts, knownAtMs: nowMs }));
      sql.exec(
        `INSERT INTO chatters (user_id, facts, known_at_ms) VALUES (?, ?, ?)
         ON CONFLICT (user_id) DO UPDATE SET facts = excluded.facts, known_at_ms = excluded.known_at_ms`,
        facts.userId,
        JSON.stringify(facts),
        nowMs,
      );
      return facts;
    },
    noteSent(userId, text, nowMs) {
      const entry = entryOf(userId);
      if (entry === undefined) return;
      entry.sentAtMs = [...entry.sentAtMs, nowMs].slice(-sendsToRemember(entry.facts));
      entry.lastText = text;
      entry.counted = counting(entry, nowMs);
      sql.exec(
        'UPDATE chatters SET sent_at = ?, last_text = ?, counted = ? WHERE user_id = ?',
        JSON.stringify(entry.sentAtMs),
        text,
        JSON.stringify(entry.counted),
        userId,
      );
    },
    decide(userId, standing, version, nowMs) {
      const decided = decidedOf(userId);
      if (decided !== undefined && decided.version > version) return undefined;
      const all = { ...decided?.standing, ...standing };
      sql.exec('DELETE FROM standings WHERE set_at_ms < ?', nowMs - settlingMs);
      sql.exec(
        `INSERT INTO standings (user_id, standing, version, set_at_ms) VALUES (?, ?, ?, ?)
         ON CONFLICT (user_id) DO UPDATE SET standing = excluded.standing, version = excluded.version,
           set_at_ms = excluded.set_at_ms`,
        userId,
        JSON.stringify(all),
        version,
        nowMs,
      );
      const entry = entryOf(userId);
      if (entry === undefined) return null;
      const before = entry.facts;
      entry.facts = { ...before, ...standing, version };
      sql.exec('UPDATE chatters SET facts = ? WHERE user_id = ?', JSON.stringify(entry.facts), userId);
      return before;
    },
    seat: (userId) => entryOf(userId)?.relay,
    sit(userId, relay) {
      const entry = entryOf(userId);
      if (entry === undefined || entry.relay === relay) return;
      entry.relay = relay;
      sql.exec('UPDATE chatters SET relay = ? WHERE user_id = ?', relay, userId);
    },
    forget(nowMs) {
      const gone = sql
        .exec<{ user_id: string }>(
          'DELETE FROM chatters WHERE known_at_ms < ? RETURNING user_id',
          nowMs - rememberMs,
        )
        .toArray();
      for (const { user_id } of gone) inMemory.delete(user_id);
    },
  };
}
