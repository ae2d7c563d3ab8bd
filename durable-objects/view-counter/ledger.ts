import { hex } from '../../src/shared/encoding.ts';
import type { Audience } from './audience.ts';
import { type Beat, type Claim, dayOf, type Flush, type Handover, type SessionFacts } from './protocol.ts';
import { beginSession, isView, noProgress, partNamesOf, settle, takeBeat, watchedMs } from './session.ts';
import type { CountStore, SessionRow } from './store.ts';
import { addTotals, boundParts, noTotals, partsOf, splitPart, type Totals } from './totals.ts';

export interface LedgerOptions {
  /** How long a viewer's next view is part of the last. */
  readonly viewWindowMs: number;
  /** Sessions of one viewer that count at the same time. */
  readonly maxParallel: number;
}

/** What a heartbeat came to. */
export type Entry =
  | { readonly kind: 'accepted' | 'repeated'; readonly watchedMs: number }
  | { readonly kind: 'stale' }
  | { readonly kind: 'too_fast'; readonly retryAfterMs: number };

/** A session without a heartbeat for this long watches no more. */
export const watchingMs = 30_000;
const settleBatch = 2_000;
// A row holds 2 MB at most.
const claimsPerBatch = 5_000;
const openValuesPerBatch = 100;

const minuteOf = (unixMs: number): number => Math.floor(unixMs / 60_000);

/**
 * The books of one counter object. Every method leaves them whole; run each in a transaction. Without an audience it is one of
 * many objects of its video, and hands over claims instead of deciding them.
 */
