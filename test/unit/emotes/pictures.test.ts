import fc from 'fast-check';
import { decode, encode } from 'fast-png';
import { zlibSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { emoteGif, maxFrames } from '../../../src/modules/emotes/policy/gif.ts';
import { shrink } from '../../../src/modules/emotes/policy/pixels.ts';
import { emotePngs, emoteSizes, maxPngBytes } from '../../../src/modules/emotes/policy/png.ts';
import { chunk, gifOf, pngOf } from './pictures.ts';

const problemOf = (made: ReturnType<typeof emotePngs> | ReturnType<typeof emoteGif>) =>
  'problem' in made ? made.problem : undefined;
const pngsOf = (file: Uint8Array): ReadonlyMap<number, Uint8Array> => {
  const made = emotePngs(file);
  if ('problem' in made) throw new Error(made.problem);
  return made;
};

describe('a PNG', () => {
  it('becomes pictures of three sizes that show the same', () => {
    const made = pngsOf(pngOf(224, (x) => (x < 112 ? [255, 0, 0, 255] : [0, 0, 255, 255])));
    expect([...made.keys()]).toEqual([...emoteSizes]);
    for (const [size, file] of made) {
      const { width, height, channels, data } = decode(file);
      expect([width, height, channels]).toEqual([size, size, 4]);
      expect([...data.slice(0, 4)]).toEqual([255, 0, 0, 255]);
      expect([...data.slice(-4)]).toEqual([0, 0, 255, 255]);
    }
  });

  it('may be grey, of a palette, of sixteen bits, or name one colour that is seen through', () => {
    const side = 112;
    const grey = encode({
      width: side,
      height: side,
      channels: 1,
      depth: 8,
      data: new Uint8Array(side * side).fill(77),
    });
    const deep = encode({
      width: side,
      height: side,
      channels: 3,
      depth: 16,
      data: new Uint16Array(side * side * 3).fill(0xffff),
    });
    const palette = encode({
      width: side,
      height: side,
      channels: 1,
      depth: 8,
      data: new Uint8Array(side * side).fill(1),
      palette: [
        [0, 0, 0],
        [10, 20, 30],
      ],
    });
    const first = (file: Uint8Array) => [
      ...decode(pngsOf(file).get(28) ?? new Uint8Array()).data.slice(0, 4),
    ];
    expect(first(grey)).toEqual([77, 77, 77, 255]);
    expect(first(deep)).toEqual([255, 255, 255, 255]);
    expect(first(palette)).toEqual([10, 20, 30, 255]);
  });

  it('hands on nothing but its pixels', () => {
    const secret = 'taken at home, 52.1 north';
    const plain = pngOf(112, () => [1, 2, 3, 255]);
    const texts = chunk('tEXt', new TextEncoder().encode(`Comment\0${secret}`));
    const said = Uint8Array.from([
      ...plain.slice(0, 33),
      ...texts,
      ...plain.slice(33),
      ...new TextEncoder().encode('<script>'),
    ]);
    for (const file of pngsOf(said).values()) {
      const text = new TextDecoder('latin1').decode(file);
      expect(text).not.toContain('tEXt');
      expect(text).not.toContain('<script>');
    }
  });

  it('is refused that is too small, too large, no square or no picture', () => {
    const of = (width: number, height = width) =>
      encode({ width, height, channels: 3, data: new Uint8Array(width * height * 3) });
    expect(problemOf(emotePngs(of(111)))).toBe('wrong_size');
    expect(problemOf(emotePngs(of(513)))).toBe('wrong_size');
    expect(problemOf(emotePngs(of(112, 113)))).toBe('not_square');
    expect(problemOf(emotePngs(new Uint8Array(maxPngBytes + 1)))).toBe('too_many_bytes');
    expect(problemOf(emotePngs(new TextEncoder().encode('<svg xmlns="http://www.w3.org/2000/svg"/>')))).toBe(
      'not_a_picture',
    );
    const whole = of(112);
    expect(problemOf(emotePngs(whole.slice(0, -20)))).toBe('not_a_picture');
    const flipped = Uint8Array.from(whole);
    flipped[20] = 0xff;
    expect(problemOf(emotePngs(flipped))).toBeDefined();
  });

  it('that unpacks to more than it says is given up on before it is unpacked', () => {
    const plain = pngOf(112, () => [0, 0, 0, 255]);
    const bomb = chunk('IDAT', zlibSync(new Uint8Array(64 * 2 ** 20)));
    const file = Uint8Array.from([...plain.slice(0, 33), ...bomb, ...chunk('IEND', new Uint8Array())]);
    expect(file.length).toBeLessThan(maxPngBytes);
    expect(problemOf(emotePngs(file))).toBe('not_a_picture');
    const profile = chunk('iCCP', Uint8Array.from([120, 0, 0, ...zlibSync(new Uint8Array(64 * 2 ** 20))]));
    expect([
      ...pngsOf(Uint8Array.from([...plain.slice(0, 33), ...profile, ...plain.slice(33)])).keys(),
    ]).toHaveLength(3);
  });

  it('of any bytes never throws', () => {
    const whole = pngOf(112, (x, y) => [x, y, 0, 255]);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 8 }),
        fc.nat(whole.length),
        (changes, length) => {
          const file = Uint8Array.from(whole.slice(0, length));
          for (const [at, byte] of changes) if (at < length) file[at] = byte;
          const made = emotePngs(file);
          expect('problem' in made || made.size === 3).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });
});

