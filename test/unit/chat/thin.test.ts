import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rangesOf, thin } from '../../../durable-objects/chat-relay/thin.ts';
import type { LogItem } from '../../../durable-objects/chat-room/protocol.ts';

interface Frame {
  readonly from: number;
  readonly to: number;
  readonly events: readonly { readonly seq: number }[];
  readonly omitted?: readonly (readonly [number, number])[];
}

const itemsOf = (kept: readonly boolean[], after: number): LogItem[] =>
  kept.map((isKept, index) => ({
    seq: after + 1 + index,
    text: JSON.stringify({ seq: after + 1 + index }),
    isKept,
    authorId: `u${index % 5}`,
    mentions: [],
    shownAtMs: 0,
  }));

const batches = fc.record({
  kept: fc.array(fc.boolean(), { minLength: 1, maxLength: 80 }),
  after: fc.nat(1_000_000),
  readable: fc.nat(40),
});

describe('a thinned batch', () => {
  it('names every number of its run once, shown or left out', () => {
    fc.assert(
      fc.property(batches, fc.nat(4), ({ kept, after, readable }, author) => {
        const items = itemsOf(kept, after);
        const frame = JSON.parse(
          thin(items, after, readable, ({ authorId }) => authorId === `u${author}`).frame,
        ) as Frame;
        const left = (frame.omitted ?? []).flatMap(([first, last]) =>
          Array.from({ length: last - first + 1 }, (_, index) => first + index),
        );
        const named = [...frame.events.map(({ seq }) => seq), ...left].toSorted((a, b) => a - b);
        expect(named).toEqual(items.map(({ seq }) => seq));
        expect([frame.from, frame.to]).toEqual([after + 1, after + kept.length]);
      }),
    );
  });

  it('shows all that is kept for everybody, all that concerns the viewer, and as much else as can be read', () => {
    fc.assert(
      fc.property(batches, ({ kept, after, readable }) => {
        const items = itemsOf(kept, after);
        const mine = ({ authorId }: LogItem) => authorId === 'u0';
        const shown = (frame: string) => new Set((JSON.parse(frame) as Frame).events.map(({ seq }) => seq));
        const base = shown(thin(items, after, readable).frame);
        const own = shown(thin(items, after, readable, mine).frame);
        for (const item of items) {
          if (item.isKept) expect(base.has(item.seq)).toBe(true);
          if (mine(item) || base.has(item.seq)) expect(own.has(item.seq)).toBe(true);
        }
        const ordinary = items.filter(({ isKept }) => !isKept);
        expect(ordinary.filter(({ seq }) => base.has(seq))).toHaveLength(Math.min(readable, ordinary.length));
      }),
    );
  });
});

it('ranges are the shortest way to say which numbers', () => {
  expect(rangesOf([])).toEqual([]);
  expect(rangesOf([3, 4, 5, 9, 11, 12])).toEqual([
    [3, 5],
    [9, 9],
    [11, 12],
  ]);
});
