import { describe, expect, it } from 'vitest';
import {
  createBlockReader,
  probeContainer,
  ReadBudgetExceeded,
} from '../../../src/integrations/media/index.ts';
import { film } from '../../support/worker/films.ts';

/** Reads `head` as the beginning of a file of `sizeBytes`, zeros after it. */
const readerOf = (head: Uint8Array, sizeBytes = head.length) =>
  createBlockReader(sizeBytes, 64, async (start, end) => {
    const bytes = new Uint8Array(end - start);
    bytes.set(head.subarray(start, Math.min(end, head.length)));
    return bytes;
  });

const joined = (...pieces: readonly Uint8Array[]): Uint8Array => {
  const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
};

const uint32 = (...values: readonly number[]): Uint8Array => {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  values.forEach((value, index) => {
    view.setUint32(index * 4, value);
  });
  return bytes;
};

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

const box = (type: string, ...content: readonly Uint8Array[]): Uint8Array => {
  const inside = joined(...content);
  return joined(uint32(inside.length + 8), text(type), inside);
};

const repeated = (piece: Uint8Array, times: number): Uint8Array => {
  const bytes = new Uint8Array(piece.length * times);
  for (let index = 0; index < times; index += 1) bytes.set(piece, index * piece.length);
  return bytes;
};

/** Where the box of a type begins in a file. */
function placeOf(file: Uint8Array, type: string): number {
  const name = text(type);
  const found = file.findIndex((_, at) => name.every((byte, index) => file[at + index] === byte));
  if (found < 4) throw new Error(`no ${type} box`);
  return found - 4;
}

const boxAt = (file: Uint8Array, type: string): Uint8Array => {
  const start = placeOf(file, type);
  return file.slice(start, start + new DataView(file.buffer, file.byteOffset).getUint32(start));
};

const ftyp = box('ftyp', text('isom'), uint32(512), text('isomiso2'));

// Each would take minutes or more memory than a Worker has if it were read as it asks to be.
describe('files made to wear the parser out', () => {
  it('may not have two million boxes before the film', async () => {
    const reader = readerOf(joined(ftyp, repeated(box('free'), 2_000_000)));
    await expect(probeContainer(reader)).rejects.toBeInstanceOf(ReadBudgetExceeded);
  });

  it.each([
    ['in 32 bits', [uint32(3_900_000_000), text('moov')]],
    ['in 64 bits', [uint32(1), text('moov'), uint32(0, 3_900_000_000)]],
    ['as the rest of the file', [uint32(0), text('moov')]],
    ['for a fragment', [uint32(3_900_000_000), text('moof')]],
  ])('may not declare gigabytes of index %s', async (_, pieces) => {
    // The parser would take the memory before it asks for the bytes; nothing outside can see it do so, but the time.
    const reader = readerOf(joined(ftyp, ...pieces), 4_000_000_000);
    await expect(probeContainer(reader)).rejects.toBeInstanceOf(ReadBudgetExceeded);
    expect(reader.reads).toBeLessThan(3);
  });

  it('may not have thousands of tracks', async () => {
    const source = await film('film.mp4');
    const tracks = repeated(boxAt(source, 'trak'), 2_000);
    const reader = readerOf(joined(ftyp, box('moov', boxAt(source, 'mvhd'), tracks), box('mdat')));
    await expect(probeContainer(reader)).rejects.toBeInstanceOf(ReadBudgetExceeded);
  });

  it('may not declare billions of samples in a few bytes', async () => {
    const source = await film('fragmented.mp4');
    const start = placeOf(source, 'trun');
    const size = boxAt(source, 'trun').length;
    // Flags: only an offset, so each sample takes no bytes at all.
    const run = box('trun', uint32(1, 0xffff_ffff, 8));
    const rest = box('free', new Uint8Array(size - run.length - 8));
    const reader = readerOf(joined(source.slice(0, start), run, rest, source.slice(start + size)));
    await expect(probeContainer(reader)).rejects.toBeInstanceOf(ReadBudgetExceeded);
  });

  it('may not hide such a declaration between two reads', async () => {
    const source = await film('fragmented.mp4');
    const start = placeOf(source, 'trun');
    const size = boxAt(source, 'trun').length;
    const run = box('trun', uint32(1, 0xffff_ffff, 8));
    const rest = box('free', new Uint8Array(size - run.length - 8));
    const fragment = placeOf(source, 'moof');
    // Boxes before the fragment move the edges of the reads across it, byte by byte.
    for (let shift = 8; shift < 40; shift += 1) {
      const hostile = joined(
        source.slice(0, fragment),
        box('free', new Uint8Array(shift - 8)),
        source.slice(fragment, start),
        run,
        rest,
        source.slice(start + size),
      );
      await expect(probeContainer(readerOf(hostile))).rejects.toBeInstanceOf(ReadBudgetExceeded);
    }
  });

  it('may not sort half a million equal entries of a random access table', async () => {
    const source = await film('fragmented.mp4');
    const entries = 200_000;
    const table = box(
      'tfra',
      uint32(0, 1, 0, entries),
      repeated(joined(uint32(5, 100), new Uint8Array([1, 1, 1])), entries),
    );
    const size = box('mfro', uint32(0, table.length + 24));
    const body = source.slice(0, placeOf(source, 'mfra'));
    await expect(probeContainer(readerOf(joined(body, box('mfra', table, size))))).rejects.toBeInstanceOf(
      ReadBudgetExceeded,
    );
  });

  it('are not parsed at all as Matroska, whose blocks and laces cost hundreds of times their size', async () => {
    const reader = readerOf(await film('film.mkv'));
    expect(await probeContainer(reader)).toBeUndefined();
    expect(reader.reads).toBeLessThan(3);
  });
});

describe('films', () => {
  it.each(['film.mp4', 'fragmented.mp4', 'film.ts'])('stay far below the limits: %s', async (name) => {
    const facts = await probeContainer(readerOf(await film(name)));
    expect(facts?.video).toMatchObject({ width: 320, height: 180 });
    expect(facts?.video?.frameRate).toBeCloseTo(25, 0);
  });
});
