import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSlotMap, slotCount, slotOf } from '../../../src/db/slots.ts';
import { randomIds } from '../../../src/shared/ids.ts';

describe('slotOf', () => {
  it('spreads UUIDv7 owners evenly: chi-square over 480 slots stays below its 0.1 % bound', () => {
    const owners = 96_000;
    const counts = new Array<number>(slotCount).fill(0);
    for (let index = 0; index < owners; index += 1) {
      const slot = slotOf(randomIds.next());
      counts[slot] = (counts[slot] ?? 0) + 1;
    }
    const expected = owners / slotCount;
    const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // 479 degrees of freedom; the 99.9999 % quantile is about 636.
    expect(chiSquare).toBeLessThan(636);
  });

  it('is stable: these owners keep these slots for ever', () => {
    expect([
      slotOf('00000000-0000-7000-8000-000000000000'),
      slotOf('01964d2e-6d30-7c3a-8d2f-5a1b3c4d5e6f'),
      slotOf('ffffffff-ffff-7fff-bfff-ffffffffffff'),
    ]).toEqual([18, 277, 40]);
  });
});

describe('parseSlotMap', () => {
  it('moves only the slots that were moved', () => {
    const before = parseSlotMap('0-239=0,240-479=1', 3);
    const after = parseSlotMap('0-239=0,240-399=1,400-479=2', 3);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 479 }), (slot) => {
        expect(after[slot]).toBe(slot >= 400 ? 2 : before[slot]);
      }),
    );
  });

  it.each([
    ['0-238=0,240-479=1', /slot 239/],
    ['0-240=0,240-479=1', /twice/],
    ['0-239=0,240-479=2', /names shard 2/],
    ['0-480=0', /not within/],
    ['239-0=0,240-479=1', /not within/],
  ])('refuses %s', (map, message) => {
    expect(() => parseSlotMap(map, 2)).toThrowError(message);
  });
});
