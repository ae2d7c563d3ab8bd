/** A picture a creator may give: what it is by its bytes, whatever it was called. */
export interface ImageFacts {
  readonly type: 'image/jpeg' | 'image/png' | 'image/webp';
  readonly extension: 'jpg' | 'png' | 'webp';
  readonly width: number;
  readonly height: number;
}

export const imageTypes = ['image/jpeg', 'image/png', 'image/webp'] as const;
export const maxImageBytes = 2_097_152;

export type ImageProblem = 'not_an_image' | 'too_small' | 'too_large' | 'unsupported_shape';

const minWidth = 160;
const minHeight = 90;
const maxSide = 4_096;
const maxAspect = 4;

/** What is wrong with a picture as a thumbnail; undefined when nothing is. */
export function imageProblem(image: ImageFacts | undefined): ImageProblem | undefined {
  if (image === undefined) return 'not_an_image';
  const { width, height } = image;
  if (Math.max(width, height) > maxSide) return 'too_large';
  if (Math.max(width, height) < minWidth || Math.min(width, height) < minHeight) return 'too_small';
  return Math.max(width, height) > maxAspect * Math.min(width, height) ? 'unsupported_shape' : undefined;
}

/** Reads kind and size of a picture from its headers; undefined when it is none, or cut off. Nothing is decoded. */
export const inspectImage = (bytes: Uint8Array): ImageFacts | undefined =>
  inspectPng(bytes) ?? inspectWebp(bytes) ?? inspectJpeg(bytes);

const ascii = (bytes: Uint8Array, start: number, length: number): string =>
  String.fromCharCode(...bytes.subarray(start, start + length));

const uint16 = (bytes: Uint8Array, at: number): number => (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0);
const uint32 = (bytes: Uint8Array, at: number): number => uint16(bytes, at) * 65_536 + uint16(bytes, at + 2);
const uint24Little = (bytes: Uint8Array, at: number): number =>
  (bytes[at] ?? 0) + (bytes[at + 1] ?? 0) * 256 + (bytes[at + 2] ?? 0) * 65_536;
const uint32Little = (bytes: Uint8Array, at: number): number =>
  uint24Little(bytes, at) + (bytes[at + 3] ?? 0) * 16_777_216;

/** PNG (W3C, third edition) §5.2, §11.2.1; the file must end with IEND. */
function inspectPng(bytes: Uint8Array): ImageFacts | undefined {
  const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
  if (bytes.length < 45 || signature.some((byte, index) => bytes[index] !== byte)) return undefined;
  if (uint32(bytes, 8) !== 13 || ascii(bytes, 12, 4) !== 'IHDR') return undefined;
  if (ascii(bytes, bytes.length - 8, 4) !== 'IEND') return undefined;
  return { type: 'image/png', extension: 'png', width: uint32(bytes, 16), height: uint32(bytes, 20) };
}

/** RFC 9649 §2.3 to §2.7: the RIFF size must be that of the file. */
function inspectWebp(bytes: Uint8Array): ImageFacts | undefined {
  if (bytes.length < 30 || ascii(bytes, 0, 4) !== 'RIFF' || ascii(bytes, 8, 4) !== 'WEBP') return undefined;
  const declared = uint32Little(bytes, 4) + 8;
  if (declared !== bytes.length) return undefined;
  const size = sizeOfWebp(bytes, ascii(bytes, 12, 4));
  return size === undefined ? undefined : { type: 'image/webp', extension: 'webp', ...size };
}

function sizeOfWebp(bytes: Uint8Array, chunk: string): { width: number; height: number } | undefined {
  if (chunk === 'VP8X') return { width: uint24Little(bytes, 24) + 1, height: uint24Little(bytes, 27) + 1 };
  if (chunk === 'VP8L') {
    if (bytes[20] !== 0x2f) return undefined;
    const bits = uint32Little(bytes, 21);
    return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
  }
  if (chunk !== 'VP8 ' || bytes[23] !== 0x9d || bytes[24] !== 0x01 || bytes[25] !== 0x2a) return undefined;
  return {
    width: ((bytes[26] ?? 0) + (bytes[27] ?? 0) * 256) & 0x3fff,
    height: ((bytes[28] ?? 0) + (bytes[29] ?? 0) * 256) & 0x3fff,
  };
}

/** ITU-T T.81 annex B: the frame header says the size; the file must end with EOI. */
function inspectJpeg(bytes: Uint8Array): ImageFacts | undefined {
  const { length } = bytes;
  if (length < 4 || uint16(bytes, 0) !== 0xffd8 || uint16(bytes, length - 2) !== 0xffd9) return undefined;
  for (let at = 2; at + 9 < length; ) {
    if (bytes[at] !== 0xff) return undefined;
    const marker = bytes[at + 1] ?? 0;
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame)
      return {
        type: 'image/jpeg',
        extension: 'jpg',
        width: uint16(bytes, at + 7),
        height: uint16(bytes, at + 5),
      };
    const segment = uint16(bytes, at + 2);
    // The scan begins, or a segment that is none.
    if (marker === 0xda || segment < 2) return undefined;
    at += 2 + segment;
  }
  return undefined;
}
