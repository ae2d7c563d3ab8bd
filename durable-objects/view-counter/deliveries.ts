import type { Audience } from './audience.ts';
import { type Ledger, watchingMs } from './ledger.ts';
import type { Flush, FlushResult, Handover, HandoverResult, Load, Told } from './protocol.ts';
import { type Pulse, shardsFor } from './pulse.ts';
import type { CountStore } from './store.ts';

/** One counter object, opened. */
export interface Counter {
  readonly store: CountStore;
  readonly ledger: Ledger;
  /** Only in the first object of a video. */
  readonly audience: Audience | undefined;
  readonly pulse: Pulse;
  readonly videoId: string;
  readonly shard: number;
  readonly counterId: string;
}

/** Who hands over. */
export interface Sender {
  readonly videoId: string;
  readonly ownerId: string;
  readonly knownViews: number;
  readonly counterId: string;
}

/** The world outside a counter object. */
export interface Outside {
  applyFlush(flush: Flush): Promise<FlushResult>;
  handOver(sender: Sender, handover: Handover | undefined, load: Load): Promise<HandoverResult>;
  /** Tells the owner's open connections how many views the video has. */
  announce(ownerId: string, videoId: string, views: number): Promise<void>;
  /** Sends how far signed-in viewers have come to the queue. */
  tell(videoId: string, told: readonly Told[]): Promise<void>;
  transaction<T>(work: () => T): T;
  log(event: string, error: unknown): void;
}

export const flushAfterMs = 40_000;
export const handoverAfterMs = 10_000;
const maxBackoffMs = 60_000;
export const tellWhenIdleMs = 30_000;
const tellAtLeastMs = 300_000;
const tellBatch = 100;
const maxTellRounds = 20;
const ownerNewsMs = 60_000;

export const shardsOf = (store: CountStore): number => Number(store.fact('shards') ?? 1);

export const flushDueOf = (store: CountStore): number | undefined => {
  const dueAtMs = Number(store.fact('flush_due_at') ?? 0);
  return dueAtMs === 0 ? undefined : dueAtMs;
};

export const setFlushDue = (store: CountStore, atMs: number | undefined): void =>
  store.setFact('flush_due_at', String(atMs ?? 0));

export const periodOf = (counter: Pick<Counter, 'audience'>): number =>
  counter.audience === undefined ? handoverAfterMs : flushAfterMs;

/**
 * Sends what was counted on its way when it is due, and keeps it until it has arrived; what fails is sent again, unchanged.
 * @returns false when the video is gone.
 */
export async function deliverIfDue(counter: Counter, outside: Outside, now: () => number): Promise<boolean> {
  const { store, ledger } = counter;
  const dueAtMs = flushDueOf(store);
  if (dueAtMs === undefined || dueAtMs > now()) return true;
  // What arrives from here on has its own time; should this object die now, what was sent is sent again then.
  setFlushDue(store, now() + periodOf(counter));
  try {
    let more = true;
    while (more) more = outside.transaction(() => ledger.collect());
    const send = counter.audience === undefined ? sendHandover : sendFlush;
    if (!(await send(counter, outside, now()))) return false;
    store.setFact('failures', '0');
    if (!store.hasTotals() && !store.hasDirty()) setFlushDue(store, undefined);
    else if (store.hasClaims() && counter.audience === undefined) setFlushDue(store, now());
  } catch (error) {
    const failures = Number(store.fact('failures') ?? 0) + 1;
    store.setFact('failures', String(failures));
    setFlushDue(store, now() + Math.min(maxBackoffMs, 1_000 * 2 ** Math.min(failures, 10)));
    outside.log('views.flush_failed', error);
  }
  return true;
}

async function sendFlush(counter: Counter, outside: Outside, nowMs: number): Promise<boolean> {
  const { store, ledger, videoId, counterId, pulse, audience } = counter;
  const others = audience?.otherLoad(nowMs - watchingMs).beatsPerSecond ?? 0;
  const shards = shardsFor(pulse.beatsPerSecond(nowMs) + others, shardsOf(store));
  const flush = outside.transaction(() => ledger.freezeFlush({ videoId, counterId, shards }));
  if (flush === undefined) return true;
  const result = await outside.applyFlush(flush);
  if (!result.known) return false;
  outside.transaction(() => {
    store.dropOutgoing(flush.seq);
    store.setFact('views', String(result.views));
    store.setFact('shards', String(flush.shards));
  });
  if (flush.views > 0) await tellOwner(counter, outside, result.views, nowMs);
  return true;
}

async function sendHandover(counter: Counter, outside: Outside, nowMs: number): Promise<boolean> {
  const { store, ledger, videoId, counterId, pulse } = counter;
  const handover = outside.transaction(() => ledger.freezeHandover(counterId));
  const load = { watching: pulse.watching(nowMs), beatsPerSecond: pulse.beatsPerSecond(nowMs) };
  const sender = {
    videoId,
    counterId,
    ownerId: store.fact('owner_id') ?? '',
    knownViews: Number(store.fact('known_views') ?? 0),
  };
  const result = await outside.handOver(sender, handover, load);
  outside.transaction(() => {
    if (handover !== undefined) store.dropOutgoing(handover.seq);
    store.setFact('views', String(result.views));
    store.setFact('watching', String(result.watching));
    store.setFact('shards', String(result.shards));
  });
  return true;
}

async function tellOwner(
  { store, videoId }: Counter,
  outside: Outside,
  views: number,
  nowMs: number,
): Promise<void> {
  const ownerId = store.fact('owner_id') ?? '';
  if (ownerId === '' || nowMs - Number(store.fact('owner_told_at') ?? 0) < ownerNewsMs) return;
  store.setFact('owner_told_at', String(nowMs));
  try {
    await outside.announce(ownerId, videoId, views);
  } catch (error) {
    outside.log('views.owner_not_told', error);
  }
}

/** Tells how far signed-in viewers have come: once they stop, and every five minutes until then. */
export async function tellProgress(
  { store, videoId }: Counter,
  outside: Outside,
  now: () => number,
): Promise<void> {
  try {
    for (let round = 0; round < maxTellRounds; round += 1) {
      const rows = store.untoldSessions(now() - tellWhenIdleMs, now() - tellAtLeastMs, tellBatch);
      if (rows.length === 0) return;
      const told = rows.flatMap(({ facts, state }) =>
        facts.userId === undefined
          ? []
          : [
              {
                userId: facts.userId,
                positionMs: state.positionMs,
                durationMs: facts.durationMs,
                watchedAtMs: state.lastAtMs,
              },
            ],
      );
      await outside.tell(videoId, told);
      // A heartbeat that came meanwhile is still to be told.
      for (const { facts, state } of rows) store.markTold(facts.id, state.lastAtMs);
    }
  } catch (error) {
    outside.log('views.progress_not_told', error);
  }
}
