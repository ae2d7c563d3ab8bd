/** One ISO BMFF box (ISO/IEC 14496-12 §4.2): its type, and its content without the header of `headerBytes`. */
export type Box = { type: string; headerBytes: number; content: Buffer };

/** Splits a buffer into its boxes. Stops quietly at a box that claims more bytes than there are. */
export function* readBoxes(buffer: Buffer): Generator<Box> {
  let offset = 0;
  while (offset + 8 <= buffer.length) {
    let size = buffer.readUInt32BE(offset);
    const type = buffer.toString('latin1', offset + 4, offset + 8);
    let headerBytes = 8;
    if (size === 1 && offset + 16 <= buffer.length) {
      size = Number(buffer.readBigUInt64BE(offset + 8));
      headerBytes = 16;
    } else if (size === 0) {
      size = buffer.length - offset;
    }
    if (size < headerBytes || offset + size > buffer.length) return;
    yield { type, headerBytes, content: buffer.subarray(offset + headerBytes, offset + size) };
    offset += size;
  }
}

/** First box reached by a path of types, such as `moov/trak/mdia/mdhd`. */
export function findBox(buffer: Buffer, path: string): Buffer | undefined {
  let current: Buffer | undefined = buffer;
  for (const type of path.split('/')) {
    if (!current) return undefined;
    current = first(current, type);
  }
  return current;
}

function first(buffer: Buffer, type: string): Buffer | undefined {
  for (const box of readBoxes(buffer)) {
    if (box.type === type) return box.content;
  }
  return undefined;
}
