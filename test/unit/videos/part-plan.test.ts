import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkPartList, partSizeAt, planParts } from '../../../src/modules/videos/policy/part-plan.ts';

const mebibyte = 1_048_576;
const gibibyte = 1_073_741_824;

describe('cutting a file into parts', () => {
  it('uses 10 MiB until that would be more than 10,000 parts', () => {
    expect(planParts(1)).toEqual({ partSizeBytes: 10 * mebibyte, partCount: 1 });
    expect(planParts(10 * mebibyte)).toEqual({ partSizeBytes: 10 * mebibyte, partCount: 1 });
    expect(planParts(10 * mebibyte + 1)).toEqual({ partSizeBytes: 10 * mebibyte, partCount: 2 });
    expect(planParts(100_000 * mebibyte)).toEqual({ partSizeBytes: 10 * mebibyte, partCount: 10_000 });
    expect(planParts(100_000 * mebibyte + 1)).toEqual({ partSizeBytes: 11 * mebibyte, partCount: 9_091 });
    expect(planParts(128 * gibibyte).partSizeBytes).toBe(14 * mebibyte);
  });

  it('chooses the smallest part that will do', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 * 1_024 * gibibyte }), (sizeBytes) => {
        const { partSizeBytes } = planParts(sizeBytes);
        if (partSizeBytes > 10 * mebibyte)
          expect(Math.ceil(sizeBytes / (partSizeBytes - mebibyte))).toBeGreaterThan(10_000);
      }),
    );
  });

  it('keeps S3’s rules for every size, and the parts add up to the file', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 * 1_024 * gibibyte }), (sizeBytes) => {
        const { partSizeBytes, partCount } = planParts(sizeBytes);
        const last = partSizeAt(sizeBytes, partSizeBytes, partCount);
        expect(partCount).toBeLessThanOrEqual(10_000);
        expect(partSizeBytes % mebibyte).toBe(0);
        expect(partSizeBytes).toBeGreaterThanOrEqual(10 * mebibyte);
        expect(partSizeBytes).toBeLessThanOrEqual(5 * gibibyte);
        expect(last).toBeGreaterThan(0);
        expect((partCount - 1) * partSizeBytes + last).toBe(sizeBytes);
        expect(partSizeAt(sizeBytes, partSizeBytes, partCount + 1)).toBe(0);
      }),
    );
  });
});

describe('the list of parts at completion', () => {
  const codes = (numbers: readonly number[], count: number) =>
    checkPartList(numbers, count).map(({ code, partNumber }) => `${code} ${partNumber}`);

  it('must be every part once, ascending', () => {
    expect(codes([1, 2, 3], 3)).toEqual([]);
    expect(codes([1, 3], 3)).toEqual(['missing 2']);
    expect(codes([1, 2, 2, 3], 3)).toEqual(['repeated 2']);
    expect(codes([2, 1], 2)).toEqual(['out_of_order 1']);
    expect(codes([1, 2, 3], 2)).toEqual(['unknown 3']);
    expect(checkPartList([], 10_000)).toHaveLength(20);
  });

  it('is accepted exactly when it is the whole sequence', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 7 }),
        fc.integer({ min: 1, max: 5 }),
        (numbers, count) => {
          const whole = Array.from({ length: count }, (_, index) => index + 1).join();
          expect(checkPartList(numbers, count).length === 0).toBe(numbers.join() === whole);
        },
      ),
    );
  });
});
