import { convertIndexedToRgb, decode, encode } from 'fast-png';
import { Unzlib } from 'fflate';
import { type Pixels, shrink } from './pixels.ts';

/** Sides of the pictures that are made, in pixels: for screens of 1, 2 and 4 device pixels to the point. */
export const emoteSizes = [28, 56, 112] as const;
export const minEmoteSide = 112;
export const maxEmoteSide = 512;
export const maxPngBytes = 1_048_576;

export type PictureProblem =
  | 'not_a_picture'
  | 'not_square'
  | 'wrong_size'
  | 'too_many_bytes'
  | 'too_many_frames';

/** Names of the chunks that make the picture; all others (texts, profiles, animation) are left out unread. */
const wanted: readonly string[] = ['IHDR', 'PLTE', 'tRNS', 'IDAT', 'IEND'];
const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const inflateStep = 4_096;

/**
 * Makes the pictures of an emote from a PNG: decoded, shrunk and encoded anew, so that nothing of the file is passed on but what
 * it shows (https://www.w3.org/TR/png-3/).
 */
export function emotePngs(
  file: Uint8Array,
): ReadonlyMap<number, Uint8Array<ArrayBuffer>> | { readonly problem: PictureProblem } {
  if (file.length > maxPngBytes) return { problem: 'too_many_bytes' };
  const chunks = chunksOf(file);
  const header = chunks?.find(({ name }) => name === 'IHDR')?.data;
  if (chunks === undefined || header === undefined || header.length !== 13)
    return { problem: 'not_a_picture' };
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  if (width !== height) return { problem: 'not_square' };
  if (width < minEmoteSide || width > maxEmoteSide) return { problem: 'wrong_size' };
  // Eight bytes a pixel at the most; a filter byte for each line of each of seven passes.
  const most = height * (width * 8 + 1) + 7 * 2 * height;
  if (!inflatesTo(chunks, most)) return { problem: 'not_a_picture' };
  const pixels = pixelsOf(bare(chunks));
  if (pixels === undefined) return { problem: 'not_a_picture' };
  return new Map(
    emoteSizes.map((size) => [
      size,
      Uint8Array.from(encode({ ...shrink(pixels, size), channels: 4, depth: 8 }, { zlib: { level: 9 } })),
    ]),
  );
}

interface Chunk {
  readonly name: string;
  readonly data: Uint8Array;
  /** With its length, name and checksum. */
  readonly whole: Uint8Array;
}

/** The chunks that are wanted; undefined where the file is no sequence of chunks from IHDR to IEND. */
function chunksOf(file: Uint8Array): Chunk[] | undefined {
  if (signature.some((byte, at) => file[at] !== byte)) return undefined;
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const chunks: Chunk[] = [];
  for (let at = signature.length; at + 12 <= file.length; ) {
    const length = view.getUint32(at);
    const end = at + 12 + length;
    if (end > file.length) return undefined;
    const name = String.fromCharCode(...file.subarray(at + 4, at + 8));
    if (chunks.length === 0 && name !== 'IHDR') return undefined;
    if (wanted.includes(name))
      chunks.push({ name, data: file.subarray(at + 8, end - 4), whole: file.subarray(at, end) });
    if (name === 'IEND') return chunks;
    at = end;
  }
  return undefined;
}

function bare(chunks: readonly Chunk[]): Uint8Array {
  const parts = [Uint8Array.from(signature), ...chunks.map(({ whole }) => whole)];
  const file = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    file.set(part, at);
    at += part.length;
  }
  return file;
}

/** Whether the pixels are no more than the header says, found without holding them: a small file can say a thousand times as much. */
function inflatesTo(chunks: readonly Chunk[], most: number): boolean {
  let total = 0;
  const inflate = new Unzlib((part) => {
    total += part.length;
  });
  try {
    for (const { name, data } of chunks) {
      if (name !== 'IDAT') continue;
      for (let at = 0; at < data.length && total <= most; at += inflateStep)
        inflate.push(data.subarray(at, at + inflateStep));
    }
    return total > 0 && total <= most;
  } catch {
    return false;
  }
}

/** Eight bits each of red, green, blue and opacity; undefined for what cannot be decoded. */
function pixelsOf(file: Uint8Array): Pixels | undefined {
  try {
    const png = decode(file, { checkCrc: true });
    const { width, height } = png;
    const indexed = png.palette === undefined ? undefined : convertIndexedToRgb(png);
    const channels = indexed === undefined ? png.channels : (png.palette?.[0]?.length ?? 3);
    const samples = indexed ?? png.data;
    const depth = indexed === undefined ? png.depth : 8;
    // Grey of less than eight bits lies packed; such files are too rare to be worth it.
    if (depth < 8 || samples.length !== width * height * channels) return undefined;
    const scale = depth === 16 ? 257 : 1;
    const hasAlpha = channels === 2 || channels === 4;
    const isGrey = channels < 3;
    const data = new Uint8Array(width * height * 4);
    for (let pixel = 0; pixel < width * height; pixel += 1) {
      const from = pixel * channels;
      const see = (channel: number): number => Math.round((samples[from + channel] ?? 0) / scale);
      const isKeyed =
        !hasAlpha &&
        png.transparency !== undefined &&
        png.transparency.length > 0 &&
        png.transparency.every((value, channel) => samples[from + channel] === value);
      data[pixel * 4] = see(0);
      data[pixel * 4 + 1] = see(isGrey ? 0 : 1);
      data[pixel * 4 + 2] = see(isGrey ? 0 : 2);
      data[pixel * 4 + 3] = isKeyed ? 0 : hasAlpha ? see(channels - 1) : 255;
    }
    return { width, height, data };
  } catch {
    return undefined;
  }
}
