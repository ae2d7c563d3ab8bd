import type { PresenceFlush, Span } from '../../durable-objects/chat-relay/presence.ts';
import type { MinuteTally, TallyFlush } from '../../durable-objects/chat-room/tally-protocol.ts';

/** What Postgres does with flushes, by the contract of `applyTally` and `applyPresence`. */
export class Database {
  /** Decides whether a statement fails, and if so, whether it took effect. */
  trouble: () => 'works' | 'fails' | 'answer gets lost' = () => 'works';
  tally: TallyFlush | undefined;
  readonly minutes = new Map<number, MinuteTally>();
  readonly counters = new Map<string, PresenceFlush>();
  readonly #watched = new Map<string, Span[]>();

  async applyTally(flush: TallyFlush): Promise<boolean> {
    this.#attempt(() => {
      if (this.tally !== undefined && this.tally.seq >= flush.seq) return;
      this.tally = flush;
      for (const minute of flush.minutes) this.minutes.set(minute.minute, { ...minute });
    });
    return true;
  }

  async applyPresence(flush: PresenceFlush): Promise<void> {
    this.#attempt(() => {
      if ((this.counters.get(flush.counterId)?.seq ?? 0) < flush.seq)
        this.counters.set(flush.counterId, flush);
      for (const { userId, spans } of flush.people)
        this.#watched.set(userId, [...(this.#watched.get(userId) ?? []), ...spans]);
    });
  }

  watchedMs = (userId: string): number => united(this.#watched.get(userId) ?? []);

  #attempt(work: () => void): void {
    const trouble = this.trouble();
    if (trouble !== 'fails') work();
    if (trouble !== 'works') throw new Error('the database did not answer');
  }
}

/** How long stretches are together; where they overlap counts once. */
export function united(spans: readonly Span[]): number {
  let totalMs = 0;
  let reachedMs = Number.NEGATIVE_INFINITY;
  for (const [fromMs, toMs] of spans.toSorted((one, other) => one[0] - other[0])) {
    totalMs += Math.max(0, toMs - Math.max(fromMs, reachedMs));
    reachedMs = Math.max(reachedMs, toMs);
  }
  return totalMs;
}
