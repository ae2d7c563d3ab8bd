import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fileNameOf, readAnswer } from '../../../src/modules/videos/policy/import-answer.ts';

const from = (doneBytes: number, totalBytes: number | null = null) => ({ doneBytes, totalBytes });
const answer = (status: number, headers: Record<string, string>, position = from(0)) =>
  readAnswer(status, new Headers(headers), position);

describe('what a server says of a file', () => {
  it('is where its bytes begin, how many there are and whether it can go on', () => {
    expect(answer(206, { 'content-range': 'bytes 0-99/100', etag: '"v1"' })).toEqual({
      kind: 'bytes',
      startsAt: 0,
      totalBytes: 100,
      validator: '"v1"',
    });
    expect(answer(206, { 'content-range': 'bytes 40-99/100', etag: '"v1"' }, from(40, 100))).toMatchObject({
      startsAt: 40,
    });
    expect(answer(206, { 'content-range': 'bytes 0-9/*' })).toMatchObject({
      totalBytes: null,
      validator: null,
    });
    expect(answer(200, { 'content-length': '100', etag: '"v1"' }, from(40, 100))).toEqual({
      kind: 'bytes',
      startsAt: 0,
      totalBytes: 100,
      validator: null,
    });
    expect(answer(206, { 'content-range': 'bytes 0-9/10', etag: 'W/"weak"' })).toMatchObject({
      validator: null,
    });
    const date = 'Tue, 15 Nov 1994 12:45:26 GMT';
    expect(answer(206, { 'content-range': 'bytes 0-9/10', 'last-modified': date })).toMatchObject({
      validator: date,
    });
  });

  it.each([
    ['another beginning', 206, { 'content-range': 'bytes 1-99/100' }],
    ['only a piece', 206, { 'content-range': 'bytes 0-49/100' }],
    ['no range', 206, {}],
    ['a range that is none', 206, { 'content-range': 'bytes 9-0/10' }],
    ['compressed bytes', 200, { 'content-encoding': 'gzip' }],
    ['nothing', 204, {}],
    ['a redirect without a target', 302, {}],
    ['that there is nothing', 404, {}],
    ['that it is private', 403, {}],
    ['that it is empty', 416, { 'content-range': 'bytes */0' }],
  ] as const)('is of no use when it is %s', (_, status, headers) => {
    expect(answer(status, headers)).toEqual({ kind: 'failed', code: 'import_not_available' });
  });

  it('may pass, or tell that the file is here or another by now', () => {
    for (const status of [408, 425, 429, 500, 502, 503])
      expect(answer(status, {})).toEqual({ kind: 'later' });
    expect(answer(416, { 'content-range': 'bytes */100' }, from(100, 100))).toEqual({ kind: 'complete' });
    expect(answer(416, { 'content-range': 'bytes */90' }, from(100, 100))).toEqual({ kind: 'changed' });
    expect(answer(206, { 'content-range': 'bytes 40-119/120' }, from(40, 100))).toEqual({ kind: 'changed' });
  });

  it('never makes bytes begin anywhere but at the start or where we stopped', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 100, max: 599 }),
        fc.string(),
        fc.integer({ min: 0, max: 1_000 }),
        (status, range, done) => {
          const clean = range.replaceAll(/[^\x20-\x7e]/g, '');
          const read = readAnswer(status, new Headers({ 'content-range': clean }), from(done, 1_000));
          if (read.kind === 'bytes') expect([0, done]).toContain(read.startsAt);
        },
      ),
    );
  });
});

describe('the name of an imported file', () => {
  it.each([
    ['https://a.example/films/My%20film.mp4?token=x', 'My film.mp4'],
    ['https://a.example/', 'a.example'],
    ['https://a.example/%E0%A4%A', '%E0%A4%A'],
    ['https://a.example/a%00b%0A%E2%80%AEc.mp4', 'abc.mp4'],
    [`https://a.example/${'x'.repeat(600)}`, 'x'.repeat(255)],
    ['https://a.example/dir/', 'dir'],
  ])('%s', (address, name) => expect(fileNameOf(address)).toBe(name));
});
