import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { httpSection } from '../../../src/config/http.config.ts';
import { checkPartList, partSizeAt, planParts } from '../../../src/modules/videos/policy/part-plan.ts';

const mebibyte = 1_048_576;
const gibibyte = 1_073_741_824;

describe('cutting a file into parts', () => {
  it('uses 10 MiB until that would be more than 2,500 parts', () => {
    expect(planParts(1)).toEqual({ partSizeBytes: 10 * mebibyte, partCount: 1 });
    expect(planParts(10 * mebibyte)).toEqual({ partSizeBytes: 10 * mebibyte, partCount: 1 });
    expect(planParts(10 * mebibyte + 1)).toEqual({ partSizeBytes: 10 * mebibyte, partCount: 2 });
    expect(planParts(25_000 * mebibyte)).toEqual({ partSizeBytes: 10 * mebibyte, partCount: 2_500 });
    expect(planParts(25_000 * mebibyte + 1)).toEqual({ partSizeBytes: 11 * mebibyte, partCount: 2_273 });
    expect(planParts(128 * gibibyte).partSizeBytes).toBe(53 * mebibyte);
  });

  it('keeps S3’s rules for every size, and the parts add up to the file', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 * 1_024 * gibibyte }), (sizeBytes) => {
        const { partSizeBytes, partCount } = planParts(sizeBytes);
        const last = partSizeAt(sizeBytes, partSizeBytes, partCount);
        expect(partCount).toBeLessThanOrEqual(2_500);
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

  it('fits the body of a request for the largest file that may be allowed, spaces and all', () => {
    const { partCount } = planParts(128 * gibibyte);
    const etag = `"${'a'.repeat(32)}"`;
    const parts = Array.from({ length: partCount }, (_, index) => ({ part_number: index + 1, etag }));
    const body = JSON.stringify({ parts }).replaceAll(/([:,])/g, '$1 ');
    expect(body.length).toBeLessThan(Number(httpSection.settings.maxBodyBytes.default));
  });

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
