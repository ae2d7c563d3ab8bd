import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  blockBytes,
  createBlockReader,
  probeContainer,
  ReadBudgetExceeded,
} from '../../../src/integrations/media/index.ts';

const file = Uint8Array.from(
  { length: blockBytes * 3 + 100 },
  (_, index) => (index * 31 + (index >> 8)) & 255,
);

function readerOf(bytes: Uint8Array, maxReads: number) {
  const ranges: [number, number][] = [];
  const reader = createBlockReader(bytes.length, maxReads, async (start, end) => {
    ranges.push([start, end]);
    return bytes.slice(start, end);
  });
  return { reader, ranges };
}

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, index) => byte === b[index]);

describe('reading a remote file in blocks', () => {
  it('gives the bytes that were asked for, from any place, each block fetched once', async () => {
    const place = fc.integer({ min: -10, max: file.length + 10 });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(place, place), { maxLength: 20 }), async (asked) => {
        const { reader, ranges } = readerOf(file, 10);
        for (const [start, end] of asked)
          expect(
            sameBytes(await reader.read(start, end), file.subarray(Math.max(0, start), Math.max(0, end))),
          ).toBe(true);
        expect(new Set(ranges.map(([start]) => start)).size).toBe(ranges.length);
        expect(reader.reads).toBeLessThanOrEqual(4);
      }),
      { numRuns: 30 },
    );
  });

  it('fetches a block once for readers at the same time', async () => {
    const { reader, ranges } = readerOf(file, 10);
    await Promise.all([reader.read(0, 10), reader.read(5, 20), reader.read(100, 200)]);
    expect(ranges).toEqual([[0, blockBytes]]);
  });

  it('stops when its reads are used up, and says so afterwards', async () => {
    const { reader } = readerOf(file, 2);
    await reader.read(0, 1);
    await reader.read(blockBytes, blockBytes + 1);
    await expect(reader.read(blockBytes * 2, blockBytes * 2 + 1)).rejects.toBeInstanceOf(ReadBudgetExceeded);
    expect(reader.failure).toBeInstanceOf(ReadBudgetExceeded);
    expect(await reader.read(0, 2)).toEqual(file.slice(0, 2));
  });

  it('refuses a single read beyond all its reads without fetching anything', async () => {
    const { reader, ranges } = readerOf(file, 1);
    await expect(reader.read(0, file.length)).rejects.toBeInstanceOf(ReadBudgetExceeded);
    expect(ranges).toEqual([]);
  });

  it('fetches again what could not be fetched', async () => {
    let fails = true;
    const reader = createBlockReader(10, 5, async () => {
      if (fails) throw new Error('away');
      return file.slice(0, 10);
    });
    await expect(reader.read(0, 10)).rejects.toThrow('away');
    fails = false;
    expect(await reader.read(0, 10)).toEqual(file.slice(0, 10));
  });
});

describe('probing hostile bytes', () => {
  it('has nothing to say about them and does not throw', async () => {
    const starts = [
      [0, 0, 0, 24, ...Array.from('ftypisom', (c) => c.charCodeAt(0))],
      [0x1a, 0x45, 0xdf, 0xa3],
      [0x47, 0x40, 0, 0x10],
      [],
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...starts),
        fc.uint8Array({ minLength: 1, maxLength: 2_000 }),
        async (start, noise) => {
          const { reader } = readerOf(Uint8Array.from([...start, ...noise]), 8);
          const facts = await probeContainer(reader).catch((error: unknown) => {
            if (error instanceof ReadBudgetExceeded) return undefined;
            throw error;
          });
          expect(facts?.video).toBeUndefined();
        },
      ),
      { numRuns: 200 },
    );
  });

  it('passes on that the file could not be read', async () => {
    const reader = createBlockReader(1_000_000, 5, async () => {
      throw new Error('S3 is away');
    });
    await expect(probeContainer(reader)).rejects.toThrow('S3 is away');
  });
});
