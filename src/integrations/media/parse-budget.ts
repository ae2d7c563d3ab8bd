import { type BlockReader, ReadBudgetExceeded } from './block-reader.ts';

/** Reads a parser may ask for. An MP4 needs a dozen, a transport stream one for each packet it looks at. */
const maxReads = 30_000;

interface CountedBox {
  readonly type: number;
  /** Offset from the type of a 32-bit count of things the parser will make, however few bytes they take; 0 when each box is one. */
  readonly countAt: number;
  /** Of all such boxes together. */
  readonly max: number;
}

// ISO/IEC 14496-12 §8.3.1, §8.8.8, §8.8.10. A `trun` may declare 2^32 samples in 20 bytes.
const countedBoxes: readonly CountedBox[] = [
  { type: 0x7472616b, countAt: 0, max: 100 }, // trak
  { type: 0x7472756e, countAt: 8, max: 100_000 }, // trun
  { type: 0x74667261, countAt: 16, max: 20_000 }, // tfra
];
const longestBoxHead = 20;

// Boxes the parser takes memory for before it reads them, whatever size they claim. ISO/IEC 14496-12 §8.2.1, §8.8.4, §8.8.9.
const wholeBoxes: readonly number[] = [0x6d6f6f76, 0x6d6f6f66, 0x6d667261]; // moov, moof, mfra

export interface ParseBudget {
  /** As `BlockReader.read`. @throws ReadBudgetExceeded */
  read(start: number, end: number): Promise<Uint8Array>;
  /** Lets the parser ask for so many bytes from now on. */
  allow(bytes: number): void;
  /** What made a read fail, if any did: parsers wrap or swallow it. */
  readonly failure: unknown;
}

/**
 * Meters what a parser asks of a file. Blocks bound what is fetched, but not what it costs to read: a few megabytes hold
 * a million boxes, each a step of its own, and a few bytes may stand for more samples than a Worker has memory for.
 */
export function createParseBudget(reader: BlockReader, startBytes: number): ParseBudget {
  let reads = 0;
  let bytesLeft = startBytes;
  let failure: unknown;
  const counted = countedBoxes.map(() => 0);

  function refuse(): never {
    failure = new ReadBudgetExceeded(reads);
    throw failure;
  }

  return {
    allow(bytes) {
      bytesLeft = bytes;
    },
    get failure() {
      return failure ?? reader.failure;
    },
    async read(start, end) {
      reads += 1;
      bytesLeft -= Math.min(end, reader.sizeBytes) - start;
      if (reads > maxReads || bytesLeft < 0) refuse();
      // The bytes before it too, for a box whose head lies in two reads.
      const overlap = Math.min(start, longestBoxHead);
      const bytes = await reader.read(start - overlap, end);
      for (const [index, box] of countedBoxes.entries()) {
        counted[index] = (counted[index] ?? 0) + countIn(bytes, overlap, box);
        if ((counted[index] ?? 0) > box.max) refuse();
      }
      if (wholeBoxes.some((type) => largestOf(bytes, type) > startBytes)) refuse();
      return bytes.subarray(overlap);
    },
  };
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** The largest size a box of a type in `bytes` claims; one without a size goes on to the end of the file. */
function largestOf(bytes: Uint8Array, type: number): number {
  const view = viewOf(bytes);
  const first = type >>> 24;
  let largest = 0;
  for (let at = bytes.indexOf(first, 4); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (at + 4 > bytes.length) break;
    if (view.getUint32(at) !== type) continue;
    const size = view.getUint32(at - 4);
    if (size === 0) return Number.POSITIVE_INFINITY;
    if (size > 1) largest = Math.max(largest, size);
    else if (at + 12 <= bytes.length) largest = Math.max(largest, Number(view.getBigUint64(at + 4)));
  }
  return largest;
}

/** What the boxes of one type in `bytes` declare; those whose head ends within the first `seen` bytes were counted before. */
function countIn(bytes: Uint8Array, seen: number, box: CountedBox): number {
  const view = viewOf(bytes);
  const first = box.type >>> 24;
  const headBytes = box.countAt + 4;
  let total = 0;
  for (let at = bytes.indexOf(first); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (at + headBytes > bytes.length) break;
    if (at + headBytes > seen && view.getUint32(at) === box.type)
      total += box.countAt === 0 ? 1 : view.getUint32(at + box.countAt);
  }
  return total;
}
