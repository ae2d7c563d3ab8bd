export type BareItem = string | number | boolean | Uint8Array | { readonly token: string };

export interface Item {
  readonly value: BareItem;
  readonly parameters: Readonly<Record<string, BareItem>>;
}

/** Parses a list of items (RFC 9651 §4.2.1, without inner lists, dates and display strings). @throws SyntaxError. */
export function parseList(field: string | null): Item[] {
  if (field === null) throw new SyntaxError('no field');
  const reader = readerOf(field);
  const items: Item[] = [];
  reader.skip(/ */y);
  while (!reader.done()) {
    items.push(readItem(reader));
    reader.skip(/[ \t]*/y);
    if (reader.done()) return items;
    reader.take(/,/y, 'a comma');
    reader.skip(/[ \t]*/y);
    if (reader.done()) throw new SyntaxError('a list must not end in a comma');
  }
  return items;
}

type Reader = ReturnType<typeof readerOf>;

function readerOf(text: string) {
  if (!/^[\x20-\x7e\t]*$/.test(text)) throw new SyntaxError('not ASCII');
  let at = 0;
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };
  return {
    done: () => at === text.length,
    skip: match,
    next: () => text[at],
    take(pattern: RegExp, what: string): string {
      const found = match(pattern);
      if (found === undefined) throw new SyntaxError(`expected ${what} at ${at} of ${text}`);
      return found;
    },
  };
}

function readItem(reader: Reader): Item {
  const value = readBareItem(reader);
  const parameters: Record<string, BareItem> = {};
  while (reader.next() === ';') {
    reader.take(/; */y, 'a parameter');
    const key = reader.take(/[a-z*][a-z0-9_.*-]*/y, 'a key');
    parameters[key] = reader.skip(/=/y) === undefined ? true : readBareItem(reader);
  }
  return { value, parameters };
}

function readBareItem(reader: Reader): BareItem {
  const next = reader.next() ?? '';
  if (next === '"')
    return reader
      .take(/"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*"/y, 'a string')
      .slice(1, -1)
      .replace(/\\(["\\])/g, '$1');
  if (next === ':') {
    const encoded = reader.take(/:[A-Za-z0-9+/]*={0,2}:/y, 'a byte sequence').slice(1, -1);
    return Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0));
  }
  if (next === '?') return reader.take(/\?[01]/y, 'a boolean') === '?1';
  if (/[-0-9]/.test(next))
    return Number(reader.take(/-?(?:\d{1,12}\.\d{1,3}|\d{1,15})(?![\d.])/y, 'a number'));
  return { token: reader.take(/[A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]*/y, 'a token') };
}
