/** Containers told by their first bytes. What a file calls itself is never trusted. */
export type Container =
  | 'isobmff'
  | 'matroska'
  | 'mpegts'
  | 'mpegps'
  | 'avi'
  | 'flv'
  | 'asf'
  | 'mxf'
  | 'ogg'
  | 'wav'
  | 'mp3'
  | 'flac'
  | 'adts';

/** Bytes `sniffContainer` looks at. */
export const sniffBytes = 1_024;

/** Declared types an upload may have, with the file extension its object gets. */
export const contentTypes: Readonly<Record<string, string>> = {
  'video/mp4': 'mp4',
  'video/x-m4v': 'm4v',
  'video/quicktime': 'mov',
  'video/webm': 'webm',
  'video/x-matroska': 'mkv',
  'video/matroska': 'mkv',
  'video/mp2t': 'ts',
  'video/mpeg': 'mpg',
  'video/x-msvideo': 'avi',
  'video/avi': 'avi',
  'video/x-flv': 'flv',
  'video/x-ms-wmv': 'wmv',
  'video/3gpp': '3gp',
  'application/mxf': 'mxf',
  'audio/mpeg': 'mp3',
  'audio/mp4': 'm4a',
  'audio/x-m4a': 'm4a',
  'audio/aac': 'aac',
  'audio/wav': 'wav',
  'audio/x-wav': 'wav',
  'audio/flac': 'flac',
  'audio/ogg': 'ogg',
};

const latin1 = (bytes: Uint8Array, start: number, end: number): string =>
  String.fromCharCode(...bytes.subarray(start, end));

// QuickTime files older than `ftyp` begin with one of these boxes (QuickTime File Format Specification).
const boxTypes = new Set(['ftyp', 'moov', 'mdat', 'wide', 'free', 'skip', 'pnot', 'styp']);
// Pictures in the same box structure (ISO/IEC 23008-12).
const pictureBrands = new Set(['heic', 'heix', 'heim', 'heis', 'mif1', 'avif', 'jxl ']);

/** The container of a file by its first bytes, or undefined when it is nothing an encoder reads. */
export function sniffContainer(head: Uint8Array): Container | undefined {
  if (boxTypes.has(latin1(head, 4, 8)))
    return latin1(head, 4, 8) === 'ftyp' && pictureBrands.has(latin1(head, 8, 12)) ? undefined : 'isobmff';
  if (startsWith(head, 0x1a, 0x45, 0xdf, 0xa3)) return 'matroska';
  if (latin1(head, 0, 4) === 'RIFF') {
    const form = latin1(head, 8, 12);
    return form === 'AVI ' ? 'avi' : form === 'WAVE' ? 'wav' : undefined;
  }
  if (startsWith(head, 0x46, 0x4c, 0x56, 0x01)) return 'flv';
  if (startsWith(head, 0x30, 0x26, 0xb2, 0x75, 0x8e, 0x66, 0xcf, 0x11)) return 'asf';
  if (startsWith(head, 0x06, 0x0e, 0x2b, 0x34, 0x02, 0x05, 0x01, 0x01)) return 'mxf';
  if (startsWith(head, 0x00, 0x00, 0x01, 0xba)) return 'mpegps';
  if (isTransportStream(head, 0, 188) || isTransportStream(head, 4, 192)) return 'mpegts';
  if (latin1(head, 0, 4) === 'OggS') return 'ogg';
  if (latin1(head, 0, 4) === 'fLaC') return 'flac';
  if (latin1(head, 0, 3) === 'ID3') return 'mp3';
  if (head[0] === 0xff && ((head[1] ?? 0) & 0xf6) === 0xf0) return 'adts';
  if (head[0] === 0xff && ((head[1] ?? 0) & 0xe0) === 0xe0 && ((head[1] ?? 0) & 0x06) !== 0) return 'mp3';
  return undefined;
}

const startsWith = (head: Uint8Array, ...signature: readonly number[]): boolean =>
  signature.every((byte, index) => head[index] === byte);

/** Sync bytes 0x47 at the start of four packets in a row (ISO/IEC 13818-1 §2.4.3.2). */
const isTransportStream = (head: Uint8Array, first: number, packetBytes: number): boolean =>
  [0, 1, 2, 3].every((packet) => head[first + packet * packetBytes] === 0x47);

type ReadBytes = (start: number, end: number) => Promise<Uint8Array>;

const maxBoxes = 12;

/**
 * Whether the file ends before its own structure says it does: a box of an ISO file (ISO/IEC 14496-12 §4.2), the segment of
 * a Matroska file (RFC 9559 §5) or the first RIFF chunk of an AVI reaches past the end. Looks at the first 12 boxes, so a
 * long fragmented film is taken at its word.
 */
export async function endsEarly(container: Container, sizeBytes: number, read: ReadBytes): Promise<boolean> {
  const readUpTo = (start: number, length: number) => read(start, Math.min(start + length, sizeBytes));
  switch (container) {
    case 'isobmff':
      return boxesEndEarly(sizeBytes, readUpTo);
    case 'matroska':
      return matroskaSegmentEnd(await readUpTo(0, sniffBytes)) > sizeBytes;
    case 'avi': {
      const head = await readUpTo(0, 8);
      return head.length < 8 || uint32(head, 4, true) + 8 > sizeBytes;
    }
    default:
      return false;
  }
}

async function boxesEndEarly(
  sizeBytes: number,
  readUpTo: (start: number, length: number) => Promise<Uint8Array>,
): Promise<boolean> {
  let position = 0;
  for (let box = 0; box < maxBoxes && position < sizeBytes; box += 1) {
    const header = await readUpTo(position, 16);
    // A few stray bytes, or something that is no box, after the last one: players ignore them.
    if (header.length < 8 || !/^[\x20-\x7e\xa9]{4}$/.test(latin1(header, 4, 8))) return false;
    const size = uint32(header, 0);
    // 0 means: to the end of the file. 1 means: the size is in the eight bytes that follow.
    if (size === 0) return false;
    if (size === 1 && header.length < 16) return true;
    const boxBytes = size === 1 ? uint32(header, 8) * 2 ** 32 + uint32(header, 12) : size;
    if (boxBytes < 8) return false;
    position += boxBytes;
  }
  return position > sizeBytes;
}

/** Where the Segment element ends, 0 when it does not say or is not found where it must be. */
function matroskaSegmentEnd(head: Uint8Array): number {
  const header = readVint(head, 4);
  if (header === undefined) return 0;
  const segmentStart = header.end + (header.value ?? 0);
  if (!startsWith(head.subarray(segmentStart), 0x18, 0x53, 0x80, 0x67)) return 0;
  const segment = readVint(head, segmentStart + 4);
  return segment?.value === undefined ? 0 : segment.end + segment.value;
}

/** An EBML variable-size integer (RFC 8794 §4). `value` is undefined for the reserved "unknown size". */
function readVint(bytes: Uint8Array, start: number): { value: number | undefined; end: number } | undefined {
  const first = bytes[start] ?? 0;
  const length = Math.clz32(first) - 23;
  if (first === 0 || start + length > bytes.length) return undefined;
  let value = first & (0xff >> length);
  let allOnes = value === 0xff >> length;
  for (let index = start + 1; index < start + length; index += 1) {
    const byte = bytes[index] ?? 0;
    value = value * 256 + byte;
    allOnes = allOnes && byte === 0xff;
  }
  return { value: allOnes ? undefined : value, end: start + length };
}

const uint32 = (bytes: Uint8Array, offset: number, littleEndian = false): number =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(offset, littleEndian);
