import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { decodeCursor, encodeCursor, nextCursor, page, pageQuery } from '../../../src/http/pagination.ts';
import { base64Url, fromBase64Url } from '../../../src/shared/encoding.ts';
import { AppError } from '../../../src/shared/errors.ts';

const secret = 'a cursor secret of good length';
const anything = z.unknown();
const scope = { list: 'feed:home', filters: { kind: 'video' }, userId: 'u1' };

const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'accepted',
    (error: unknown) => (error instanceof AppError ? error.code : `unexpected: ${error}`),
  );

const positions = fc.oneof(
  fc.record({ at: fc.integer(), id: fc.uuid() }),
  fc.array(fc.oneof(fc.string({ unit: 'grapheme' }), fc.integer(), fc.constant(null)), { maxLength: 4 }),
  fc.string({ unit: 'binary', maxLength: 50 }),
);

describe('cursors', () => {
  it('give back the position they were made of', async () => {
    await fc.assert(
      fc.asyncProperty(positions, async (position) => {
        const cursor = await encodeCursor(secret, { ...scope, position });
        expect(cursor).toMatch(/^[A-Za-z0-9_-]+$/);
        expect(await decodeCursor(secret, cursor, scope, anything)).toEqual(
          JSON.parse(JSON.stringify(position)),
        );
      }),
    );
  });

  it('are refused when any one bit is changed, in the bytes or in the text', async () => {
    await fc.assert(
      fc.asyncProperty(positions, fc.nat(), fc.nat(7), async (position, at, bit) => {
        const cursor = await encodeCursor(secret, { ...scope, position });
        const bytes = fromBase64Url(cursor) ?? new Uint8Array();
        bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ (1 << bit);
        expect(await codeOf(decodeCursor(secret, base64Url(bytes), scope, anything))).toBe(
          'request.invalid_cursor',
        );

        const spot = at % cursor.length;
        const flipped = String.fromCharCode(cursor.charCodeAt(spot) ^ (1 << (bit % 7)));
        const text = cursor.slice(0, spot) + flipped + cursor.slice(spot + 1);
        expect(await codeOf(decodeCursor(secret, text, scope, anything))).toBe('request.invalid_cursor');
      }),
      { numRuns: 400 },
    );
  });

  it('are refused when cut, extended, empty or made of anything else', async () => {
    const cursor = await encodeCursor(secret, { ...scope, position: 1 });
    for (const text of [
      '',
      '=',
      'null',
      cursor.slice(1),
      cursor.slice(0, -1),
      `${cursor}A`,
      `${cursor}=`,
      'A'.repeat(5_000),
      '🎬',
    ])
      expect(await codeOf(decodeCursor(secret, text, scope, anything)), text).toBe('request.invalid_cursor');
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), async (text) => {
        expect(await codeOf(decodeCursor(secret, text, scope, anything))).toBe('request.invalid_cursor');
      }),
    );
  });

  it('open only the list, filters and viewer they were given out for, under the same secret', async () => {
    const cursor = await encodeCursor(secret, { ...scope, position: 1 });
    for (const other of [
      { ...scope, list: 'feed:user' },
      { ...scope, filters: { kind: 'post' } },
      { ...scope, filters: {} },
      { ...scope, filters: { kind: 'video', more: 1 } },
      { ...scope, userId: 'u2' },
      { list: scope.list, filters: scope.filters },
    ])
      expect(await codeOf(decodeCursor(secret, cursor, other, anything))).toBe('request.invalid_cursor');
    expect(await codeOf(decodeCursor('another secret of good length', cursor, scope, anything))).toBe(
      'request.invalid_cursor',
    );
    const reordered = { userId: 'u1', list: 'feed:home', filters: { absent: undefined, kind: 'video' } };
    expect(await decodeCursor(secret, cursor, reordered, anything)).toBe(1);
  });

  it('are refused when the position is not one this release understands', async () => {
    const cursor = await encodeCursor(secret, { ...scope, position: { at: 'old' } });
    const schema = z.object({ at: z.number() });
    expect(await codeOf(decodeCursor(secret, cursor, scope, schema))).toBe('request.invalid_cursor');
  });

  it('are optional: without one a list starts at its beginning', async () => {
    expect(await decodeCursor(secret, undefined, scope, anything)).toBeUndefined();
  });
});

describe('pages', () => {
  it('put together are the whole list, each item once', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.nat(), { maxLength: 60 }),
        fc.integer({ min: 1, max: 20 }),
        async (ids, limit) => {
          const all = [...ids].sort((a, b) => a - b);
          const seen: number[] = [];
          let cursor: string | undefined;
          do {
            const after = await decodeCursor(secret, cursor, scope, z.number());
            const rows = all.filter((id) => after === undefined || id > after).slice(0, limit + 1);
            const { items, nextPosition } = page(rows, limit, (id) => id);
            expect(items.length).toBeLessThanOrEqual(limit);
            seen.push(...items);
            cursor = (await nextCursor(secret, scope, nextPosition)) ?? undefined;
          } while (cursor !== undefined);
          expect(seen).toEqual(all);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('say that there is no next one when the list ends with the page', () => {
    expect(page([1, 2], 2, (id) => id)).toEqual({ items: [1, 2], nextPosition: undefined });
    expect(page([], 2, (id) => id)).toEqual({ items: [], nextPosition: undefined });
  });
});

describe('the query of a list', () => {
  it('has 20 items a page unless told, and at most 100', () => {
    expect(pageQuery.parse({})).toEqual({ limit: 20 });
    expect(pageQuery.parse({ limit: '100', cursor: 'abc' })).toEqual({ limit: 100, cursor: 'abc' });
  });

  it('refuses limits that are not plain whole numbers from 1 to 100, and unknown parameters', () => {
    for (const limit of ['0', '101', '-1', '1.5', '1e2', '0x10', ' 5', '05', '', 'ten', '٣'])
      expect(pageQuery.safeParse({ limit }).success, limit).toBe(false);
    expect(pageQuery.safeParse({ offset: '5' }).success).toBe(false);
    expect(pageQuery.safeParse({ cursor: '' }).success).toBe(false);
  });
});
