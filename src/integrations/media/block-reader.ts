/** Size of one block: a moov box of a short film fits into one, and a cap on blocks caps the bytes. */
export const blockBytes = 262_144;

/** The reads a probe may make are used up. */
export class ReadBudgetExceeded extends Error {
  constructor(maxReads: number) {
    super(`more than ${maxReads} ranged reads needed`);
    this.name = 'ReadBudgetExceeded';
  }
}

export interface BlockReader {
  readonly sizeBytes: number;
  /** The bytes `start` (inclusive) to `end` (exclusive), clipped to the size. @throws ReadBudgetExceeded */
  read(start: number, end: number): Promise<Uint8Array>;
  /** Ranged reads made so far. */
  readonly reads: number;
  /** What made the last read fail, if any did: readers of containers wrap or swallow it. */
  readonly failure: unknown;
}

/**
 * Reads a remote file in whole blocks, each at most once, and never more than `maxReads` of them: parsers ask for a few
 * bytes at a time, some (MPEG-TS) thousands of times.
 */
export function createBlockReader(
  sizeBytes: number,
  maxReads: number,
  fetchRange: (start: number, end: number) => Promise<Uint8Array>,
): BlockReader {
  const blocks = new Map<number, Promise<Uint8Array>>();
  let reads = 0;
  let failure: unknown;

  function block(index: number): Promise<Uint8Array> {
    let found = blocks.get(index);
    if (found === undefined) {
      if (reads >= maxReads) {
        failure = new ReadBudgetExceeded(maxReads);
        throw failure;
      }
      reads += 1;
      const start = index * blockBytes;
      found = fetchRange(start, Math.min(start + blockBytes, sizeBytes)).catch((error: unknown) => {
        failure = error;
        blocks.delete(index);
        throw error;
      });
      blocks.set(index, found);
    }
    return found;
  }

  return {
    sizeBytes,
    get reads() {
      return reads;
    },
    get failure() {
      return failure;
    },
    async read(start, end) {
      const from = Math.max(0, start);
      const to = Math.min(end, sizeBytes);
      if (to - from > maxReads * blockBytes) {
        failure = new ReadBudgetExceeded(maxReads);
        throw failure;
      }
      const bytes = new Uint8Array(Math.max(0, to - from));
      for (let index = Math.floor(from / blockBytes); index * blockBytes < to; index += 1) {
        const blockStart = index * blockBytes;
        const data = await block(index);
        const slice = data.subarray(Math.max(0, from - blockStart), to - blockStart);
        bytes.set(slice, Math.max(0, blockStart - from));
      }
      return bytes;
    },
  };
}
