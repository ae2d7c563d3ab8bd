import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  clockTime,
  cutCues,
  maxCues,
  readCaptions,
  writeWebVtt,
} from '../../../src/modules/videos/policy/caption-text.ts';

const cuesOf = (text: string) => {
  const read = readCaptions(text);
  if (!read.ok) throw new Error(`${read.problem} in line ${read.line}`);
  return read.cues;
};
const problem = (text: string) => {
  const read = readCaptions(text);
  return read.ok ? undefined : `${read.problem} ${read.line}`;
};
const vtt = (body: string) => `WEBVTT\n\n${body}`;

describe('reading captions', () => {
  it('takes SubRip as players do, and makes WebVTT of it', () => {
    const srt =
      '\uFEFF1\r\n00:00:01,500 --> 00:00:03,000\r\n{\\an8}<i>Hello</i> <font color="red">there</font>\r\n\r\n2\r\n00:01:00,5 --> 00:01:02,000\r\nTom & Jerry\r\nx < y\r\n';
    expect(writeWebVtt(cuesOf(srt))).toBe(
      'WEBVTT\n\n00:00:01.500 --> 00:00:03.000\n<i>Hello</i> there\n\n00:01:00.500 --> 00:01:02.000\nTom &amp; Jerry\nx &lt; y\n',
    );
  });

  it('takes WebVTT without its styles, regions, notes and names, and with its placing', () => {
    const text = `WEBVTT - some title

STYLE
::cue { background: url(https://elsewhere.example/beacon) }

REGION
id:fred

NOTE a remark

intro
00:01.000 --> 01:02:03.004 line:0 position:50%,center align:start region:fred bogus:1
<v Ann>Hi</v> <c.loud>you</c> <00:00:02.000>now <script>alert(1)</script>
`;
    expect(writeWebVtt(cuesOf(text))).toBe(
      'WEBVTT\n\n00:00:01.000 --> 01:02:03.004 line:0 position:50%,center align:start\n<v Ann>Hi</v> <c.loud>you</c> <00:00:02.000>now alert(1)\n',
    );
  });

  it('puts captions in the order they show, and leaves empty ones out', () => {
    const text = vtt(
      '00:05.000 --> 00:06.000\nlater\n\n00:01.000 --> 00:02.000\n\n00:01.000 --> 00:02.000\nsooner\n',
    );
    expect(cuesOf(text).map((cue) => cue.text)).toEqual(['sooner', 'later']);
  });

  it('says what is wrong, and where', () => {
    expect(problem('')).toBe('not_captions 1');
    expect(problem('<html>')).toBe('not_captions 1');
    expect(problem('WEBVTTX\n\n')).toBe('not_captions 1');
    expect(problem('WEBVTT\n')).toBe('no_cues 2');
    expect(problem(vtt('00:61.000 --> 00:62.000\nx'))).toBe('timing_malformed 3');
    expect(problem(vtt('00:01 --> 00:02\nx'))).toBe('timing_malformed 3');
    expect(problem(vtt('00:02.000 --> 00:01.000\nx'))).toBe('ends_before_start 3');
    expect(problem(vtt(`00:01.000 --> 00:02.000\n${'x'.repeat(1_001)}`))).toBe('line_too_long 4');
    expect(problem(vtt(`00:01.000 --> 00:02.000\n${'x\n'.repeat(21)}`))).toBe('cue_too_long 3');
    expect(problem(vtt('999:00:01.000 --> 999:00:02.000\nx'))).toBe('timing_malformed 3');
    const many = Array.from({ length: maxCues + 1 }, () => '00:01.000 --> 00:02.000\nx\n').join('\n');
    expect(problem(vtt(many))).toContain('too_many_cues');
  });

  const piece = fc.constantFrom(
    'WEBVTT',
    '\n',
    '\n\n',
    '\r',
    '-->',
    '00:01.000 --> 00:02.000\n',
    '1\n00:00:01,000 --> 00:00:02,000\n',
    '<',
    '>',
    '<b>',
    '</b>',
    '&',
    '&amp;',
    '{\\an8}',
    'NOTE ',
    'STYLE',
    '\u0000',
    '\uFEFF',
    ' line:0',
    'é',
    '🎬',
    '<v ',
    'x',
  );
  const hostile = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 400 }),
    fc.array(piece, { maxLength: 60 }).map((parts) => parts.join('')),
    fc.array(piece, { maxLength: 60 }).map((parts) => vtt(`00:01.000 --> 00:02.000\n${parts.join('')}`)),
  );

  it('never fails on anything, and what it makes is WebVTT that it reads as the same again', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const read = readCaptions(text);
        if (!read.ok) return;
        const written = writeWebVtt(read.cues);
        expect(cuesOf(written)).toEqual(read.cues);
        expect(writeWebVtt(cuesOf(written))).toBe(written);
        for (const cue of read.cues) {
          expect(cue.text).not.toContain('-->');
          expect(cue.text).not.toMatch(/\n\s*\n/);
          expect(cue.text.replaceAll(/<\/?(?:b|i|u|c|v|ruby|rt|lang)[^<>]*>|<[\d:.]+>/g, '')).not.toMatch(
            /[<>]/,
          );
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('takes as long as the text is, however it is made', () => {
    for (const unit of ['<', '<b', '&', '-->', '{\\a', '00:01.000 -->', ' ', '\n', 'line:0 ']) {
      const lines = vtt(
        `00:01.000 --> 00:02.000\n${`${unit.repeat(Math.floor(900 / unit.length))}\n`.repeat(200)}`,
      );
      const started = performance.now();
      readCaptions(lines);
      // Only what is not linear could take this long.
      expect(performance.now() - started).toBeLessThan(5_000);
    }
  });

  it('cuts out the captions of a part of the film', () => {
    const cue = (startMs: number, endMs: number) => ({ startMs, endMs, settings: '', text: 'x' });
    expect(
      cutCues([cue(0, 1_000), cue(500, 2_500), cue(3_000, 4_000)], { startMs: 1_000, endMs: 3_000 }),
    ).toEqual([cue(0, 1_500)]);
    expect(clockTime(3_723_004)).toBe('01:02:03.004');
  });

  it('moves the times within captions along, and leaves out those that fall outside', () => {
    const cue = (startMs: number, endMs: number, text: string) => ({ startMs, endMs, settings: '', text });
    const karaoke = 'a <00:00:01.500>b <00:02.000>c <00:00:02.900>d';
    const cut = (startMs: number, endMs: number) => cutCues([cue(1_000, 3_000, karaoke)], { startMs, endMs });
    expect(cut(500, 9_000)).toEqual([cue(500, 2_500, 'a <00:00:01.000>b <00:00:01.500>c <00:00:02.400>d')]);
    expect(cut(1_500, 2_900)).toEqual([cue(0, 1_400, 'a b <00:00:00.500>c d')]);
  });

  it('a part of a part is that part of the whole, and every caption of it lies within', () => {
    const part = fc.tuple(fc.nat(6_000), fc.nat(6_000)).map(([startMs, length]) => ({
      startMs,
      endMs: startMs + length,
    }));
    const cue = part.chain(({ startMs, endMs }) =>
      fc.array(fc.nat(9_000), { maxLength: 3 }).map((times) => ({
        startMs,
        endMs: endMs + 1,
        settings: '',
        text: `x${times.map((ms) => `<${clockTime(ms)}>y`).join('')}`,
      })),
    );
    fc.assert(
      fc.property(fc.array(cue), part, part, (cues, outer, inner) => {
        const composed = {
          startMs: outer.startMs + inner.startMs,
          endMs: Math.min(outer.endMs, outer.startMs + inner.endMs),
        };
        const cut = cutCues(cues, composed);
        expect(cutCues(cutCues(cues, outer), inner)).toEqual(cut);
        const lengthMs = composed.endMs - composed.startMs;
        for (const { startMs, endMs } of cut)
          expect(0 <= startMs && startMs < endMs && endMs <= lengthMs).toBe(true);
        const written = writeWebVtt(cut);
        expect(cut.length === 0 || readCaptions(written).ok).toBe(true);
      }),
    );
  });
});
