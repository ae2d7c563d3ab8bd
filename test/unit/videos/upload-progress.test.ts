import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planParts } from '../../../src/modules/videos/policy/part-plan.ts';
import { percentOf, quarterOf, wellHeld } from '../../../src/modules/videos/policy/upload-progress.ts';

describe('progress of an upload', () => {
  it('is told by quarters that are whole', () => {
    expect([0, 24, 25, 49, 50, 74, 75, 99, 100].map(quarterOf)).toEqual([0, 0, 25, 25, 50, 50, 75, 75, 100]);
    expect([percentOf(0, 3), percentOf(2, 3), percentOf(3, 3), percentOf(4, 3), percentOf(1, 0)]).toEqual([
      0, 66, 100, 100, 0,
    ]);
  });

  it('reaches 100 only when every byte is there', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e12 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (size, share) => {
          const held = Math.min(size - 1, Math.floor(size * share));
          expect(percentOf(held, size)).toBeLessThan(100);
        },
      ),
    );
  });

  it('counts no part of another size than planned, and none beyond the last', () => {
    const upload = { sizeBytes: 25_000_000, ...planParts(25_000_000) };
    const part = (partNumber: number, sizeBytes: number) => ({ partNumber, sizeBytes, etag: '"x"' });
    const held = [part(1, 10_485_760), part(2, 10_485_759), part(3, 25_000_000 - 20_971_520), part(4, 1)];
    expect(wellHeld(upload, held).map((each) => each.partNumber)).toEqual([1, 3]);
  });
});
