import type { CodedSize } from './coded-size.ts';

/** What the skeleton of a container says, without the index and the samples. */
export interface Structure {
  /** `too_many_tracks`, or boxes and elements that contradict each other, nest too deep or never end. */
  readonly problem: 'malformed' | 'too_many_tracks' | undefined;
  /** The largest picture any track or codec header in it declares. */
  readonly size: CodedSize;
}

/** Stops a walk with what is wrong. */
export class StructureProblem extends Error {
  readonly problem: NonNullable<Structure['problem']>;

  constructor(problem: NonNullable<Structure['problem']>) {
    super(`the container is ${problem}`);
    this.name = 'StructureProblem';
    this.problem = problem;
  }
}

/** Collects sizes and counts steps, so that no file makes a walk long. */
export interface Walk {
  readonly maxTracks: number;
  /** Counts one box or element. @throws StructureProblem after too many */
  step(): void;
  /** @throws StructureProblem after too many */
  track(): void;
  saw(size: CodedSize | undefined): void;
}

const maxSteps = 4_096;

/** Runs a walk to its end or to the first problem. */
export async function walked(maxTracks: number, run: (walk: Walk) => Promise<void>): Promise<Structure> {
  let steps = 0;
  let tracks = 0;
  let size = { width: 0, height: 0 };
  const walk: Walk = {
    maxTracks,
    step() {
      steps += 1;
      if (steps > maxSteps) throw new StructureProblem('malformed');
    },
    track() {
      tracks += 1;
      if (tracks > maxTracks) throw new StructureProblem('too_many_tracks');
    },
    saw(seen) {
      if (seen !== undefined)
        size = { width: Math.max(size.width, seen.width), height: Math.max(size.height, seen.height) };
    },
  };
  try {
    await run(walk);
    return { problem: undefined, size };
  } catch (error) {
    if (error instanceof StructureProblem) return { problem: error.problem, size };
    throw error;
  }
}

export const uint32At = (bytes: Uint8Array, at: number): number =>
  at + 4 > bytes.length ? 0 : new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(at);

export const uint16At = (bytes: Uint8Array, at: number): number =>
  at + 2 > bytes.length ? 0 : new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint16(at);
