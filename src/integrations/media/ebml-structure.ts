import type { BlockReader } from './block-reader.ts';
import { type CodecConfig, codedSizeOf } from './coded-size.ts';
import { type Structure, StructureProblem, type Walk, walked } from './structure.ts';

// Element ids of RFC 9559 §5, in full.
const ids = {
  segment: 0x18538067,
  cluster: 0x1f43b675,
  tracks: 0x1654ae6b,
  trackEntry: 0xae,
  codecId: 0x86,
  codecPrivate: 0x63a2,
  video: 0xe0,
  pixelWidth: 0xb0,
  pixelHeight: 0xba,
} as const;

const codecConfigs: Readonly<Record<string, CodecConfig>> = {
  'V_MPEG4/ISO/AVC': 'avcC',
  'V_MPEGH/ISO/HEVC': 'hvcC',
  V_AV1: 'av1C',
};

const maxTopElements = 64;
const maxTrackElements = 128;
const maxValueBytes = 16_384;

interface Element {
  readonly id: number;
  readonly contentStart: number;
  /** Undefined for one of unknown size. */
  readonly end: number | undefined;
}

/** Walks a Matroska or WebM file down to the descriptions of its tracks. @throws what reading throws. */
export const ebmlStructure = (reader: BlockReader, maxTracks: number): Promise<Structure> =>
  walked(maxTracks, async (walk) => {
    const header = await elementAt(reader, 0);
    const segment = header?.end === undefined ? undefined : await elementAt(reader, header.end);
    if (segment?.id !== ids.segment) throw new StructureProblem('malformed');
    const segmentEnd = segment.end ?? reader.sizeBytes;
    let position = segment.contentStart;
    for (let count = 0; position < Math.min(segmentEnd, reader.sizeBytes); count += 1) {
      if (count === maxTopElements) throw new StructureProblem('malformed');
      const element = await elementAt(reader, position);
      // Media from here on; tracks described after it are for those to find who read the whole file.
      if (element === undefined || element.id === ids.cluster) return;
      walk.step();
      const end = boundedEnd(element, segmentEnd);
      if (element.id === ids.tracks) return walkTracks(reader, walk, element.contentStart, end);
      position = end;
    }
  });

async function walkTracks(reader: BlockReader, walk: Walk, start: number, end: number): Promise<void> {
  await eachChild(reader, walk, start, end, async (element, elementEnd) => {
    if (element.id !== ids.trackEntry) return;
    walk.track();
    await walkTrack(reader, walk, element.contentStart, elementEnd);
  });
}

async function walkTrack(reader: BlockReader, walk: Walk, start: number, end: number): Promise<void> {
  let codec = '';
  let configuration: Uint8Array | undefined;
  const size = { width: 0, height: 0 };
  let children = 0;
  const value = (from: number, to: number) => reader.read(from, Math.min(to, from + maxValueBytes));
  await eachChild(reader, walk, start, end, async (element, elementEnd) => {
    children += 1;
    if (children > maxTrackElements) throw new StructureProblem('malformed');
    const from = element.contentStart;
    if (element.id === ids.codecId)
      codec = String.fromCharCode(...(await value(from, Math.min(elementEnd, from + 64))));
    else if (element.id === ids.codecPrivate) configuration = await value(from, elementEnd);
    else if (element.id === ids.video)
      await eachChild(reader, walk, from, elementEnd, async (inner, innerEnd) => {
        if (inner.id === ids.pixelWidth) size.width = numberIn(await value(inner.contentStart, innerEnd));
        else if (inner.id === ids.pixelHeight)
          size.height = numberIn(await value(inner.contentStart, innerEnd));
      });
  });
  walk.saw(size);
  const kind = codecConfigs[codec.replace(/\0+$/, '')];
  if (kind !== undefined && configuration !== undefined) walk.saw(codedSizeOf(kind, configuration));
}

async function eachChild(
  reader: BlockReader,
  walk: Walk,
  start: number,
  end: number,
  visit: (element: Element, end: number) => Promise<void>,
): Promise<void> {
  for (let position = start; position < end; ) {
    const element = await elementAt(reader, position);
    if (element === undefined) throw new StructureProblem('malformed');
    walk.step();
    const elementEnd = boundedEnd(element, end);
    await visit(element, elementEnd);
    position = elementEnd;
  }
}

/** Only a segment and a cluster may be of unknown size (RFC 9559 §5.1), and none reaches out of what it is in. */
function boundedEnd(element: Element, parentEnd: number): number {
  if (element.end === undefined || element.end > parentEnd) throw new StructureProblem('malformed');
  return element.end;
}

const numberIn = (bytes: Uint8Array): number =>
  bytes.subarray(0, 8).reduce((sum, byte) => sum * 256 + byte, 0);

/** Id and size (RFC 8794 §5, §6); undefined for what is none. */
async function elementAt(reader: BlockReader, position: number): Promise<Element | undefined> {
  const head = await reader.read(position, Math.min(position + 12, reader.sizeBytes));
  const idLength = Math.clz32(head[0] ?? 0) - 23;
  if (idLength > 4 || idLength + 1 > head.length) return undefined;
  const id = head.subarray(0, idLength).reduce((sum, byte) => sum * 256 + byte, 0);
  const first = head[idLength] ?? 0;
  const sizeLength = Math.clz32(first) - 23;
  if (sizeLength > 8 || idLength + sizeLength > head.length) return undefined;
  const rest = head.subarray(idLength + 1, idLength + sizeLength);
  const mask = 0xff >> sizeLength;
  const isUnknown = (first & mask) === mask && rest.every((byte) => byte === 0xff);
  const size = rest.reduce((sum, byte) => sum * 256 + byte, first & mask);
  const contentStart = position + idLength + sizeLength;
  return { id, contentStart, end: isUnknown ? undefined : contentStart + size };
}
