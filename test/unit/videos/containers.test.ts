import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { endsEarly, sniffContainer } from '../../../src/modules/videos/policy/containers.ts';
import { titleOf } from '../../../src/modules/videos/policy/titles.ts';

const bytesOf = (...parts: (string | number[])[]): Uint8Array =>
  Uint8Array.from(
    parts.flatMap((part) => (typeof part === 'string' ? Array.from(part, (c) => c.charCodeAt(0)) : part)),
  );

const transportStream = (packetBytes: number, first: number): Uint8Array => {
  const bytes = new Uint8Array(1_024);
  for (let packet = 0; first + packet * packetBytes < bytes.length; packet += 1)
    bytes[first + packet * packetBytes] = 0x47;
  return bytes;
};

describe('telling a container by its first bytes', () => {
  const cases: [string, Uint8Array, string | undefined][] = [
    ['MP4', bytesOf([0, 0, 0, 32], 'ftypisom'), 'isobmff'],
    ['an old QuickTime film', bytesOf([0, 0, 1, 0], 'moov'), 'isobmff'],
    ['a HEIC picture', bytesOf([0, 0, 0, 32], 'ftypheic'), undefined],
    ['an AVIF picture', bytesOf([0, 0, 0, 32], 'ftypavif'), undefined],
    ['Matroska and WebM', bytesOf([0x1a, 0x45, 0xdf, 0xa3, 0x9f]), 'matroska'],
    ['AVI', bytesOf('RIFF', [0, 0, 0, 0], 'AVI LIST'), 'avi'],
    ['WAVE', bytesOf('RIFF', [0, 0, 0, 0], 'WAVEfmt '), 'wav'],
    ['WebP', bytesOf('RIFF', [0, 0, 0, 0], 'WEBPVP8 '), undefined],
    ['FLV', bytesOf('FLV', [1, 5]), 'flv'],
    ['MPEG program stream', bytesOf([0, 0, 1, 0xba]), 'mpegps'],
    ['MPEG transport stream', transportStream(188, 0), 'mpegts'],
    ['Blu-ray transport stream', transportStream(192, 4), 'mpegts'],
    ['text that begins with G', bytesOf('Go west, young man'), undefined],
    ['Ogg', bytesOf('OggS'), 'ogg'],
    ['MP3 with tags', bytesOf('ID3', [4]), 'mp3'],
    ['MP3 without', bytesOf([0xff, 0xfb, 0x90]), 'mp3'],
    ['AAC frames', bytesOf([0xff, 0xf1, 0x50]), 'adts'],
    ['JPEG', bytesOf([0xff, 0xd8, 0xff, 0xe0]), undefined],
    ['PNG', bytesOf([0x89], 'PNG'), undefined],
    ['a program', bytesOf([0x7f], 'ELF'), undefined],
    ['nothing', new Uint8Array(), undefined],
  ];
  it.each(cases)('knows %s', (_, head, container) => {
    expect(sniffContainer(head)).toBe(container);
  });

  it('has an answer for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1_024 }), (bytes) => {
        sniffContainer(bytes);
      }),
    );
  });
});

describe('telling that a file was cut off', () => {
  const reading = (bytes: Uint8Array) => async (start: number, end: number) => bytes.subarray(start, end);
  const check = (container: Parameters<typeof endsEarly>[0], bytes: Uint8Array) =>
    endsEarly(container, bytes.length, reading(bytes));
  const box = (type: string, length: number, content = length - 8): Uint8Array =>
    bytesOf([0, 0, (length >> 8) & 255, length & 255], type, new Array<number>(content).fill(0));
  const joined = (...parts: Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]));

  it('follows the boxes of an MP4', async () => {
    expect(await check('isobmff', joined(box('ftyp', 24), box('moov', 100), box('mdat', 500)))).toBe(false);
    expect(await check('isobmff', joined(box('ftyp', 24), box('moov', 100), box('mdat', 500, 20)))).toBe(
      true,
    );
    expect(await check('isobmff', joined(box('ftyp', 24), box('mdat', 0, 50)))).toBe(false);
    expect(await check('isobmff', joined(box('ftyp', 24), bytesOf([1, 2, 3])))).toBe(false);
    expect(await check('isobmff', joined(box('ftyp', 24), bytesOf([9, 9, 9, 9, 0, 0, 0, 0])))).toBe(false);
    const large = bytesOf([0, 0, 0, 1], 'mdat', [0, 0, 0, 2, 0, 0, 0, 0]);
    expect(await check('isobmff', joined(box('ftyp', 24), large))).toBe(true);
  });

  it('reads the size of a Matroska segment, known or not', async () => {
    const header = bytesOf([0x1a, 0x45, 0xdf, 0xa3, 0x81, 0]);
    const segment = (size: number[], content: number) =>
      joined(header, bytesOf([0x18, 0x53, 0x80, 0x67], size), new Uint8Array(content));
    expect(await check('matroska', segment([0x40, 50], 50))).toBe(false);
    expect(await check('matroska', segment([0x40, 51], 50))).toBe(true);
    expect(await check('matroska', segment([0x01, 255, 255, 255, 255, 255, 255, 255], 50))).toBe(false);
    expect(await check('matroska', header)).toBe(false);
  });

  it('reads the size of an AVI, and takes what has no size at its word', async () => {
    expect(await check('avi', bytesOf('RIFF', [4, 0, 0, 0], 'AVI '))).toBe(false);
    expect(await check('avi', bytesOf('RIFF', [5, 0, 0, 0], 'AVI '))).toBe(true);
    expect(await check('avi', bytesOf('RIFF'))).toBe(true);
    expect(await check('mpegts', new Uint8Array(10))).toBe(false);
  });

  it('comes to an end on any bytes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('isobmff' as const, 'matroska' as const, 'avi' as const),
        fc.uint8Array({ maxLength: 300 }),
        async (container, bytes) => {
          await check(container, bytes);
        },
      ),
    );
  });
});

describe('a title from a file name', () => {
  it('drops the extension and is never empty or too long', () => {
    expect(titleOf('Summer.2026.mp4')).toBe('Summer.2026');
    expect(titleOf('.mp4')).toBe('Untitled');
    expect(titleOf('\u200b\u2060.mp4')).toBe('Untitled');
    expect(titleOf('no extension')).toBe('no extension');
    expect(Array.from(titleOf(`${'👩'.repeat(250)}.mov`))).toHaveLength(200);
  });
});
