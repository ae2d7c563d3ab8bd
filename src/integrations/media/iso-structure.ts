import type { BlockReader } from './block-reader.ts';
import { type CodecConfig, codedSizeOf } from './coded-size.ts';
import { type Structure, StructureProblem, uint16At, uint32At, type Walk, walked } from './structure.ts';

// ISO/IEC 14496-12. Boxes that hold boxes and nothing else; `udta` and `meta` have variants and are left alone.
const containers: ReadonlySet<string> = new Set([
  'moov',
  'trak',
  'edts',
  'mdia',
  'minf',
  'dinf',
  'stbl',
  'mvex',
]);
const codecConfigs: ReadonlySet<string> = new Set<CodecConfig>(['avcC', 'hvcC', 'av1C']);

const maxDepth = 12;
const maxTopBoxes = 64;
const maxSampleEntries = 32;
const entryHeadBytes = 86;
const maxEntryBytes = 65_536;

interface Box {
  readonly type: string;
  readonly contentStart: number;
  readonly end: number;
}

/** Walks the boxes of an MP4 or QuickTime file down to the descriptions of its tracks. @throws what reading throws. */
export const isoStructure = (reader: BlockReader, maxTracks: number): Promise<Structure> =>
  walked(maxTracks, async (walk) => {
    let position = 0;
    for (let count = 0; position < reader.sizeBytes; count += 1) {
      if (count === maxTopBoxes) throw new StructureProblem('malformed');
      const box = await boxAt(reader, position, reader.sizeBytes);
      if (box === undefined) return;
      walk.step();
      // What follows the index is media, or the fragments of it.
      if (box.type === 'moov') return walkBoxes(reader, walk, box, 1);
      position = box.end;
    }
  });

async function walkBoxes(reader: BlockReader, walk: Walk, parent: Box, depth: number): Promise<void> {
  if (depth > maxDepth) throw new StructureProblem('malformed');
  for (let position = parent.contentStart; position + 8 <= parent.end; ) {
    const box = await boxAt(reader, position, parent.end);
    if (box === undefined) return;
    walk.step();
    if (box.end > parent.end) throw new StructureProblem('malformed');
    if (box.type === 'trak') walk.track();
    if (box.type === 'stsd') await readEntries(reader, walk, box);
    else if (box.type === 'tkhd') walk.saw(await trackSize(reader, box));
    else if (containers.has(box.type)) await walkBoxes(reader, walk, box, depth + 1);
    position = box.end;
  }
}

/** The box at a position; undefined when what is there is none. */
async function boxAt(reader: BlockReader, position: number, limit: number): Promise<Box | undefined> {
  const head = await reader.read(position, Math.min(position + 16, reader.sizeBytes));
  if (head.length < 8) return undefined;
  const type = String.fromCharCode(...head.subarray(4, 8));
  const size = uint32At(head, 0);
  // 0: to the end of what it is in. 1: the size is in the eight bytes that follow.
  if (size === 0) return { type, contentStart: position + 8, end: limit };
  if (size === 1) {
    const large = uint32At(head, 8) * 2 ** 32 + uint32At(head, 12);
    if (head.length < 16 || large < 16) throw new StructureProblem('malformed');
    return { type, contentStart: position + 16, end: position + large };
  }
  if (size < 8) throw new StructureProblem('malformed');
  return { type, contentStart: position + 8, end: position + size };
}

/** Width and height as shown are the last eight bytes, in 16.16 (§8.3.2). */
async function trackSize(
  reader: BlockReader,
  box: Box,
): Promise<{ width: number; height: number } | undefined> {
  if (box.end - box.contentStart < 84) return undefined;
  const bytes = await reader.read(box.end - 8, box.end);
  return { width: uint16At(bytes, 0), height: uint16At(bytes, 4) };
}

/** Sample descriptions (§8.5.2, §12.1.3). Those of sound and text hold no codec configuration of pictures. */
async function readEntries(reader: BlockReader, walk: Walk, stsd: Box): Promise<void> {
  let position = stsd.contentStart + 8;
  for (let entry = 0; entry < maxSampleEntries && position + 8 <= stsd.end; entry += 1) {
    const box = await boxAt(reader, position, stsd.end);
    if (box === undefined) return;
    walk.step();
    if (box.end > stsd.end) throw new StructureProblem('malformed');
    const bytes = await reader.read(position, Math.min(box.end, position + maxEntryBytes));
    walk.saw(entrySize(bytes));
    position = box.end;
  }
}

function entrySize(entry: Uint8Array): { width: number; height: number } | undefined {
  const sizes = [];
  for (let at = entryHeadBytes; at + 8 <= entry.length; ) {
    const size = uint32At(entry, at);
    if (size < 8) break;
    const type = String.fromCharCode(...entry.subarray(at + 4, at + 8));
    if (codecConfigs.has(type))
      sizes.push(codedSizeOf(type as CodecConfig, entry.subarray(at + 8, at + size)));
    at += size;
  }
  const coded = sizes.filter((size) => size !== undefined);
  // Only pictures have a configuration of these kinds; in other entries these bytes are no size.
  if (coded.length === 0) return undefined;
  return {
    width: Math.max(uint16At(entry, 32), ...coded.map((size) => size.width)),
    height: Math.max(uint16At(entry, 34), ...coded.map((size) => size.height)),
  };
}
