import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  csvOf,
  daysIn,
  daysOf,
  minShownPlays,
  type PartRow,
  previousOf,
  rangeOf,
  shownParts,
} from '../../../src/modules/analytics/analytics.policy.ts';

const nowMs = Date.parse('2026-11-27T23:59:59.999Z');

describe('a range of days', () => {
  it('is the last 28 when nothing is named, counted in UTC', () => {
    expect(rangeOf({}, nowMs)).toEqual({ from: '2026-10-31', to: '2026-11-27' });
    expect(rangeOf({ to: '2026-03-01' }, nowMs)).toEqual({ from: '2026-02-02', to: '2026-03-01' });
    expect(daysIn(rangeOf({ from: '2024-02-28', to: '2024-03-01' }, nowMs))).toBe(3);
    expect(daysIn({ from: '2026-01-02', to: '2026-01-01' })).toBe(0);
  });

  it('is preceded by as many days, without a gap or a day in both', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 20_000 }), fc.integer({ min: 1, max: 400 }), (start, length) => {
        const day = (index: number) => new Date(index * 86_400_000).toISOString().slice(0, 10);
        const range = { from: day(start + 500), to: day(start + 500 + length - 1) };
        const previous = previousOf(range);
        expect(daysIn(previous)).toBe(length);
        const both = [...daysOf(previous), ...daysOf(range)];
        expect(both).toEqual(
          Array.from({ length: 2 * length }, (_, index) => day(start + 500 - length + index)),
        );
      }),
    );
  });
});

describe('the parts of an audience', () => {
  const row = (changes: Partial<PartRow>): PartRow => ({
    dimension: 'country',
    value: 'PT',
    views: 10,
    plays: 10,
    watchMs: 1_000,
    errors: 0,
    ...changes,
  });

  it('hide few people among others, and lose none', () => {
    const value = fc.constantFrom('PT', 'DE', 'FR', 'BR', 'JP', 'other');
    const rows = fc.uniqueArray(
      fc.record({
        dimension: fc.constant('country' as const),
        value,
        views: fc.integer({ min: 0, max: 20 }),
        plays: fc.integer({ min: 0, max: 20 }),
        watchMs: fc.integer({ min: 0, max: 9_999 }),
        errors: fc.integer({ min: 0, max: 3 }),
      }),
      { selector: (part) => part.value },
    );
    fc.assert(
      fc.property(rows, fc.integer({ min: 0, max: 6 }), (parts, limit) => {
        const shown = shownParts(parts, 'country', limit);
        for (const part of shown)
          if (part.value !== 'other') expect(part.plays).toBeGreaterThanOrEqual(minShownPlays);
        expect(shown.filter((part) => part.value === 'other').length).toBeLessThanOrEqual(1);
        expect(shown.length).toBeLessThanOrEqual(limit + 1);
        for (const key of ['views', 'plays', 'watchMs', 'errors'] as const)
          expect(shown.reduce((sum, part) => sum + part[key], 0)).toBe(
            parts.reduce((sum, part) => sum + part[key], 0),
          );
      }),
    );
  });

  it('show every error and source, however rare, most first', () => {
    const rows = [
      row({ dimension: 'error', value: 'A', plays: 0, views: 0, errors: 1 }),
      row({ dimension: 'error', value: 'B', plays: 0, views: 0, errors: 9 }),
      row({ dimension: 'source', value: 'search', plays: 1, views: 1 }),
      row({ value: 'AQ', plays: 1, views: 1 }),
    ];
    expect(shownParts(rows, 'error').map((part) => part.value)).toEqual(['B', 'A']);
    expect(shownParts(rows, 'source').map((part) => part.value)).toEqual(['search']);
    expect(shownParts(rows, 'country').map((part) => part.value)).toEqual(['other']);
  });
});

describe('CSV', () => {
  it('is read back as it was written, whatever the text', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.oneof(fc.string(), fc.integer()), { minLength: 1, maxLength: 4 })),
        (rows) => {
          const read = parse(csvOf(rows));
          expect(read).toEqual(
            rows.map((cells) =>
              cells.map((cell) =>
                typeof cell === 'string' && /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : String(cell),
              ),
            ),
          );
        },
      ),
    );
  });

  it('runs nothing in a spreadsheet, and leaves numbers numbers', () => {
    expect(csvOf([['=HYPERLINK("http://x")', '+1', '@a', '-a', -1, null, 'a,"b"\n']])).toBe(
      `"'=HYPERLINK(""http://x"")",'+1,'@a,'-a,-1,,"a,""b""\n"\r\n`,
    );
  });
});

/** A reader of RFC 4180 of its own. */
function parse(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = '';
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] ?? '';
    if (quoted) {
      if (char !== '"') cell += char;
      else if (text[at + 1] === '"') {
        cell += '"';
        at += 1;
      } else quoted = false;
    } else if (char === '"') quoted = true;
    else if (char === ',') {
      row.push(cell);
      cell = '';
    } else if (char === '\r' && text[at + 1] === '\n') {
      rows.push([...row, cell]);
      row = [];
      cell = '';
      at += 1;
    } else cell += char;
  }
  return rows;
}
