import { keptEvents, type LogItem, type LogRun } from '../chat-room/protocol.ts';

/** Shown to those who come without a place to go on from. */
const shownAtFirst = 50;

/** What the log of a relay is connected to. */
export interface LogEnds {
  /** What the room has after `after`; without it, the latest. */
  read(after: number | undefined, limit: number): Promise<LogRun>;
  /** Takes what is new, each number once and in order. */
  passOn(after: number, items: readonly LogItem[]): void;
  /** There is a hole that nobody can fill: it goes on behind `head`. */
  startAnew(head: number): void;
}

/** How far a relay has followed the log of its room. Its calls are made one after the other. */
export interface RelayLog {
  /** The last number passed on; undefined before it has begun. */
  last(): number | undefined;
  begin(run: LogRun): void;
  /** Takes a run of the room's, and fills the hole before it, if there is one. */
  advance(run: LogRun): Promise<void>;
  /** What a client has missed, up to `to`; undefined when some of it is gone. */
  missed(after: number | undefined, to: number): Promise<readonly LogItem[] | undefined>;
  forget(): void;
}

// Only events of the room itself look like this; what people write cannot, since its quotes are escaped.
const blanking = /"event":\{"type":"(?:message_deleted|cleared|user_silenced)"/;

/** @param sql holds the number through sleep, in the row `settle` made. */
export function createRelayLog(sql: SqlStorage, known: number | undefined, ends: LogEnds): RelayLog {
  let last = known;
  let ring: LogItem[] = [];

  const setLast = (seq: number): void => {
    last = seq;
    sql.exec('UPDATE relay SET last = ? WHERE id = 1', seq);
  };

  const startAnew = (head: number): void => {
    ring = [];
    setLast(head);
    ends.startAnew(head);
  };

  const take = (after: number, items: readonly LogItem[]): void => {
    const to = items.at(-1)?.seq;
    if (to === undefined) return;
    // Words that were taken out stand in the ring as they were: it begins anew.
    ring = items.some(({ text }) => blanking.test(text)) ? [] : [...ring, ...items].slice(-keptEvents);
    setLast(to);
    ends.passOn(after, items);
  };

  return {
    last: () => last,
    begin(run) {
      ring = [...run.items];
      setLast(run.items.at(-1)?.seq ?? run.head);
    },
    async advance(run) {
      if (last === undefined) return;
      let next: LogRun = run;
      for (;;) {
        if (next.after === -1 || next.after > last) {
          if (next !== run && next.after === -1) return startAnew(next.head);
          next = await ends.read(last, keptEvents);
          if (next.after === -1) return startAnew(next.head);
        }
        const before = last;
        take(
          before,
          next.items.filter(({ seq }) => seq > before),
        );
        // A run is cut at its limit; the rest is asked for.
        if (last >= Math.max(next.head, run.items.at(-1)?.seq ?? 0)) return;
        next = await ends.read(last, keptEvents);
        if (next.items.length === 0 && next.after !== -1) return;
      }
    },
    async missed(after, to) {
      if (after === undefined) {
        const known = ring.filter(({ seq }) => seq <= to);
        if (known.length >= shownAtFirst) return known.slice(-shownAtFirst);
        const { items } = await ends.read(undefined, shownAtFirst + (last ?? 0) - to);
        return items.filter(({ seq }) => seq <= to);
      }
      if (after > to) return undefined;
      if (after === to) return [];
      const first = ring[0]?.seq;
      if (first !== undefined && after >= first - 1)
        return ring.filter(({ seq }) => seq > after && seq <= to);
      const items: LogItem[] = [];
      for (let reached = after; reached < to; ) {
        const run = await ends.read(reached, keptEvents);
        if (run.after === -1 || run.items.length === 0) return undefined;
        items.push(...run.items.filter(({ seq }) => seq <= to));
        reached = run.items.at(-1)?.seq ?? to;
      }
      return items;
    },
    forget() {
      last = undefined;
      ring = [];
    },
  };
}
