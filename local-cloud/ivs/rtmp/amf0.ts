/** Values of AMF0 ("Action Message Format -- AMF 0", Adobe) as far as RTMP commands use them. */
export type Amf = number | boolean | string | null | undefined | AmfObject | Amf[];
export type AmfObject = { [key: string]: Amf };

const MAX_DEPTH = 8;
const MAX_VALUES = 1000;

const NUMBER = 0x00;
const BOOLEAN = 0x01;
const STRING = 0x02;
const OBJECT = 0x03;
const NULL = 0x05;
const UNDEFINED = 0x06;
const ECMA_ARRAY = 0x08;
const OBJECT_END = 0x09;
const STRICT_ARRAY = 0x0a;
const DATE = 0x0b;
const LONG_STRING = 0x0c;

/**
 * All values in a message.
 * @throws Error for anything that is cut off, too deep, too many or of a type that commands do not have.
 */
export function decodeAmf(data: Buffer): Amf[] {
  let offset = 0;
  let count = 0;

  function take(bytes: number): number {
    const from = offset;
    if (from + bytes > data.length) throw new Error('AMF data ends in the middle of a value');
    offset += bytes;
    return from;
  }
  const text = (length: number): string => {
    const from = take(length);
    return data.toString('utf8', from, from + length);
  };
  const shortText = (): string => text(data.readUInt16BE(take(2)));

  function properties(depth: number): AmfObject {
    // Without a prototype, so that a property called __proto__ is one like any other.
    const object: AmfObject = Object.create(null);
    for (;;) {
      const key = shortText();
      if (key === '' && data[offset] === OBJECT_END) {
        take(1);
        return object;
      }
      object[key] = value(depth + 1);
    }
  }

  function value(depth: number): Amf {
    count += 1;
    if (depth > MAX_DEPTH || count > MAX_VALUES) throw new Error('AMF data holds too much');
    const type = data[take(1)];
    switch (type) {
      case NUMBER:
        return data.readDoubleBE(take(8));
      case BOOLEAN:
        return data[take(1)] !== 0;
      case STRING:
        return shortText();
      case LONG_STRING:
        return text(data.readUInt32BE(take(4)));
      case OBJECT:
        return properties(depth);
      case ECMA_ARRAY:
        take(4);
        return properties(depth);
      case STRICT_ARRAY: {
        const length = data.readUInt32BE(take(4));
        if (length > MAX_VALUES) throw new Error('AMF data holds too much');
        return Array.from({ length }, () => value(depth + 1));
      }
      case DATE:
        return data.readDoubleBE(take(10));
      case NULL:
        return null;
      case UNDEFINED:
        return undefined;
      default:
        throw new Error(`AMF type ${type} is not used in commands`);
    }
  }

  const values: Amf[] = [];
  while (offset < data.length) values.push(value(0));
  return values;
}

export function encodeAmf(...values: readonly Amf[]): Buffer {
  return Buffer.concat(values.map(encodeValue));
}

function encodeValue(value: Amf): Buffer {
  if (value === null) return Buffer.from([NULL]);
  if (value === undefined) return Buffer.from([UNDEFINED]);
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(9);
    bytes.writeDoubleBE(value, 1);
    return bytes;
  }
  if (typeof value === 'boolean') return Buffer.from([BOOLEAN, value ? 1 : 0]);
  if (typeof value === 'string') return Buffer.concat([Buffer.from([STRING]), encodeText(value)]);
  if (Array.isArray(value)) {
    const head = Buffer.alloc(5);
    head[0] = STRICT_ARRAY;
    head.writeUInt32BE(value.length, 1);
    return Buffer.concat([head, ...value.map(encodeValue)]);
  }
  const members = Object.entries(value).flatMap(([key, member]) => [encodeText(key), encodeValue(member)]);
  return Buffer.concat([Buffer.from([OBJECT]), ...members, Buffer.from([0, 0, OBJECT_END])]);
}

function encodeText(text: string): Buffer {
  const bytes = Buffer.from(text);
  const head = Buffer.alloc(2);
  head.writeUInt16BE(bytes.length);
  return Buffer.concat([head, bytes]);
}
