import { addToSketch, estimate, keyOfUser } from '../sketch.ts';
import { type ChatEvent, leaseMs } from './protocol.ts';
import { moodOf, sentimentOf, spokenOf } from './sentiment.ts';
import { type MinuteTally, minuteMs, minuteOf, type TallyFlush, type TallyReport } from './tally-protocol.ts';
import { createTallyStore, emptyMinute, type Minute } from './tally-store.ts';
import { createTopList } from './top-list.ts';

/**
 * How a room is watched and written in. Messages are counted from the log, some time after they were said: the number of the last
 * that is counted moves in the same transaction as the counts, so each counts once, whatever dies between.
 */
export interface Tally {
  /** Counts what the log has since. */
  count(): void;
  /** Takes note of how many are connected. */
  watch(connected: number, nowMs: number): void;
  /** Takes note of what the provider of the video counts. */
  noteProvider(count: number, atMs: number): void;
  /** How many look on. */
  viewers(connected: number, nowMs: number): number;
  report(): TallyReport;
  /** When a flush is due; undefined when there is nothing to send. */
  flushDueAtMs(): number | undefined;
  setFlushDue(atMs: number): void;
  /** The stream is over: a last flush is due, even where nothing has happened since the one before. */
  sumUp(atMs: number): void;
  /** Everything that is to be in the database. */
  freeze(streamId: string, nowMs: number): TallyFlush;
  /** A flush has arrived, or there is no such stream. */
  settle(flush: TallyFlush): void;
}

export interface TallyEnds {
  readonly sql: SqlStorage;
  readonly head: () => number;
  readonly atomically: <T>(work: () => T) => T;
}

interface LogRow extends Record<string, SqlStorageValue> {
  readonly seq: number;
  readonly at_ms: number;
  readonly author_id: string | null;
  readonly event: string;
}

export const flushAfterMs = 60_000;
/** A count of the provider is as good as none after this long. */
const providerMs = 180_000;
/** Those who come and go are written down at most so often; a sudden end of the object forgets that much of it. */
const watchMs = 1_000;
const renewMs = 10_000;
const countedAtOnce = 500;
const heldEmotes = 100;
const heldChatters = 200;

