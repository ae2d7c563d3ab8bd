import { type BitReader, createBitReader, OutOfBits, withoutEmulation } from './bits.ts';

/** Pixels the codec's own header declares, before cropping. A container may say less than a decoder will have to hold. */
export interface CodedSize {
  readonly width: number;
  readonly height: number;
}

export type CodecConfig = 'avcC' | 'hvcC' | 'av1C';

const maxConfigBytes = 16_384;
const maxSets = 32;

/** The largest size in a codec's configuration record; undefined when it holds none that can be read. */
export function codedSizeOf(kind: CodecConfig, config: Uint8Array): CodedSize | undefined {
  const bytes = config.subarray(0, maxConfigBytes);
  try {
    if (kind === 'av1C') return av1Size(bytes.subarray(4));
    const sizes = (kind === 'avcC' ? avcSets(bytes) : hevcSets(bytes)).map((set) =>
      kind === 'avcC' ? avcSize(set) : hevcSize(set),
    );
    return sizes.length === 0 ? undefined : largest(sizes);
  } catch (error) {
    if (error instanceof OutOfBits) return undefined;
    throw error;
  }
}

const largest = (sizes: readonly CodedSize[]): CodedSize => ({
  width: Math.max(...sizes.map((size) => size.width)),
  height: Math.max(...sizes.map((size) => size.height)),
});

const uint16 = (bytes: Uint8Array, at: number): number => {
  if (at + 2 > bytes.length) throw new OutOfBits();
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
};

/** Sequence parameter sets of an AVCDecoderConfigurationRecord (ISO/IEC 14496-15 §5.3.3.1). */
function avcSets(config: Uint8Array): Uint8Array[] {
  const sets: Uint8Array[] = [];
  let at = 6;
  for (let count = Math.min((config[5] ?? 0) & 0x1f, maxSets); count > 0; count -= 1) {
    const length = uint16(config, at);
    sets.push(config.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return sets;
}

const hevcSequenceSet = 33;

/** Sequence parameter sets of an HEVCDecoderConfigurationRecord (ISO/IEC 14496-15 §8.3.3.1). */
function hevcSets(config: Uint8Array): Uint8Array[] {
  const sets: Uint8Array[] = [];
  let at = 23;
  for (let arrays = Math.min(config[22] ?? 0, maxSets); arrays > 0; arrays -= 1) {
    const type = (config[at] ?? 0) & 0x3f;
    const count = uint16(config, at + 1);
    at += 3;
    for (let unit = 0; unit < count && sets.length < maxSets; unit += 1) {
      const length = uint16(config, at);
      if (type === hevcSequenceSet) sets.push(config.subarray(at + 2, at + 2 + length));
      at += 2 + length;
    }
  }
  return sets;
}

const highProfiles: ReadonlySet<number> = new Set([
  100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135,
]);

/** ISO/IEC 14496-10 §7.3.2.1.1. */
function avcSize(nal: Uint8Array): CodedSize {
  const reader = createBitReader(withoutEmulation(nal.subarray(1)));
  const profile = reader.bits(8);
  reader.skip(16);
  reader.unsigned();
  if (highProfiles.has(profile)) skipHighProfile(reader);
  reader.unsigned();
  skipPictureOrder(reader);
  reader.unsigned();
  reader.skip(1);
  const width = (reader.unsigned() + 1) * 16;
  const mapUnits = reader.unsigned() + 1;
  return { width, height: mapUnits * 16 * (2 - reader.bits(1)) };
}

function skipHighProfile(reader: BitReader): void {
  const chroma = reader.unsigned();
  if (chroma === 3) reader.skip(1);
  reader.unsigned();
  reader.unsigned();
  reader.skip(1);
  if (reader.bits(1) === 0) return;
  for (let list = 0; list < (chroma === 3 ? 12 : 8); list += 1)
    if (reader.bits(1) === 1) skipScalingList(reader, list < 6 ? 16 : 64);
}

function skipScalingList(reader: BitReader, size: number): void {
  let last = 8;
  let next = 8;
  for (let index = 0; index < size; index += 1) {
    if (next !== 0) next = (last + reader.signed() + 256) % 256;
    last = next === 0 ? last : next;
  }
}

function skipPictureOrder(reader: BitReader): void {
  const kind = reader.unsigned();
  if (kind === 0) reader.unsigned();
  if (kind !== 1) return;
  reader.skip(1);
  reader.signed();
  reader.signed();
  for (let frames = Math.min(reader.unsigned(), 255); frames > 0; frames -= 1) reader.signed();
}

/** ISO/IEC 23008-2 §7.3.2.2.1. */
function hevcSize(nal: Uint8Array): CodedSize {
  const reader = createBitReader(withoutEmulation(nal.subarray(2)));
  reader.skip(4);
  const subLayers = reader.bits(3);
  reader.skip(1 + 88 + 8);
  const present = Array.from({ length: subLayers }, () => ({
    profile: reader.bits(1) === 1,
    level: reader.bits(1) === 1,
  }));
  if (subLayers > 0) reader.skip(2 * (8 - subLayers));
  for (const layer of present) reader.skip((layer.profile ? 88 : 0) + (layer.level ? 8 : 0));
  reader.unsigned();
  if (reader.unsigned() === 3) reader.skip(1);
  return { width: reader.unsigned(), height: reader.unsigned() };
}

const av1SequenceHeader = 1;

/** The first sequence header among the OBUs of an `av1C` (AV1 specification §5.3, §5.5.1). */
function av1Size(units: Uint8Array): CodedSize | undefined {
  const reader = createBitReader(units);
  reader.skip(1);
  const type = reader.bits(4);
  const hasExtension = reader.bits(1) === 1;
  const hasSize = reader.bits(1) === 1;
  reader.skip(hasExtension ? 9 : 1);
  if (type !== av1SequenceHeader) return undefined;
  if (hasSize) while (reader.bits(1) === 1) reader.skip(7);
  if (hasSize) reader.skip(7);
  reader.skip(4);
  if (reader.bits(1) === 1) reader.skip(5);
  else skipOperatingPoints(reader);
  const widthBits = reader.bits(4) + 1;
  const heightBits = reader.bits(4) + 1;
  return { width: reader.bits(widthBits) + 1, height: reader.bits(heightBits) + 1 };
}

function skipOperatingPoints(reader: BitReader): void {
  let delayBits = 0;
  let hasDecoderModel = false;
  if (reader.bits(1) === 1) {
    reader.skip(64);
    if (reader.bits(1) === 1) reader.unsigned();
    hasDecoderModel = reader.bits(1) === 1;
    if (hasDecoderModel) {
      delayBits = reader.bits(5) + 1;
      reader.skip(42);
    }
  }
  const hasDisplayDelay = reader.bits(1) === 1;
  for (let points = reader.bits(5) + 1; points > 0; points -= 1) {
    reader.skip(12);
    if (reader.bits(5) > 7) reader.skip(1);
    if (hasDecoderModel && reader.bits(1) === 1) reader.skip(2 * delayBits + 1);
    if (hasDisplayDelay && reader.bits(1) === 1) reader.skip(4);
  }
}
