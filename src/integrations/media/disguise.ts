import type { BlockReader } from './block-reader.ts';

const headBytes = 4_096;
/** The end of a ZIP archive, with the longest comment (APPNOTE.TXT §4.3.16). */
const zipTailBytes = 65_557;
const maxEnds = 4;
const zipEnd = 0x504b0506;
const zipCentral = 0x504b0102;

// What browsers, servers and PDF readers look for near the beginning, whatever stands before it.
const disguises = ['<!doctype html', '<html', '<script', '<svg', '<?php', '%pdf-'];

/**
 * Whether a file is made to be taken for something else too: a web page, a script, a PDF, or a ZIP archive (which is read from
 * its end). Looks at the first 4 KiB and the last 64.
 * @throws what reading throws.
 */
export async function isDisguised(reader: BlockReader): Promise<boolean> {
  const head = new TextDecoder('latin1').decode(await reader.read(0, headBytes)).toLowerCase();
  if (disguises.some((mark) => head.includes(mark))) return true;
  const start = Math.max(0, reader.sizeBytes - zipTailBytes);
  const tail = await reader.read(start, reader.sizeBytes);
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
  let ends = 0;
  for (let at = tail.indexOf(0x50); at >= 0 && at + 22 <= tail.length; at = tail.indexOf(0x50, at + 1)) {
    if (view.getUint32(at) !== zipEnd) continue;
    const directory = start + at - view.getUint32(at + 12, true);
    ends += 1;
    // By chance there is none of them; this many are there to use up our reads.
    if (ends > maxEnds) return true;
    if (directory < 0) continue;
    const mark = await reader.read(directory, directory + 4);
    if (mark.length === 4 && new DataView(mark.buffer, mark.byteOffset).getUint32(0) === zipCentral)
      return true;
  }
  return false;
}
