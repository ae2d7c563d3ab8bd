import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addToSketch, emptySketch, estimate, mergeSketches } from '../../../durable-objects/sketch.ts';
import {
  beginSession,
  type SessionState,
  seqWindow,
  takeBeat,
  watchedMs,
} from '../../../durable-objects/view-counter/session.ts';
import { cover, coverageOf, lengthOf, type Span } from '../../../durable-objects/view-counter/spans.ts';

const span = fc
  .tuple(fc.nat(60), fc.integer({ min: 1, max: 15 }))
  .map(([from, length]): Span => [from, from + length]);

describe('watched stretches', () => {
  it('cover each millisecond once, in order, within the budget', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(span, { maxLength: 6 }), { maxLength: 6 }),
        fc.nat(80),
        (rounds, budgetMs) => {
          let spans: readonly Span[] = [];
          let left = budgetMs;
          const model = new Set<number>();
          for (const claimed of rounds) {
            const { spans: next, addedMs } = cover(spans, claimed, { budgetMs: left, maxSpans: 200 });
            let modelLeft = left;
            for (const [from, to] of claimed)
              for (let at = from; at < to; at += 1)
                if (!model.has(at) && modelLeft > 0) {
                  model.add(at);
                  modelLeft -= 1;
                }
            left -= addedMs;
            expect(left).toBe(modelLeft);
            spans = next;
            expect(lengthOf(spans)).toBe(model.size);
            expect(
              spans.flatMap(([from, to]) => Array.from({ length: to - from }, (_, index) => from + index)),
            ).toEqual([...model].sort((a, b) => a - b));
            for (const [index, [from]] of spans.entries())
              expect(from).toBeGreaterThan(spans[index - 1]?.[1] ?? -1);
          }
        },
      ),
    );
  });

  it('stay few, however scattered a client claims them', () => {
    const scattered = Array.from({ length: 500 }, (_, index): Span => [index * 10, index * 10 + 5]);
    const { spans, addedMs } = cover([], scattered, { budgetMs: 1e9, maxSpans: 200 });
    expect(spans).toHaveLength(200);
    expect(addedMs).toBe(1_000);
    expect(cover(spans, [[0, 2_000]], { budgetMs: 1e9, maxSpans: 200 }).spans).toEqual([[0, 2_000]]);
  });

  it('say for each hundredth of the film how much of it was seen', () => {
    expect(coverageOf([[0, 12_345]], 12_345)).toEqual(new Array(100).fill(1_000_000));
    expect(
      coverageOf(
        [
          [0, 50],
          [150, 200],
        ],
        10_000,
      ).slice(0, 3),
    ).toEqual([500_000, 500_000, 0]);
    // Shorter than its hundredths.
    expect(coverageOf([[0, 7]], 7)).toEqual(new Array(100).fill(1_000_000));
  });
});

describe('a watch session', () => {
  const facts = { durationMs: 1_000_000 };
  const begun = (): SessionState => beginSession({ startedAtMs: 0 } as Parameters<typeof beginSession>[0]);
  const beat = (state: SessionState, seq: number, to: number, nowMs: number) =>
    takeBeat(state, facts, { seq, spans: [[0, to]], positionMs: to }, nowMs);

  it('credits at most twice the time that went by, and after a long silence a minute of it', () => {
    const first = beat(begun(), 1, 500_000, 5_000);
    if (first.kind !== 'accepted') throw new Error(first.kind);
    expect(watchedMs(first.state)).toBe(10_000);
    const second = beat(first.state, 2, 500_000, 3_600_000);
    if (second.kind !== 'accepted') throw new Error(second.kind);
    expect(watchedMs(second.state)).toBe(130_000);
  });

  it('tells heartbeats that come again from those that come late, and refuses what it can no longer tell', () => {
    let state = begun();
    for (const seq of [1, 3, 40]) {
      const outcome = beat(state, seq, 1_000, seq * 5_000);
      if (outcome.kind !== 'accepted') throw new Error(outcome.kind);
      state = outcome.state;
    }
    expect(beat(state, 40, 1_000, 201_000).kind).toBe('repeated');
    expect(beat(state, 39, 1_000, 201_000).kind).toBe('accepted');
    expect(beat(state, 40 - seqWindow + 1, 1_000, 201_000).kind).toBe('accepted');
    expect(beat(state, 40 - seqWindow, 1_000, 201_000).kind).toBe('stale');
  });

  it('takes a burst after a break in the network, and no flood', () => {
    let state = begun();
    const kinds = Array.from({ length: 30 }, (_, index) => {
      const outcome = beat(state, index + 1, 1_000, 60_000);
      if (outcome.kind === 'accepted') state = outcome.state;
      return outcome.kind;
    });
    expect(kinds.filter((kind) => kind === 'accepted')).toHaveLength(20);
    expect(kinds.at(-1)).toBe('too_fast');
    expect(beat(state, 31, 1_000, 61_000).kind).toBe('accepted');
  });
});

describe('the sketch of viewers', () => {
  const viewer = (): string =>
    Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join(
      '',
    );

  it('tells how many there were within a few per cent, and merges', () => {
    for (const count of [1, 10, 500, 5_000, 60_000]) {
      const viewers = Array.from({ length: count }, viewer);
      const [left, right] = [emptySketch(), emptySketch()];
      viewers.forEach((one, index) => {
        if (index % 3 !== 0) addToSketch(left, one);
        if (index % 3 !== 1) addToSketch(right, one);
      });
      // Five standard errors.
      expect(Math.abs(estimate(mergeSketches([left, right])) - count)).toBeLessThanOrEqual(
        Math.max(1, count * 0.115),
      );
      expect(mergeSketches([left, right, left])).toEqual(mergeSketches([right, left]));
    }
  });
});
