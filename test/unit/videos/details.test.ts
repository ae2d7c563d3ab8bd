import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Chapter,
  chaptersInText,
  chaptersProblem,
  chaptersWithin,
  maxChapters,
  minChapterMs,
  webVttChapters,
} from '../../../src/modules/videos/policy/chapters.ts';
import { canonicalLanguage } from '../../../src/modules/videos/policy/languages.ts';
import { distinctTags, maxTagLength, tidyTag } from '../../../src/modules/videos/policy/tags.ts';
import { codePoints, foldText } from '../../../src/shared/text.ts';

const chapters = (...starts: number[]): Chapter[] =>
  starts.map((startMs, index) => ({ startMs, title: `Part ${index + 1}` }));

describe('chapters', () => {
  it('begin at 0, are three at least, in order, each ten seconds long', () => {
    for (const right of [[], [0, 10_000, 20_000], [0, 10_000, 3_600_000]])
      expect(chaptersProblem(chapters(...right))).toBeUndefined();
    for (const wrong of [
      [0],
      [0, 10_000],
      [1, 20_000, 40_000],
      [0, 9_999, 30_000],
      [0, 30_000, 20_000],
      [0, 0, 0],
    ])
      expect(chaptersProblem(chapters(...wrong)), wrong.join()).toMatch(/^must /);
  });

  it('that a film is too short for are not its chapters, and with too few left there are none', () => {
    const four = chapters(0, 10_000, 20_000, 60_000);
    expect(chaptersWithin(four, null)).toEqual(four);
    expect(chaptersWithin(four, 70_000)).toEqual(four);
    expect(chaptersWithin(four, 69_999)).toEqual(four.slice(0, 3));
    expect(chaptersWithin(four, 29_999)).toEqual([]);
  });

  it.each([
    ['0:00 Start\n0:10 Middle\n1:02:03 End', [0, 10_000, 3_723_000]],
    ['(00:00) A\n[00:30] - B\n• 1:00 | C\nand words', [0, 30_000, 60_000]],
    ['0:00 A\nbetween\n0:15 B\n0:40: C', [0, 15_000, 40_000]],
    ['0:00 A\n0:05 B\n0:40 C', []],
    ['0:01 A\n0:15 B\n0:40 C', []],
    ['0:00 A\n0:15\n0:40 C', []],
    ['at 0:00 A\nat 0:15 B\nat 0:40 C', []],
    ['0:00 A\n0:75 B\n0:90 C', []],
    ['', []],
  ])('are found in a description: %j', (text, starts) => {
    expect(chaptersInText(text).map(({ startMs }) => startMs)).toEqual(starts);
  });

  it('found in any text keep the rule', () => {
    const line = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc
        .tuple(fc.nat({ max: 9 }), fc.nat({ max: 70 }), fc.nat({ max: 70 }), fc.string({ unit: 'binary' }))
        .map(
          ([hours, minutes, seconds, rest]) =>
            `${hours}:${minutes}:${String(seconds).padStart(2, '0')} ${rest}`,
        ),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 130 }), (lines) => {
        const found = chaptersInText(lines.join('\n'));
        expect(chaptersProblem(found)).toBeUndefined();
        expect(found.length).toBeLessThanOrEqual(maxChapters);
        for (const { title } of found) expect(codePoints(title)).toBeGreaterThan(0);
      }),
    );
  });

  it('are read in a time that does not run away, whatever the text', () => {
    for (const text of [
      '-'.repeat(5_000),
      '0:00'.repeat(1_250),
      ' ('.repeat(2_500),
      `${'1'.repeat(5_000)}:00 x`,
    ])
      expect(chaptersInText(text)).toEqual([]);
  });

  it('become WebVTT cues that follow each other', () => {
    const file = webVttChapters(
      [
        { startMs: 0, title: 'A <b> & C' },
        { startMs: 61_500, title: 'x --> y' },
        { startMs: 3_600_000, title: 'End' },
      ],
      3_661_001,
    );
    expect(file).toBe(
      [
        'WEBVTT',
        '',
        '1',
        '00:00:00.000 --> 00:01:01.500',
        'A &lt;b&gt; &amp; C',
        '',
        '2',
        '00:01:01.500 --> 01:00:00.000',
        'x --&gt; y',
        '',
        '3',
        '01:00:00.000 --> 01:01:01.001',
        'End',
        '',
      ].join('\n'),
    );
    expect(webVttChapters([], null)).toBe('WEBVTT\n');
    expect(webVttChapters(chapters(0, 10_000, 20_000), null)).toContain(
      `--> 00:00:${(20_000 + minChapterMs) / 1_000}.000`,
    );
  });
});

describe('tags', () => {
  it('lose what is only typing, and are the same whatever their case and width', () => {
    expect(tidyTag('#Holiday')).toBe('Holiday');
    expect(tidyTag(' ＃＃ａｂｃ   ｄ ')).toBe('abc d');
    expect(tidyTag('##')).toBeUndefined();
    expect(tidyTag('\u3164')).toBeUndefined();
    expect(tidyTag('ﷺ'.repeat(10))).toBeUndefined();
    expect(distinctTags(['Straße', 'STRASSE', 'straße', 'Öl', 'öl', '猫'])).toEqual({
      tags: ['Straße', 'Öl', '猫'],
      keys: ['strasse', 'öl', '猫'],
    });
  });

  it('come out bounded, and tidying them again changes nothing', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        const tag = tidyTag(text);
        if (tag === undefined) return;
        expect(codePoints(tag)).toBeLessThanOrEqual(maxTagLength);
        expect(foldText(tag)).not.toBe('');
        expect(tidyTag(tag)).toBe(tag);
      }),
    );
  });
});

describe('languages', () => {
  it.each([
    ['en', 'en'],
    ['PT-br', 'pt-BR'],
    ['zh-hant-tw', 'zh-Hant-TW'],
    ['iw', 'he'],
    ['es-419', 'es-419'],
  ])('%s is %s', (given, canonical) => expect(canonicalLanguage(given)).toBe(canonical));

  it.each(['', 'e', 'english language', 'de_DE', 'de-u-co-phonebk', 'x-private', '12', 'en-', 'en--us'])(
    '%j is none',
    (given) => expect(canonicalLanguage(given)).toBeUndefined(),
  );
});
