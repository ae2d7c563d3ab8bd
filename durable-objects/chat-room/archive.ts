import type { Clock } from '../../src/shared/clock.ts';
import { type ArchiveFlush, type ArchiveResult, flushOf, type LoggedEvent } from './archive-flush.ts';
import type { LogStore } from './log-store.ts';

/** How a room's log gets to the database: in order, each event once, and again until it has arrived. */
export interface Archive {
  /** Number of the last event that has arrived. */
  readonly reached: () => number;
  /** Sends what is due. What fails is tried again later. */
  run(): Promise<void>;
  /** When to run next, Unix milliseconds; undefined when all has arrived. */
  dueAtMs(): number | undefined;
}

export interface ArchiveEnds {
  readonly sql: SqlStorage;
  readonly log: Pick<LogStore, 'head' | 'eventsAfter'>;
  readonly clock: Clock;
  /** Undefined before anybody came. */
  streamId(): string | undefined;
  outside(): ArchiveOutside;
}

export interface ArchiveOutside {
  send(flush: ArchiveFlush): Promise<ArchiveResult>;
  warn(error: unknown): void;
}

/** A room that is busy writes to the database so often. */
export const archivePeriodMs = 10_000;
/** Events in one statement. */
export const archiveBatch = 1_000;
/** Statements in a row, of one that has fallen behind; the alarm has other things to do, too. */
const maxRounds = 10;
const maxBackoffMs = 60_000;

interface State extends Record<string, SqlStorageValue> {
  readonly seq: number;
  readonly failures: number;
  readonly next_at_ms: number;
}

export function createArchive({ sql, log, clock, streamId, outside }: ArchiveEnds): Archive {
  let state = sql.exec<State>('SELECT seq, failures, next_at_ms FROM archive').one();

  const save = (changes: {
    readonly seq?: number;
    readonly failures?: number;
    readonly next_at_ms?: number;
  }): void => {
    state = { ...state, ...changes };
    sql.exec(
      'UPDATE archive SET seq = ?, failures = ?, next_at_ms = ?',
      state.seq,
      state.failures,
      state.next_at_ms,
    );
  };

  /** @returns whether there may be more to send at once. */
  async function sendBatch(stream: string): Promise<boolean> {
    const run: readonly LoggedEvent[] = log.eventsAfter(state.seq, archiveBatch);
    const last = run.at(-1);
    if (last === undefined) return false;
    const flush = flushOf(stream, run);
    if (flush.rows.length > 0 || flush.redactions.length > 0) {
      const result = await outside().send(flush);
      // Of a stream that is gone nothing is kept.
      if (!result.known) {
        save({ seq: log.head(), failures: 0 });
        return false;
      }
      if (result.more) return true;
    }
    save({ seq: last.seq, failures: 0 });
    return run.length === archiveBatch;
  }

  return {
    reached: () => state.seq,
    dueAtMs: () => (log.head() > state.seq ? state.next_at_ms : undefined),
    async run() {
      const stream = streamId();
      if (stream === undefined || log.head() <= state.seq || state.next_at_ms > clock.now()) return;
      // Should this object die now, what was sent is sent again then.
      save({ next_at_ms: clock.now() + archivePeriodMs });
      try {
        let isBehind = true;
        for (let round = 0; isBehind && round < maxRounds; round += 1) isBehind = await sendBatch(stream);
        if (isBehind) save({ next_at_ms: clock.now() });
      } catch (error) {
        const failures = state.failures + 1;
        const waitMs = Math.min(maxBackoffMs, 1_000 * 2 ** Math.min(failures, 10));
        save({ failures, next_at_ms: clock.now() + waitMs });
        outside().warn(error);
      }
    },
  };
}
