import { strToU8, zipSync } from 'fflate';
import { expect, it } from 'vitest';
import {
  blockBytes,
  createBlockReader,
  ebmlStructure,
  isoStructure,
} from '../../../src/integrations/media/index.ts';
import { probeVideo } from '../../../src/modules/videos/usecases/probe-video.ts';
import { seedUser, sqlRows } from '../../support/worker/client.ts';
import {
  avcConfig,
  box,
  ebml,
  ftyp,
  joined,
  repeated,
  text,
  uint32,
  unknownSize,
  videoTrack,
} from '../../support/worker/containers.ts';
import { contextOf, film, getVideo, uploadFilm } from '../../support/worker/films.ts';
import { takeMessages } from '../../support/worker/queues.ts';

// Files made to hurt whoever reads them. Each ends as a failure of its own, after a few bounded reads of it.

const moov = (...content: readonly Uint8Array[]) => box('moov', box('mvhd', new Uint8Array(100)), ...content);
const mdat = box('mdat', new Uint8Array(64));
const matroska = (...content: readonly Uint8Array[]) =>
  joined(ebml(0x1a45dfa3, ebml(0x4282, text('matroska'))), ebml(0x18538067, ...content));
const trackEntry = (...content: readonly Uint8Array[]) =>
  ebml(0xae, ebml(0xd7, Uint8Array.of(1)), ...content);
const nested = (type: string, depth: number): Uint8Array =>
  depth === 0 ? box('free') : box(type, nested(type, depth - 1));

const bombs: [string, () => Promise<Uint8Array> | Uint8Array, string][] = [
  [
    'a film that is also an archive',
    async () => joined(await film('film.mp4'), zipSync({ 'x.exe': strToU8('MZ') })),
    'polyglot',
  ],
  [
    'a film that is also an archive, with more behind it',
    async () => joined(await film('film.mp4'), zipSync({ 'x.jar': strToU8('x') }), new Uint8Array(900)),
    'polyglot',
  ],
  [
    'a film full of ends of archives',
    async () =>
      joined(await film('film.mp4'), box('free', repeated(text('PK\x05\x06'.padEnd(22, 'x')), 200))),
    'polyglot',
  ],
  [
    'a film that is also a web page',
    async () => joined(ftyp, box('free', text('<HTML><script>alert(1)</script>')), await film('film.mp4')),
    'polyglot',
  ],
  [
    'a film that is also a script',
    async () => joined(ftyp, box('skip', text('<?php system($_GET[0]); ?>')), mdat),
    'polyglot',
  ],
  [
    'a film that is also a PDF',
    async () => joined(ftyp, box('free', text('%PDF-1.7 1 0 obj')), mdat),
    'polyglot',
  ],
  ['a million tracks', () => joined(ftyp, moov(repeated(box('trak'), 1_000_000)), mdat), 'too_many_tracks'],
  [
    '65 whole tracks',
    () => joined(ftyp, moov(...Array.from({ length: 65 }, () => videoTrack({}))), mdat),
    'too_many_tracks',
  ],
  [
    'a million tracks in Matroska',
    () => matroska(ebml(0x1654ae6b, repeated(trackEntry(), 100_000))),
    'too_many_tracks',
  ],
  ['boxes nested a thousand deep', () => joined(ftyp, moov(nested('trak', 1_000)), mdat), 'malformed'],
  [
    'a box that reaches out of what it is in',
    () =>
      joined(ftyp, box('moov', uint32(9_000), text('trak'), new Uint8Array(16)), mdat, new Uint8Array(9_000)),
    'malformed',
  ],
  [
    'a box smaller than its own head',
    () => joined(ftyp, box('moov', uint32(4), text('trak'), new Uint8Array(16)), mdat),
    'malformed',
  ],
  ['two million boxes before the film', () => joined(ftyp, repeated(box('free'), 2_000_000)), 'malformed'],
  [
    'boxes in the index without end',
    () => joined(ftyp, moov(repeated(box('free'), 100_000)), mdat),
    'malformed',
  ],
  [
    'an index that claims gigabytes',
    () => joined(ftyp, uint32(3_900_000_000), text('moov'), new Uint8Array(1_000)),
    'truncated',
  ],
  [
    'an element of unknown size that is no segment',
    () => matroska(unknownSize(0x1654ae6b), trackEntry()),
    'malformed',
  ],
  ['elements that never end', () => matroska(repeated(ebml(0xec), 500_000)), 'malformed'],
  [
    'an element that reaches out of its segment',
    () => matroska(joined(Uint8Array.of(0x16, 0x54, 0xae, 0x6b, 0x40, 0xff), new Uint8Array(20))),
    'malformed',
  ],
  ['a Matroska head with nothing behind it', () => ebml(0x1a45dfa3, ebml(0x4282, text('webm'))), 'malformed'],
  [
    'a track with elements without end',
    () => matroska(ebml(0x1654ae6b, ebml(0xae, repeated(ebml(0xec), 10_000)))),
    'malformed',
  ],
  [
    'a picture said to be 60000 pixels wide',
    () => joined(ftyp, moov(videoTrack({ width: 60_000, height: 32 })), mdat),
    'too_large_dimensions',
  ],
  [
    'a small picture whose codec says 32768 by 32768',
    () => joined(ftyp, moov(videoTrack({ config: box('avcC', avcConfig(32_768, 32_768)) })), mdat),
    'too_large_dimensions',
  ],
  [
    'the same in Matroska',
    () =>
      matroska(
        ebml(
          0x1654ae6b,
          trackEntry(
            ebml(0x86, text('V_MPEG4/ISO/AVC')),
            ebml(0x63a2, avcConfig(32_768, 64)),
            ebml(0xe0, ebml(0xb0, Uint8Array.of(1, 64)), ebml(0xba, Uint8Array.of(180))),
          ),
        ),
      ),
    'too_large_dimensions',
  ],
  [
    'a picture of a billion pixels in Matroska',
    () =>
      matroska(
        ebml(
          0x1654ae6b,
          trackEntry(
            ebml(0xe0, ebml(0xb0, Uint8Array.of(0xff, 0xff, 0xff)), ebml(0xba, Uint8Array.of(0xff, 0xff))),
          ),
        ),
      ),
    'too_large_dimensions',
  ],
  ['a film of no length', () => joined(ftyp, moov(videoTrack({})), mdat), 'truncated'],
];

