// HyperLogLog (Flajolet, Fusy, Gandouet, Meunier 2007, https://algo.inria.fr/flajolet/Publications/FlFuGaMe07.pdf): 2,048 registers
// tell how many different viewers there were with a standard error of 1.04 / sqrt(2048) = 2.3 %, and two sketches merge into the
// sketch of both their viewers.
const indexBits = 11;
export const registerCount = 1 << indexBits;
/** Of an estimate, as a share of it. */
export const standardError = 0.023;
const alpha = 0.7213 / (1 + 1.079 / registerCount);

export const emptySketch = (): Uint8Array => new Uint8Array(registerCount);

/** Adds a viewer by their key: at least 64 bits of a keyed hash, in hex. Changes `sketch`. */
export function addToSketch(sketch: Uint8Array, viewer: string): void {
  const high = Number.parseInt(viewer.slice(0, 8), 16);
  const low = Number.parseInt(viewer.slice(8, 16), 16);
  const index = high >>> (32 - indexBits);
  const rest = (high << indexBits) >>> 0;
  const rank =
    rest === 0 ? 32 - indexBits + Math.clz32(low) + 1 : Math.min(Math.clz32(rest) + 1, 32 - indexBits);
  if (rank > (sketch[index] ?? 0)) sketch[index] = rank;
}

/** The key of a user for a sketch that holds nothing else: their random id, with its bits spread evenly (fmix32 of MurmurHash3). */
export function keyOfUser(userId: string): string {
  const digits = userId.replaceAll('-', '').slice(-16);
  const low = mixed(Number.parseInt(digits.slice(8), 16));
  return hexOf(mixed(Number.parseInt(digits.slice(0, 8), 16) ^ low)) + hexOf(low);
}

const hexOf = (bits: number): string => bits.toString(16).padStart(8, '0');

function mixed(value: number): number {
  let bits = value ^ (value >>> 16);
  bits = Math.imul(bits, 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

/** The sketch of everybody in any of the sketches. */
export function mergeSketches(sketches: Iterable<Uint8Array>): Uint8Array {
  const merged = emptySketch();
  for (const sketch of sketches)
    for (let index = 0; index < registerCount; index += 1)
      merged[index] = Math.max(merged[index] ?? 0, sketch[index] ?? 0);
  return merged;
}

/** How many different viewers a sketch has seen; small numbers by linear counting, as in the paper. */
export function estimate(sketch: Uint8Array): number {
  let sum = 0;
  let zeros = 0;
  for (const rank of sketch) {
    sum += 2 ** -rank;
    if (rank === 0) zeros += 1;
  }
  const raw = (alpha * registerCount ** 2) / sum;
  return Math.round(
    raw <= 2.5 * registerCount && zeros > 0 ? registerCount * Math.log(registerCount / zeros) : raw,
  );
}
