import { sendsToRemember, type Writer } from './decide.ts';
import { type ChatterFacts, factsMs } from './protocol.ts';

/** Who may write in a room and what they wrote last. Kept in memory; every change is in SQLite before it is answered. */
export interface Chatters {
  /** Undefined when the room does not know them, or has not asked about them for some minutes. */
  writer(userId: string, nowMs: number): Writer | undefined;
  /** Takes note of what the database says of somebody. */
  learn(facts: ChatterFacts, nowMs: number): void;
  noteSent(userId: string, text: string, nowMs: number): void;
  /** Bans or unbans somebody. For some time this counts for more than what is learnt of them, which may be older. */
  setBan(userId: string, ban: ChatterFacts['ban'], nowMs: number): void;
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
  readonly relay: number | null;
}

interface Entry {
  facts: ChatterFacts;
  knownAtMs: number;
  sentAtMs: number[];
  lastText: string | undefined;
  relay: number | undefined;
}

const rememberMs = 86_400_000;
/** Longer than any read of the database takes that began before a ban. */
const settlingMs = 60_000;

export function createChatters(sql: SqlStorage): Chatters {
  const inMemory = new Map<string, Entry>();

  function entryOf(userId: string): Entry | undefined {
    const known = inMemory.get(userId);
    if (known !== undefined) return known;
    const [row] = sql
      .exec<Row>(
        'SELECT facts, known_at_ms, sent_at, last_text, relay FROM chatters WHERE user_id = ?',
        userId,
      )
      .toArray();
    if (row === undefined) return undefined;
    const entry: Entry = {
      facts: JSON.parse(row.facts) as ChatterFacts,
      knownAtMs: row.known_at_ms,
      sentAtMs: JSON.parse(row.sent_at) as number[],
      lastText: row.last_text ?? undefined,
      relay: row.relay ?? undefined,
    };
    inMemory.set(userId, entry);
    return entry;
  }

  function recentBan(userId: string, nowMs: number): { readonly value: ChatterFacts['ban'] } | undefined {
    const [row] = sql
      .exec<{ ban: string }>(
        'SELECT ban FROM bans WHERE user_id = ? AND set_at_ms >= ?',
        userId,
        nowMs - settlingMs,
      )
      .toArray();
    return row === undefined ? undefined : { value: JSON.parse(row.ban) as ChatterFacts['ban'] };
  }

  return {
    writer(userId, nowMs) {
      const entry = entryOf(userId);
      return entry === undefined || entry.knownAtMs + factsMs <= nowMs ? undefined : entry;
    },
    learn(stated, nowMs) {
      const ban = recentBan(stated.userId, nowMs);
      const facts = ban === undefined ? stated : { ...stated, ban: ban.value };
      const entry = entryOf(facts.userId) ?? {
        facts,
        knownAtMs: nowMs,
        sentAtMs: [],
        lastText: undefined,
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
    },
    noteSent(userId, text, nowMs) {
      const entry = entryOf(userId);
      if (entry === undefined) return;
      entry.sentAtMs = [...entry.sentAtMs, nowMs].slice(-sendsToRemember(entry.facts));
      entry.lastText = text;
      sql.exec(
        'UPDATE chatters SET sent_at = ?, last_text = ? WHERE user_id = ?',
        JSON.stringify(entry.sentAtMs),
        text,
        userId,
      );
    },
    setBan(userId, ban, nowMs) {
      sql.exec('DELETE FROM bans WHERE set_at_ms < ?', nowMs - settlingMs);
      sql.exec(
        `INSERT INTO bans (user_id, ban, set_at_ms) VALUES (?, ?, ?)
         ON CONFLICT (user_id) DO UPDATE SET ban = excluded.ban, set_at_ms = excluded.set_at_ms`,
        userId,
        JSON.stringify(ban),
        nowMs,
      );
      const entry = entryOf(userId);
      if (entry === undefined) return;
      entry.facts = { ...entry.facts, ban };
      sql.exec('UPDATE chatters SET facts = ? WHERE user_id = ?', JSON.stringify(entry.facts), userId);
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