it.each(bombs)('fails %s', async (_, make, code) => {
  const owner = await seedUser();
  const { videoId, videoUuid } = await uploadFilm(owner, await make());
  takeMessages();
  let requests = 0;
  const real = globalThis.fetch;
  globalThis.fetch = (input, init) => {
    const request = input instanceof Request ? input : new Request(input, init);
    if (request.headers.has('range') || request.url.endsWith('/probe')) requests += 1;
    return real(input, init);
  };
  try {
    await probeVideo(contextOf(), {
      id: crypto.randomUUID(),
      type: 'video.released',
      occurred_at: new Date().toISOString(),
      data: { video_id: videoUuid, revision: 1 },
    });
  } finally {
    globalThis.fetch = real;
  }
  expect(await getVideo(videoId, owner)).toMatchObject({
    state: 'failed',
    failure: { code, retryable: false },
  });
  expect(requests).toBeLessThanOrEqual(8);
  expect(await sqlRows('SELECT 1 FROM encode_jobs WHERE video_id = $1', [videoUuid])).toEqual([]);
  takeMessages();
});

/** A reader that counts what a walk asks for. */
const readerOf = (bytes: Uint8Array) =>
  createBlockReader(bytes.length, 64, async (start, end) => bytes.slice(start, end));

it('reads no more than a block or two of a film with an ordinary index', async () => {
  for (const name of ['film.mp4', 'film.mov', 'fragmented.mp4', 'hevc.mp4']) {
    const bytes = await film(name);
    const reader = readerOf(bytes);
    // As coded, in whole blocks.
    expect(await isoStructure(reader, 64)).toEqual({ problem: undefined, size: { width: 320, height: 192 } });
    expect(reader.reads).toBeLessThanOrEqual(Math.ceil(bytes.length / blockBytes));
  }
  for (const name of ['film.mkv', 'film.webm']) {
    const { problem, size } = await ebmlStructure(readerOf(await film(name)), 64);
    expect(problem).toBeUndefined();
    expect(size.width).toBe(320);
  }
});
