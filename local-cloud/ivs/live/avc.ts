/** What a decoder is told about a video before its first picture. */
export type AvcConfiguration = {
  profile: string;
  level: string;
  /** RFC 6381. */
  codec: string;
  width: number;
  height: number;
};

const PROFILES: Readonly<Record<number, string>> = {
  66: 'Baseline',
  77: 'Main',
  88: 'Extended',
  100: 'High',
  110: 'High 10',
  122: 'High 4:2:2',
  244: 'High 4:4:4 Predictive',
};
/** Profiles whose sequence parameter sets have the chroma format in them (ITU-T H.264 §7.3.2.1.1). */
const WITH_CHROMA = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128]);

/**
 * Reads an AVCDecoderConfigurationRecord (ISO/IEC 14496-15 §5.3.3.1).
 * @throws Error when it is not one
 */
export function readAvcConfiguration(record: Buffer): AvcConfiguration {
  const [version, profile, , level] = record;
  const length = record.length > 8 ? record.readUInt16BE(6) : 0;
  if (
    version !== 1 ||
    profile === undefined ||
    level === undefined ||
    length < 4 ||
    record.length < 8 + length
  )
    throw new Error('not a configuration of H.264');
  return {
    profile: PROFILES[profile] ?? String(profile),
    level: (level / 10).toFixed(1),
    codec: `avc1.${record.toString('hex', 1, 4).toUpperCase()}`,
    ...readSize(record.subarray(8, 8 + length)),
  };
}

/** Size of the picture, cropping applied, from a sequence parameter set. */
function readSize(unit: Buffer): { width: number; height: number } {
  const bits = bitReader(withoutEmulation(unit.subarray(1)));
  const profile = bits.take(8);
  bits.take(16);
  bits.golomb();
  let chroma = 1;
  if (WITH_CHROMA.has(profile)) {
    chroma = bits.golomb();
    if (chroma === 3) bits.take(1);
    bits.golomb();
    bits.golomb();
    bits.take(1);
    if (bits.take(1)) for (let list = 0; list < (chroma === 3 ? 12 : 8); list += 1) skipScaling(bits, list);
  }
  bits.golomb();
  const order = bits.golomb();
  if (order === 0) bits.golomb();
  if (order === 1) {
    bits.take(1);
    bits.golomb();
    bits.golomb();
    for (let left = Math.min(bits.golomb(), 255); left > 0; left -= 1) bits.golomb();
  }
  bits.golomb();
  bits.take(1);
  const columns = bits.golomb() + 1;
  const rows = bits.golomb() + 1;
  const frames = bits.take(1);
  if (frames === 0) bits.take(1);
  bits.take(1);
  let [left, right, top, bottom] = [0, 0, 0, 0];
  if (bits.take(1)) [left, right, top, bottom] = [bits.golomb(), bits.golomb(), bits.golomb(), bits.golomb()];
  const across = chroma === 1 || chroma === 2 ? 2 : 1;
  const down = (chroma === 1 ? 2 : 1) * (2 - frames);
  return {
    width: columns * 16 - (left + right) * across,
    height: rows * 16 * (2 - frames) - (top + bottom) * down,
  };
}

type Bits = { take(count: number): number; golomb(): number };

function bitReader(data: Buffer): Bits {
  let position = 0;
  const bit = (): number => {
    const byte = data[position >> 3];
    if (byte === undefined) throw new Error('the parameter set ends too early');
    const value = (byte >> (7 - (position & 7))) & 1;
    position += 1;
    return value;
  };
  const take = (count: number): number => {
    let value = 0;
    for (let left = count; left > 0; left -= 1) value = value * 2 + bit();
    return value;
  };
  return {
    take,
    golomb() {
      let zeros = 0;
      while (bit() === 0) {
        zeros += 1;
        if (zeros > 31) throw new Error('not a number of a parameter set');
      }
      return 2 ** zeros - 1 + take(zeros);
    },
  };
}

function skipScaling(bits: Bits, list: number): void {
  if (!bits.take(1)) return;
  let last = 8;
  let next = 8;
  for (let index = 0; index < (list < 6 ? 16 : 64); index += 1) {
    if (next !== 0) {
      const code = bits.golomb();
      next = (last + (code % 2 === 1 ? (code + 1) / 2 : -code / 2) + 256) % 256;
    }
    last = next === 0 ? last : next;
  }
}

/** Without the bytes that keep start codes out of the data (§7.4.1.1). */
function withoutEmulation(data: Buffer): Buffer {
  return Buffer.from(
    data.filter((byte, index) => !(byte === 3 && data[index - 1] === 0 && data[index - 2] === 0)),
  );
}