export function createTally({ sql, head, atomically }: TallyEnds): Tally {
  const store = createTallyStore(sql);
  const state = store.state();
  const { emotes: knownEmotes, chatters: knownChatters } = store.lists();
  const emotes = createTopList(heldEmotes, knownEmotes);
  const chatters = createTopList(heldChatters, knownChatters);
  const sketch = store.sketch();
  const minutes = new Map(store.minutes().map((minute) => [minute.minute, minute]));
  const changed = new Set<Minute>();
  let writers: { readonly minute: number; readonly users: Set<string> } | undefined;
  let savedAtMs = 0;

  function minuteAt(atMs: number): Minute {
    const key = minuteOf(atMs);
    const minute = minutes.get(key) ?? emptyMinute(key);
    minutes.set(key, minute);
    changed.add(minute);
    state.flushDueAtMs ??= atMs + flushAfterMs;
    return minute;
  }

  function save(): void {
    for (const minute of changed) store.saveMinute(minute);
    changed.clear();
    store.saveState(state);
  }

  /** Who wrote in a minute, up to what is counted. */
  function writersOf(minute: number): Set<string> {
    if (writers?.minute !== minute) {
      const rows = sql
        .exec<{ author_id: string }>(
          'SELECT DISTINCT author_id FROM events WHERE seq <= ? AND at_ms >= ? AND at_ms < ? AND author_id IS NOT NULL',
          state.seq,
          minute,
          minute + minuteMs,
        )
        .toArray();
      writers = { minute, users: new Set(rows.map(({ author_id }) => author_id)) };
    }
    return writers.users;
  }

  function countMessage(authorId: string, event: ChatEvent, atMs: number): void {
    if (event.type !== 'message') return;
    const minute = minuteAt(atMs);
    const users = writersOf(minute.minute);
    users.add(authorId);
    minute.chatters = users.size;
    const score = sentimentOf(spokenOf(event.fragments));
    const mood = moodOf(score);
    for (const sums of [minute, state]) {
      sums.messages += 1;
      sums.score += score;
      if (mood !== 'neutral') sums[mood] += 1;
    }
    addToSketch(sketch, keyOfUser(authorId));
    chatters.add(authorId);
    for (const part of event.fragments) if (part.type === 'emote') emotes.add(part.name);
  }

  /** @returns whether there may be more. */
  function countSome(): boolean {
    const rows = sql
      .exec<LogRow>(
        'SELECT seq, at_ms, author_id, event FROM events WHERE seq > ? ORDER BY seq LIMIT ?',
        state.seq,
        countedAtOnce,
      )
      .toArray();
    for (const { seq, at_ms, author_id, event } of rows) {
      if (author_id !== null) countMessage(author_id, JSON.parse(event) as ChatEvent, at_ms);
      state.seq = seq;
    }
    save();
    store.saveLists({ emotes: emotes.entries(), chatters: chatters.entries() });
    store.saveSketch(sketch);
    return rows.length === countedAtOnce;
  }

  const provided = (atMs: number): number =>
    state.provider !== null && atMs - state.provider.atMs < providerMs ? state.provider.count : 0;
  const viewers = (connected: number, nowMs: number): number => Math.max(connected, provided(nowMs));

  /** Adds the time since the last count to the minutes it lies in. */
  function spend(nowMs: number): void {
    // Relays renew their leases, and the provider counts each minute: who was not heard of for longer was not there.
    const heardMs = provided(state.viewersAtMs) > 0 ? providerMs : leaseMs;
    const untilMs = Math.min(nowMs, state.viewersAtMs + heardMs);
    for (let fromMs = state.viewersAtMs; state.viewers > 0 && fromMs < untilMs; ) {
      const toMs = Math.min(untilMs, minuteOf(fromMs) + minuteMs);
      for (const sums of [minuteAt(fromMs), state]) {
        sums.viewerMs += state.viewers * (toMs - fromMs);
        sums.watchedMs += toMs - fromMs;
      }
      fromMs = toMs;
    }
    state.viewersAtMs = Math.max(state.viewersAtMs, nowMs);
  }

  function report(): TallyReport {
    const { messages, positive, negative, score, peakViewers, peakAtMs, viewerMs, watchedMs } = state;
    return {
      viewers: state.viewers,
      totals: {
        messages,
        chatters: estimate(sketch),
        positive,
        negative,
        score,
        peakViewers,
        peakAtMs,
        viewerMs,
        watchedMs,
      },
      emotes: emotes.entries().slice(0, 20),
      topChatters: chatters.entries().slice(0, 50),
      minutes: [...minutes.values()].toSorted((one, other) => one.minute - other.minute) as MinuteTally[],
    };
  }

  const count = (): void => {
    while (state.seq < head() && atomically(countSome));
  };

  return {
    count,
    viewers,
    report,
    watch(connected, nowMs) {
      const shown = viewers(connected, nowMs);
      if (shown === state.viewers && (shown === 0 || nowMs - state.viewersAtMs < renewMs)) return;
      spend(nowMs);
      state.viewers = shown;
      if (shown > 0) {
        const minute = minuteAt(nowMs);
        minute.peakViewers = Math.max(minute.peakViewers, shown);
      }
      if (shown > state.peakViewers) Object.assign(state, { peakViewers: shown, peakAtMs: nowMs });
      if (nowMs - savedAtMs < watchMs) return;
      savedAtMs = nowMs;
      atomically(save);
    },
    noteProvider(count, atMs) {
      if (state.provider === null || state.provider.atMs < atMs) state.provider = { count, atMs };
    },
    flushDueAtMs: () =>
      minutes.size === 0 && !state.owesSummary ? undefined : (state.flushDueAtMs ?? undefined),
    setFlushDue(atMs) {
      state.flushDueAtMs = atMs;
      atomically(save);
    },
    freeze(streamId, nowMs) {
      count();
      spend(nowMs);
      state.flush += 1;
      state.flushDueAtMs = nowMs + flushAfterMs;
      atomically(save);
      return { ...report(), streamId, seq: state.flush, atMs: nowMs };
    },
    settle(flush) {
      const running = minuteOf(flush.atMs);
      for (const [key, minute] of minutes) {
        if (key >= running) continue;
        minutes.delete(key);
        changed.delete(minute);
      }
      store.dropMinutesBefore(running);
      state.owesSummary = false;
      if (minutes.size === 0) state.flushDueAtMs = null;
      atomically(save);
    },
    sumUp(atMs) {
      state.owesSummary = true;
      state.flushDueAtMs = atMs;
      atomically(save);
    },
  };
}
