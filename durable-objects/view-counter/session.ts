import type { Beat, SessionFacts } from './protocol.ts';
import { cover, coverageOf, lengthOf, type Spans } from './spans.ts';
import { noTotals, partsOf, type Totals } from './totals.ts';

/** Faster than this nobody watches: watch time grows at most this much quicker than the clock. */
export const maxPlaybackRate = 2;
/** After a longer silence, only this much of it may be claimed. */
export const maxSilenceMs = 60_000;
export const maxSpans = 200;
/** A session is a view after this long, or after the whole film if it is shorter. */
export const viewAfterMs = 3_000;
/** Players do not always reach the very end of what a film is declared to last. */
const endToleranceMs = 250;
const completeShare = 0.95;
/** Heartbeats that arrive this far out of order still count. */
export const seqWindow = 32;
const paceMs = 1_000;
const paceBurst = 20;
export const maxErrorsPerSession = 50;

/** What a session watched and told, all told. Only ever grows. */
export interface Progress {
  readonly spans: Spans;
  readonly startupMs: number | null;
  readonly rebufferMs: number;
  readonly errors: Readonly<Record<string, number>>;
}

export interface SessionState {
  readonly progress: Progress;
  readonly positionMs: number;
  /** When the last heartbeat was accepted. */
  readonly lastAtMs: number;
  /** Watch time that may still be credited at that moment. */
  readonly budgetMs: number;
  /** When the pace of heartbeats has recovered (theoretical arrival time). */
  readonly paceAtMs: number;
  readonly seqTop: number;
  /** Bit n: `seqTop - n` was accepted. */
  readonly seqSeen: number;
}

export const noProgress: Progress = { spans: [], startupMs: null, rebufferMs: 0, errors: {} };

export const beginSession = (facts: SessionFacts): SessionState => ({
  progress: noProgress,
  positionMs: 0,
  lastAtMs: facts.startedAtMs,
  budgetMs: 0,
  paceAtMs: 0,
  seqTop: 0,
  seqSeen: 0,
});

export type BeatOutcome =
  | { readonly kind: 'accepted'; readonly state: SessionState }
  /** It was accepted before. */
  | { readonly kind: 'repeated' }
  /** So late that nobody knows any more whether it was accepted. */
  | { readonly kind: 'stale' }
  | { readonly kind: 'too_fast'; readonly retryAfterMs: number };

/** Takes one heartbeat. Stretches outside the film are cut off; what the clock does not allow is not credited. */
export function takeBeat(
  state: SessionState,
  facts: Pick<SessionFacts, 'durationMs'>,
  beat: Beat,
  nowMs: number,
): BeatOutcome {
  const behind = state.seqTop - beat.seq;
  if (behind >= seqWindow) return { kind: 'stale' };
  if (behind >= 0 && (state.seqSeen & (1 << behind)) !== 0) return { kind: 'repeated' };
  const paceAtMs = Math.max(state.paceAtMs, nowMs) + paceMs;
  const aheadMs = paceAtMs - nowMs - paceBurst * paceMs;
  if (aheadMs > 0) return { kind: 'too_fast', retryAfterMs: aheadMs };

  const elapsedMs = Math.max(0, nowMs - state.lastAtMs);
  const earnedMs = Math.floor(state.budgetMs + elapsedMs * maxPlaybackRate);
  const budgetMs = Math.min(earnedMs, maxSilenceMs * maxPlaybackRate);
  const inside = beat.spans
    .map(([from, to]): [number, number] => [Math.min(from, facts.durationMs), Math.min(to, facts.durationMs)])
    .filter(([from, to]) => from < to);
  const { spans, addedMs } = cover(state.progress.spans, inside, { budgetMs, maxSpans });
  return {
    kind: 'accepted',
    state: {
      progress: {
        spans,
        startupMs: state.progress.startupMs ?? beat.startupMs ?? null,
        // Nobody waits longer than time goes by.
        rebufferMs: state.progress.rebufferMs + Math.min(beat.rebufferMs ?? 0, elapsedMs),
        errors: addErrors(state.progress.errors, beat.errors ?? []),
      },
      positionMs: behind < 0 ? Math.min(beat.positionMs, facts.durationMs) : state.positionMs,
      lastAtMs: Math.max(state.lastAtMs, nowMs),
      budgetMs: budgetMs - addedMs,
      paceAtMs,
      seqTop: Math.max(state.seqTop, beat.seq),
      seqSeen:
        behind >= 0
          ? state.seqSeen | (1 << behind)
          : (-behind >= seqWindow ? 0 : state.seqSeen << -behind) | 1,
    },
  };
}

function addErrors(known: Progress['errors'], codes: readonly string[]): Progress['errors'] {
  const counts = new Map(Object.entries(known));
  let total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  for (const code of codes)
    if (total < maxErrorsPerSession) {
      counts.set(code, (counts.get(code) ?? 0) + 1);
      total += 1;
    }
  return Object.fromEntries(counts);
}

export const watchedMs = ({ progress }: Pick<SessionState, 'progress'>): number => lengthOf(progress.spans);

/** Whether a session has watched enough to be a view. */
export const isView = (state: SessionState, { durationMs }: Pick<SessionFacts, 'durationMs'>): boolean =>
  watchedMs(state) >= Math.min(viewAfterMs, Math.max(durationMs - endToleranceMs, durationMs / 2));

/** Where a session came from, as names of parts. */
export const partNamesOf = (
  facts: Pick<SessionFacts, 'source' | 'referrer' | 'country' | 'device'>,
): string[] => [
  `source:${facts.source}`,
  ...(facts.referrer === undefined ? [] : [`referrer:${facts.referrer}`]),
  `country:${facts.country}`,
  `device:${facts.device}`,
];

/** What a session adds to the totals between two moments of it. */
export function settle(facts: SessionFacts, before: Progress, after: Progress): Totals {
  const wholeMs = completeShare * facts.durationMs;
  const [hadMs, hasMs] = [lengthOf(before.spans), lengthOf(after.spans)];
  const plays = hadMs === 0 && hasMs > 0 ? 1 : 0;
  const had = coverageOf(before.spans, facts.durationMs);
  const startups = before.startupMs === null && after.startupMs !== null ? 1 : 0;
  const errors = Object.entries(after.errors)
    .map(([code, count]) => [code, count - (before.errors[code] ?? 0)] as const)
    .filter(([, count]) => count > 0);
  const watched = { plays, watchMs: hasMs - hadMs };
  return {
    ...noTotals,
    ...watched,
    completions: hadMs < wholeMs && hasMs >= wholeMs ? 1 : 0,
    retention: coverageOf(after.spans, facts.durationMs).map((share, bucket) => share - (had[bucket] ?? 0)),
    startups,
    startupMs: startups === 1 ? (after.startupMs ?? 0) : 0,
    rebufferMs: after.rebufferMs - before.rebufferMs,
    errors: errors.reduce((sum, [, count]) => sum + count, 0),
    parts: {
      ...(hasMs > hadMs ? partsOf(partNamesOf(facts), watched) : {}),
      ...Object.fromEntries(
        errors.map(([code, count]) => [`error:${code}`, { views: 0, plays: 0, watchMs: 0, errors: count }]),
      ),
    },
  };
}
