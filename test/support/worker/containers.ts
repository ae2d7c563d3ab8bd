/** Pieces of containers, put together by hand for files no muxer would write. */

export const joined = (...pieces: readonly Uint8Array[]): Uint8Array => {
  const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
};

export const repeated = (piece: Uint8Array, times: number): Uint8Array => {
  const bytes = new Uint8Array(piece.length * times);
  for (let index = 0; index < times; index += 1) bytes.set(piece, index * piece.length);
  return bytes;
};

export const text = (value: string): Uint8Array =>
  Uint8Array.from(value, (character) => character.charCodeAt(0));

export const uint32 = (...values: readonly number[]): Uint8Array => {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  for (const [index, value] of values.entries()) view.setUint32(index * 4, value);
  return bytes;
};

export const uint16 = (...values: readonly number[]): Uint8Array =>
  Uint8Array.from(values.flatMap((value) => [(value >> 8) & 255, value & 255]));

/** A box of an ISO file. */
export const box = (type: string, ...content: readonly Uint8Array[]): Uint8Array => {
  const inside = joined(...content);
  return joined(uint32(inside.length + 8), text(type), inside);
};

export const ftyp = box('ftyp', text('isom'), uint32(512), text('isomiso2'));

/** A track of pictures without a single sample. */
export const videoTrack = (picture: {
  readonly width?: number;
  readonly height?: number;
  readonly config?: Uint8Array;
}): Uint8Array => {
  const { width = 320, height = 180, config = box('avcC', avcConfig(320, 192)) } = picture;
  const entry = box(
    'avc1',
    new Uint8Array(6),
    uint16(1),
    new Uint8Array(16),
    uint16(width, height),
    new Uint8Array(50),
    config,
  );
  const none = uint32(0, 0);
  return box(
    'trak',
    box('tkhd', uint32(0, 0, 0, 1), new Uint8Array(60), uint32(width * 65_536, height * 65_536)),
    box(
      'mdia',
      box('mdhd', uint32(0, 0, 0, 1_000, 0), uint16(0x55c4, 0)),
      box('hdlr', uint32(0, 0), text('vide'), new Uint8Array(13)),
      box(
        'minf',
        box(
          'stbl',
          box('stsd', uint32(0, 1), entry),
          box('stts', none),
          box('stsc', none),
          box('stsz', uint32(0, 0, 0)),
          box('stco', none),
        ),
      ),
    ),
  );
};

/** An AVCDecoderConfigurationRecord whose one parameter set declares a picture of this size, in whole macroblocks. */
export function avcConfig(width: number, height: number): Uint8Array {
  let bits = '';
  const unsigned = (value: number): void => {
    const binary = (value + 1).toString(2);
    bits += '0'.repeat(binary.length - 1) + binary;
  };
  // Identifier, frame numbers, picture order by frame number, reference frames, no gaps.
  unsigned(0);
  unsigned(0);
  unsigned(2);
  unsigned(1);
  bits += '0';
  unsigned(width / 16 - 1);
  unsigned(height / 16 - 1);
  // Frames only, direct inference, no cropping, no usability information, the stop bit.
  bits += '11001';
  const payload = bits.padEnd(Math.ceil(bits.length / 8) * 8, '0').match(/.{8}/g) ?? [];
  const set = Uint8Array.of(0x67, 66, 0, 30, ...payload.map((byte) => Number.parseInt(byte, 2)));
  return joined(Uint8Array.of(1, 66, 0, 30, 0xff, 0xe1), uint16(set.length), set, Uint8Array.of(0));
}

const idBytes = (id: number): number[] => {
  const bytes = [];
  for (let rest = id; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return bytes;
};

/** An element of a Matroska file, its size in eight bytes. */
export const ebml = (id: number, ...content: readonly Uint8Array[]): Uint8Array => {
  const inside = joined(...content);
  return joined(Uint8Array.of(...idBytes(id), 0x01, 0, 0, 0), uint32(inside.length), inside);
};

/** The head of an element that does not say where it ends. */
export const unknownSize = (id: number): Uint8Array =>
  Uint8Array.of(...idBytes(id), 0x01, 255, 255, 255, 255, 255, 255, 255);