it('a picture made smaller keeps its mean, and what is seen through lends no colour', () => {
  fc.assert(
    fc.property(fc.integer({ min: 112, max: 200 }), fc.nat(255), fc.nat(255), (side, colour, opacity) => {
      const data = new Uint8Array(side * side * 4);
      for (let at = 0; at < data.length; at += 4) data.set([colour, 0, 255, opacity], at);
      const small = shrink({ width: side, height: side, data }, 28);
      const expected = opacity === 0 ? [0, 0, 0, 0] : [colour, 0, 255, opacity];
      for (let at = 0; at < small.data.length; at += 4)
        expect([...small.data.slice(at, at + 4)]).toEqual(expected);
    }),
    { numRuns: 20 },
  );
  const edge = new Uint8Array(2 * 2 * 4);
  edge.set([255, 0, 0, 255], 0);
  edge.set([0, 255, 0, 0], 4);
  edge.set([0, 255, 0, 0], 8);
  edge.set([0, 255, 0, 0], 12);
  expect([...shrink({ width: 2, height: 2, data: edge }, 1).data]).toEqual([255, 0, 0, 64]);
});

describe('a GIF', () => {
  const madeOf = (file: Uint8Array): Uint8Array => {
    const made = emoteGif(file);
    if ('problem' in made) throw new Error(made.problem);
    return made;
  };

  it('is taken with its frames and its loop, without comments and what lies behind it', () => {
    const file = gifOf({ frames: 3, comment: 'taken at home', tail: '<script>alert(1)</script>' });
    const text = new TextDecoder('latin1').decode(madeOf(file));
    expect(text).toContain('NETSCAPE2.0');
    expect(text).not.toContain('taken at home');
    expect(text).not.toContain('<script>');
    expect(text.match(/,\0\0\0\0p\0p\0/g)).toHaveLength(3);
    expect(text.endsWith(';')).toBe(true);
  });

  it('is refused of another size, without frames, with too many, and cut off', () => {
    expect(problemOf(emoteGif(gifOf({ side: 111 })))).toBe('wrong_size');
    expect(problemOf(emoteGif(gifOf({ frames: 0 })))).toBe('not_a_picture');
    expect(problemOf(emoteGif(gifOf({ frames: maxFrames + 1 })))).toBe('too_many_frames');
    expect(problemOf(emoteGif(gifOf({ frames: 2 }).slice(0, -1)))).toBe('not_a_picture');
    expect(problemOf(emoteGif(new TextEncoder().encode('GIF89a;;;;;;;;;;;;;;')))).toBeDefined();
  });

  it('of any bytes never throws', () => {
    const whole = gifOf({ frames: 2, comment: 'x' });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 6 }),
        fc.nat(whole.length),
        (changes, length) => {
          const file = Uint8Array.from(whole.slice(0, length));
          for (const [at, byte] of changes) if (at < length) file[at] = byte;
          const made = emoteGif(file);
          expect('problem' in made || made.length <= length).toBe(true);
        },
      ),
    );
  });
});