export function createLedger(store: CountStore, audience: Audience | undefined, options: LedgerOptions) {
  const admitsOf = (day: string, known: Totals) => {
    if (audience !== undefined)
      return (dimension: string, value: string) => audience.admitValue(day, dimension, value);
    const values = new Set(Object.keys(known.parts));
    return (dimension: string, value: string): boolean => {
      const name = `${dimension}:${value}`;
      if (values.has(name)) return true;
      if (
        [...values].filter((other) => splitPart(other).dimension === dimension).length >= openValuesPerBatch
      )
        return false;
      values.add(name);
      return true;
    };
  };

  const addToDays = (days: ReadonlyMap<string, Totals>): void => {
    if (days.size === 0) return;
    const known = store.dayTotals();
    for (const [day, totals] of days) {
      const before = known.get(day) ?? noTotals;
      store.setDayTotals(day, addTotals(before, boundParts(totals, admitsOf(day, before))));
    }
  };

  const collectSessions = (rows: readonly SessionRow[]): void => {
    const days = new Map<string, Totals>();
    for (const { facts, counted, state, settled } of rows) {
      store.settleSession(facts.id, state.progress);
      if (!counted) continue;
      const totals = settle(facts, settled, state.progress);
      const day = dayOf(state.lastAtMs);
      days.set(day, addTotals(days.get(day) ?? noTotals, totals));
      if (totals.watchMs > 0) store.addMinute(minuteOf(state.lastAtMs), 0, totals.watchMs);
    }
    addToDays(days);
  };

  const decideClaims = (claims: readonly Claim[]): void => {
    if (audience === undefined) {
      for (const claim of claims) store.addClaim(claim);
      return;
    }
    const days = new Map<string, Totals>();
    for (const { viewer, atMs, parts } of claims) {
      const day = dayOf(atMs);
      audience.noteViewer(day, viewer);
      // A day with a new viewer is flushed even if nothing else of it is new.
      if (!days.has(day)) days.set(day, noTotals);
      if (!audience.isNewView(viewer, atMs, options.viewWindowMs)) continue;
      const view = { ...noTotals, views: 1, parts: partsOf(parts, { views: 1 }) };
      days.set(day, addTotals(days.get(day) ?? noTotals, view));
      store.addMinute(minuteOf(atMs), 1, 0);
    }
    addToDays(days);
  };

  const hasRoom = ({ viewer }: SessionFacts, nowMs: number): boolean =>
    store.parallelSessions(viewer, nowMs - watchingMs) < options.maxParallel;

  const opened = (facts: SessionFacts, nowMs: number): SessionRow => ({
    facts,
    counted: facts.counted && hasRoom(facts, nowMs),
    state: beginSession(facts),
    settled: noProgress,
    dirty: false,
    claimed: false,
  });

  // A session that was silent has left its place to others, and counts on only if there is room again.
  const reopened = (row: SessionRow, nowMs: number): SessionRow => {
    if (!row.counted || row.state.lastAtMs >= nowMs - watchingMs || hasRoom(row.facts, nowMs)) return row;
    if (row.dirty) collectSessions([row]);
    return { ...row, counted: false, settled: row.state.progress, dirty: false };
  };

  return {
    /** Takes a heartbeat of a session. */
    beat(facts: SessionFacts, beat: Beat, nowMs: number): Entry {
      const known = store.session(facts.id);
      const row = known === undefined ? opened(facts, nowMs) : reopened(known, nowMs);
      const outcome = takeBeat(row.state, row.facts, beat, nowMs);
      if (outcome.kind === 'repeated') return { kind: 'repeated', watchedMs: watchedMs(row.state) };
      if (outcome.kind !== 'accepted') return outcome;
      if (row.dirty && dayOf(row.state.lastAtMs) !== dayOf(outcome.state.lastAtMs)) collectSessions([row]);
      const { state } = outcome;
      const claims = row.counted && !row.claimed && isView(state, row.facts);
      const next = { ...row, state, dirty: true, claimed: row.claimed || claims };
      if (known === undefined) store.insertSession(next);
      else store.updateSession(next);
      if (claims)
        decideClaims([{ viewer: row.facts.viewer, atMs: state.lastAtMs, parts: partNamesOf(row.facts) }]);
      return { kind: 'accepted', watchedMs: watchedMs(state) };
    },

    /** Takes over what another object of the video collected; the same batch again changes nothing. */
    absorb(handover: Handover): void {
      if (handover.seq <= (audience?.other(handover.counterId)?.seq ?? 0)) return;
      addToDays(new Map(Object.entries(handover.days)));
      for (const [minute, { views, watchMs }] of Object.entries(handover.minutes))
        store.addMinute(Number(minute), views, watchMs);
      decideClaims(handover.claims);
    },

    /** Moves what sessions watched into the totals. @returns whether there is more. */
    collect(): boolean {
      const rows = store.dirtySessions(settleBatch);
      collectSessions(rows);
      return rows.length === settleBatch;
    },

    /** The flush on its way, or a new one made of the totals; undefined when there is nothing to flush. */
    freezeFlush(facts: Pick<Flush, 'videoId' | 'counterId' | 'shards'>): Flush | undefined {
      const waiting = store.outgoing();
      if (waiting !== undefined) return JSON.parse(waiting.batch) as Flush;
      if (!store.hasTotals()) return undefined;
      const days = [...store.dayTotals()];
      const views = days.reduce((sum, [, totals]) => sum + totals.views, 0);
      const seq = nextSeq(store);
      const flush: Flush = {
        ...facts,
        seq,
        views,
        days: days.map(([day, { parts: _, ...totals }]) => {
          const seen = audience?.dayViewers(day);
          return {
            day,
            ...totals,
            viewers: seen?.viewers ?? 0,
            sketch: seen === undefined ? null : hex(seen.sketch),
          };
        }),
        parts: days.flatMap(([day, { parts }]) =>
          Object.entries(parts).map(([name, part]) => ({ day, ...splitPart(name), ...part })),
        ),
        minutes: store.minutes().map(({ minute, ...minuteTotals }) => ({
          minute: new Date(minute * 60_000).toISOString(),
          ...minuteTotals,
        })),
      };
      store.setOutgoing(seq, views, JSON.stringify(flush));
      store.clearTotals(0);
      return flush;
    },

    /** The same for an object that hands over. */
    freezeHandover(counterId: string): Handover | undefined {
      const waiting = store.outgoing();
      if (waiting !== undefined) return JSON.parse(waiting.batch) as Handover;
      if (!store.hasTotals()) return undefined;
      const { claims, lastId } = store.claims(claimsPerBatch);
      const handover: Handover = {
        counterId,
        seq: nextSeq(store),
        days: Object.fromEntries(store.dayTotals()),
        minutes: Object.fromEntries(
          store.minutes().map(({ minute, ...minuteTotals }) => [String(minute), minuteTotals]),
        ),
        claims,
      };
      store.setOutgoing(handover.seq, 0, JSON.stringify(handover));
      store.clearTotals(lastId);
      return handover;
    },

    /** Views counted here that no finished flush holds. */
    unflushedViews(): number {
      const waiting = [...store.dayTotals().values()].reduce((sum, { views }) => sum + views, 0);
      return waiting + (store.outgoing()?.views ?? 0);
    },
  };
}

export type Ledger = ReturnType<typeof createLedger>;

function nextSeq(store: CountStore): number {
  const seq = Number(store.fact('seq') ?? 0) + 1;
  store.setFact('seq', String(seq));
  return seq;
}
