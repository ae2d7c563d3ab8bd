/** A stretch of a film, `[from, to)` in whole milliseconds. */
export type Span = readonly [from: number, to: number];

/** Stretches in ascending order that do not touch each other. */
export type Spans = readonly Span[];

export const lengthOf = (spans: Spans): number => spans.reduce((sum, [from, to]) => sum + to - from, 0);

/**
 * Adds stretches to what was watched, each millisecond once: of what is new, at most `budgetMs`, in the order given. A stretch
 * that touches nothing is left out where it would be more than `maxSpans` pieces.
 */
export function cover(
  watched: Spans,
  claimed: readonly Span[],
  { budgetMs, maxSpans }: { readonly budgetMs: number; readonly maxSpans: number },
): { readonly spans: Spans; readonly addedMs: number } {
  let spans = watched;
  let left = budgetMs;
  for (const claim of claimed)
    for (const [from, to] of gapsIn(spans, claim)) {
      const granted = Math.min(to - from, left);
      if (granted <= 0) continue;
      const joined = join(spans, [from, from + granted]);
      if (joined.length > maxSpans) continue;
      spans = joined;
      left -= granted;
    }
  return { spans, addedMs: budgetMs - left };
}

/** The parts of a stretch that are not covered yet, in order. */
function gapsIn(spans: Spans, [from, to]: Span): Span[] {
  const gaps: Span[] = [];
  let at = from;
  for (const [start, end] of spans) {
    if (end <= at) continue;
    if (start >= to) break;
    if (start > at) gaps.push([at, start]);
    at = Math.max(at, end);
  }
  if (at < to) gaps.push([at, to]);
  return gaps;
}

function join(spans: Spans, [from, to]: Span): Spans {
  const before = spans.filter(([, end]) => end < from);
  const after = spans.filter(([start]) => start > to);
  const touching = spans.slice(before.length, spans.length - after.length);
  const start = Math.min(from, touching[0]?.[0] ?? from);
  const end = Math.max(to, touching.at(-1)?.[1] ?? to);
  return [...before, [start, end], ...after];
}

export const retentionBuckets = 100;
export const wholeBucket = 1_000_000;

/** For each hundredth of the film, how much of it is covered, in millionths. */
export function coverageOf(spans: Spans, durationMs: number): number[] {
  const coverage = new Array<number>(retentionBuckets).fill(0);
  const size = durationMs / retentionBuckets;
  for (const [from, to] of spans) {
    const last = Math.min(retentionBuckets - 1, Math.floor(to / size));
    for (let bucket = Math.floor(from / size); bucket <= last; bucket += 1) {
      const covered = Math.min(to, (bucket + 1) * size) - Math.max(from, bucket * size);
      if (covered > 0) coverage[bucket] = (coverage[bucket] ?? 0) + covered;
    }
  }
  return coverage.map((covered) => Math.min(wholeBucket, Math.round((covered / size) * wholeBucket)));
}
