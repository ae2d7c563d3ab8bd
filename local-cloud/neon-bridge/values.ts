/**
 * A JSON parameter as the text Postgres is given for it, by the rules of Neon's proxy (proxy/src/serverless/json.rs):
 * strings as they are, numbers, booleans and objects as JSON, arrays as Postgres array literals.
 */
export function paramToText(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return arrayLiteral(value);
  return JSON.stringify(value);
}

function arrayLiteral(items: unknown[]): string {
  const parts = items.map((item) => {
    if (item === null || item === undefined) return 'NULL';
    if (Array.isArray(item)) return arrayLiteral(item);
    if (typeof item === 'object') return JSON.stringify(JSON.stringify(item));
    return JSON.stringify(item);
  });
  return `{${parts.join(',')}}`;
}

const BOOL = 16;
const INTEGERS = new Set([21, 23]);
const FLOATS = new Set([700, 701]);
const JSON_TYPES = new Set([114, 3802]);

/** Element type of the built-in array types (pg_type.typelem); other arrays are passed on as text. */
const ARRAY_ELEMENTS: ReadonlyMap<number, number> = new Map([
  [1000, 16],
  [1001, 17],
  [1005, 21],
  [1007, 23],
  [1009, 25],
  [1014, 1042],
  [1015, 1043],
  [1016, 20],
  [1021, 700],
  [1022, 701],
  [1028, 26],
  [1041, 869],
  [1115, 1114],
  [1182, 1082],
  [1183, 1083],
  [1185, 1184],
  [1187, 1186],
  [1231, 1700],
  [199, 114],
  [2951, 2950],
  [3807, 3802],
]);

/** Postgres's text form of a value as a JSON fragment, for callers that did not ask for raw text. */
export function textToJson(text: string, typeOid: number): string {
  const elementOid = ARRAY_ELEMENTS.get(typeOid);
  if (elementOid !== undefined) return arrayToJson(text, elementOid);
  if (typeOid === BOOL) return text === 't' ? 'true' : 'false';
  if (INTEGERS.has(typeOid)) return text;
  if (FLOATS.has(typeOid))
    return Number.isFinite(Number(text)) ? JSON.stringify(Number(text)) : JSON.stringify(text);
  if (JSON_TYPES.has(typeOid)) return text;
  return JSON.stringify(text);
}

/** Parses Postgres's array output (https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO) into a JSON fragment. */
function arrayToJson(text: string, elementOid: number): string {
  // Explicit bounds such as [0:1]={...} have no JSON counterpart.
  let at = text.startsWith('[') ? text.indexOf('=') + 1 : 0;

  const parseArray = (): string => {
    const items: string[] = [];
    at += 1;
    while (text[at] !== '}') {
      if (at >= text.length) throw new Error('unbalanced array');
      if (text[at] === ',') at += 1;
      else items.push(parseItem());
    }
    at += 1;
    return `[${items.join(',')}]`;
  };

  const parseItem = (): string => {
    if (text[at] === '{') return parseArray();
    if (text[at] === '"') return textToJson(parseQuoted(), elementOid);
    const start = at;
    while (at < text.length && text[at] !== ',' && text[at] !== '}') at += 1;
    const item = text.slice(start, at);
    return item === 'NULL' ? 'null' : textToJson(item, elementOid);
  };

  const parseQuoted = (): string => {
    let value = '';
    at += 1;
    while (text[at] !== '"') {
      if (at >= text.length) throw new Error('unbalanced quoted string');
      if (text[at] === '\\') at += 1;
      value += text[at] ?? '';
      at += 1;
    }
    at += 1;
    return value;
  };

  return parseArray();
}
