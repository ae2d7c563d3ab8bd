/** A Cap'n Proto value as the text format writes it (https://capnproto.org/language.html#constants). */
export type CapnpValue =
  | string
  | boolean
  | readonly CapnpValue[]
  | { readonly [field: string]: CapnpValue | undefined }
  | Embed;

/** The content of a file beside the configuration. */
export class Embed {
  readonly file: string;

  constructor(file: string) {
    this.file = file;
  }
}

/** Writes a value; fields that are undefined are left out. */
export function capnpText(value: CapnpValue): string {
  if (value instanceof Embed) return `embed ${quoted(value.file)}`;
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return quoted(value);
  if (isList(value)) return `[${value.map(capnpText).join(', ')}]`;
  const fields = Object.entries(value).flatMap(([name, field]) =>
    field === undefined ? [] : [`${name} = ${capnpText(field)}`],
  );
  return `(${fields.join(', ')})`;
}

const isList = (value: CapnpValue): value is readonly CapnpValue[] => Array.isArray(value);

// Bytes outside printable ASCII are written as \xHH, which the format takes for text in UTF-8.
const quoted = (text: string): string => {
  let escaped = '';
  for (const byte of Buffer.from(text, 'utf8')) {
    if (byte === 0x22 || byte === 0x5c) escaped += `\\${String.fromCharCode(byte)}`;
    else if (byte >= 0x20 && byte < 0x7f) escaped += String.fromCharCode(byte);
    else escaped += `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return `"${escaped}"`;
};
