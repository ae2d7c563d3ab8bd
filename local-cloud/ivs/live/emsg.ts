const SCHEME = 'https://aomedia.org/emsg/ID3';
const TIMESCALE = 1000;

/**
 * Timed metadata as an event message box before a fragment ("Carriage of ID3 Timed Metadata in CMAF", AOM): an ID3 tag
 * with one user-defined text, which is how IVS puts it into its streams.
 */
export function metadataBox(metadata: string, atSeconds: number, id: number): Buffer {
  const fixed = Buffer.alloc(4 + 4 + 8 + 4 + 4);
  fixed[0] = 1;
  fixed.writeUInt32BE(TIMESCALE, 4);
  fixed.writeBigUInt64BE(BigInt(Math.max(0, Math.round(atSeconds * TIMESCALE))), 8);
  fixed.writeUInt32BE(0xffffffff, 16);
  fixed.writeUInt32BE(id >>> 0, 20);
  const body = Buffer.concat([fixed, Buffer.from(`${SCHEME}\0`), Buffer.from('\0'), textTag(metadata)]);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(8 + body.length);
  head.write('emsg', 4, 'latin1');
  return Buffer.concat([head, body]);
}

/** ID3v2.4 with one TXXX frame. */
function textTag(text: string): Buffer {
  const content = Buffer.concat([Buffer.from([3]), Buffer.from('\0'), Buffer.from(`${text}\0`)]);
  const frame = Buffer.concat([Buffer.from('TXXX'), synchsafe(content.length), Buffer.from([0, 0]), content]);
  return Buffer.concat([Buffer.from('ID3'), Buffer.from([4, 0, 0]), synchsafe(frame.length), frame]);
}

/** Seven bits a byte, so that nothing in it looks like the start of a sound frame. */
const synchsafe = (value: number): Buffer =>
  Buffer.from([(value >> 21) & 0x7f, (value >> 14) & 0x7f, (value >> 7) & 0x7f, value & 0x7f]);
