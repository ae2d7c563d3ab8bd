/** More was asked for than there is. */
export class OutOfBits extends Error {
  constructor() {
    super('the header ends too early');
    this.name = 'OutOfBits';
  }
}

export interface BitReader {
  /** Up to 32 bits as a number. @throws OutOfBits */
  bits(count: number): number;
  skip(count: number): void;
  /** Unsigned and signed Exp-Golomb codes (ISO/IEC 14496-10 §9.1). @throws OutOfBits */
  unsigned(): number;
  signed(): number;
}

export function createBitReader(bytes: Uint8Array): BitReader {
  let position = 0;
  const end = bytes.length * 8;

  function bits(count: number): number {
    if (count > end - position) throw new OutOfBits();
    let value = 0;
    for (let read = 0; read < count; read += 1) {
      value = value * 2 + (((bytes[position >> 3] ?? 0) >> (7 - (position & 7))) & 1);
      position += 1;
    }
    return value;
  }

  function unsigned(): number {
    let zeros = 0;
    while (bits(1) === 0) {
      zeros += 1;
      if (zeros > 32) throw new OutOfBits();
    }
    return 2 ** zeros - 1 + bits(zeros);
  }

  return {
    bits,
    unsigned,
    skip(count) {
      if (count > end - position) throw new OutOfBits();
      position += count;
    },
    signed() {
      const code = unsigned();
      return code % 2 === 1 ? (code + 1) / 2 : -code / 2;
    },
  };
}

/** A NAL unit without the bytes that keep start codes out of it (ISO/IEC 14496-10 §7.4.1). */
export function withoutEmulation(nal: Uint8Array): Uint8Array {
  const kept: number[] = [];
  let zeros = 0;
  for (const byte of nal) {
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    kept.push(byte);
  }
  return Uint8Array.from(kept);
}
