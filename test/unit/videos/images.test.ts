import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { imageProblem, inspectImage } from '../../../src/modules/videos/policy/images.ts';

const be = (value: number, bytes: number) =>
  Array.from({ length: bytes }, (_, index) => (value >>> (8 * (bytes - 1 - index))) & 255);
const le = (value: number, bytes: number) => be(value, bytes).reverse();
const text = (value: string) => [...value].map((letter) => letter.charCodeAt(0));

const png = (width: number, height: number): Uint8Array =>
  Uint8Array.from([
    0x89,
    ...text('PNG'),
    13,
    10,
    26,
    10,
    ...be(13, 4),
    ...text('IHDR'),
    ...be(width, 4),
    ...be(height, 4),
    8,
    2,
    0,
    0,
    0,
    ...be(0, 4),
    ...be(0, 4),
    ...text('IEND'),
    ...be(0xae426082, 4),
  ]);
const jpeg = (width: number, height: number): Uint8Array =>
  Uint8Array.from([
    0xff,
    0xd8,
    0xff,
    0xe0,
    ...be(16, 2),
    ...text('JFIF'),
    0,
    1,
    1,
    0,
    0,
    1,
    0,
    1,
    0,
    0,
    0xff,
    0xc0,
    ...be(17, 2),
    8,
    ...be(height, 2),
    ...be(width, 2),
    3,
    1,
    0x22,
    0,
    2,
    0x11,
    1,
    3,
    0x11,
    1,
    0xff,
    0xda,
    ...be(8, 2),
    1,
    1,
    0,
    0,
    63,
    0,
    9,
    0xff,
    0xd9,
  ]);
const webp = (width: number, height: number): Uint8Array => {
  const chunk = [...text('VP8X'), ...le(10, 4), 0, 0, 0, 0, ...le(width - 1, 3), ...le(height - 1, 3)];
  return Uint8Array.from([...text('RIFF'), ...le(4 + chunk.length, 4), ...text('WEBP'), ...chunk]);
};

describe('a picture to show a video by', () => {
  it.each([
    ['PNG', png, 'image/png'],
    ['JPEG', jpeg, 'image/jpeg'],
    ['WebP', webp, 'image/webp'],
  ] as const)('is known as %s by its bytes, with its size', (_, make, type) => {
    expect(inspectImage(make(1280, 720))).toMatchObject({ type, width: 1280, height: 720 });
    expect(imageProblem(inspectImage(make(1280, 720)))).toBeUndefined();
    expect(imageProblem(inspectImage(make(5000, 720)))).toBe('too_large');
    expect(imageProblem(inspectImage(make(100, 50)))).toBe('too_small');
    expect(imageProblem(inspectImage(make(2000, 100)))).toBe('unsupported_shape');
  });

  it.each([
    ['PNG', png(640, 360)],
    ['JPEG', jpeg(640, 360)],
    ['WebP', webp(640, 360)],
  ])('is refused as %s when something hangs on it, or its end is missing', (_, bytes) => {
    expect(inspectImage(Uint8Array.from([...bytes, ...text('<script>alert(1)</script>')]))).toBeUndefined();
    for (let length = 0; length < bytes.length; length += 1)
      expect(inspectImage(bytes.subarray(0, length))).toBeUndefined();
  });

  it('is never anything else, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        inspectImage(bytes);
        inspectImage(Uint8Array.from([0xff, 0xd8, ...bytes, 0xff, 0xd9]));
        inspectImage(Uint8Array.from([...png(9, 9).subarray(0, 16), ...bytes]));
      }),
    );
    for (const other of ['GIF89a', '<svg xmlns="http://www.w3.org/2000/svg"/>', '%PDF-1.7', '<html>'])
      expect(inspectImage(Uint8Array.from(text(other.padEnd(100))))).toBeUndefined();
  });
});
