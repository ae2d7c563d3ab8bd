import { encode } from 'fast-png';

/** A square PNG of these colours. */
export function pngOf(
  side: number,
  colourAt: (x: number, y: number) => readonly number[],
): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(side * side * 4);
  for (let y = 0; y < side; y += 1)
    for (let x = 0; x < side; x += 1) data.set(colourAt(x, y), (y * side + x) * 4);
  return Uint8Array.from(encode({ width: side, height: side, channels: 4, data }));
}

const crcTable = Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value >>> 0;
});

/** A chunk of a PNG, with its length and checksum. */
export function chunk(name: string, data: Uint8Array): Uint8Array {
  const whole = new Uint8Array(12 + data.length);
  const view = new DataView(whole.buffer);
  view.setUint32(0, data.length);
  whole.set(new TextEncoder().encode(name), 4);
  whole.set(data, 8);
  let crc = 0xffffffff;
  for (const byte of whole.subarray(4, 8 + data.length))
    crc = (crcTable[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  view.setUint32(8 + data.length, (crc ^ 0xffffffff) >>> 0);
  return whole;
}

/** A GIF by its blocks; its frames are empty but for their frame. */
export function gifOf(
  options: {
    readonly side?: number;
    readonly frames?: number;
    readonly comment?: string;
    readonly tail?: string;
  } = {},
): Uint8Array<ArrayBuffer> {
  const { side = 112, frames = 1, comment, tail = '' } = options;
  const ascii = (text: string): number[] => [...text].map((letter) => letter.charCodeAt(0));
  const word = (value: number): number[] => [value & 0xff, value >> 8];
  return Uint8Array.from([
    ...ascii('GIF89a'),
    ...word(side),
    ...word(side),
    ...[0x80, 0, 0],
    ...[0, 0, 0, 255, 255, 255],
    ...[0x21, 0xff, 11, ...ascii('NETSCAPE2.0'), 3, 1, 0, 0, 0],
    ...(comment === undefined ? [] : [0x21, 0xfe, comment.length, ...ascii(comment), 0]),
    ...Array.from({ length: frames }, () => [
      ...[0x21, 0xf9, 4, 0, 10, 0, 0, 0],
      ...[0x2c, 0, 0, 0, 0, ...word(side), ...word(side), 0],
      ...[2, 2, 0x4c, 0x01, 0],
    ]).flat(),
    0x3b,
    ...ascii(tail),
  ]);
}
