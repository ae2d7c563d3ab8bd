import { createHash } from 'node:crypto';

/** Headers as `node:http` gives them: lower-case names, repeated headers joined or listed. */
export type RequestHeaders = Record<string, string | string[] | undefined>;

/** One decoded query parameter, bytes rather than text because a signature covers bytes. */
type QueryPair = { name: Buffer; value: Buffer };

export const EMPTY_SHA256 = createHash('sha256').digest('hex');

export const sha256Hex = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex');

const HEX_PAIR = /^[0-9a-fA-F]{2}$/;

/**
 * Percent-decodes to bytes. `node:http` hands over the request target as latin1, so every character is one byte.
 * Returns undefined when a `%` is not followed by two hex digits.
 */
export const percentDecode = (text: string, plusIsSpace = false): Buffer | undefined => {
  const out = Buffer.alloc(text.length);
  let length = 0;
  for (let index = 0; index < text.length; index += 1) {
    const char = text.charAt(index);
    if (char === '%') {
      const pair = text.slice(index + 1, index + 3);
      if (!HEX_PAIR.test(pair)) return undefined;
      out[length++] = Number.parseInt(pair, 16);
      index += 2;
    } else {
      out[length++] = plusIsSpace && char === '+' ? 0x20 : text.charCodeAt(index);
    }
  }
  return out.subarray(0, length);
};

const isUnreserved = (byte: number): boolean =>
  (byte >= 0x30 && byte <= 0x39) ||
  (byte >= 0x41 && byte <= 0x5a) ||
  (byte >= 0x61 && byte <= 0x7a) ||
  byte === 0x2d ||
  byte === 0x2e ||
  byte === 0x5f ||
  byte === 0x7e;

/** SigV4 `UriEncode`: everything but `A-Z a-z 0-9 - . _ ~` becomes `%XX`, upper-case hex; `/` is kept when asked. */
export const uriEncode = (bytes: Buffer, keepSlash = false): string => {
  let out = '';
  for (const byte of bytes) {
    if (isUnreserved(byte) || (keepSlash && byte === 0x2f)) out += String.fromCharCode(byte);
    else out += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return out;
};

/** Splits a request target into its path and query, neither of them decoded. */
export const splitTarget = (rawUrl: string): { path: string; query: string } => {
  const mark = rawUrl.indexOf('?');
  return mark < 0
    ? { path: rawUrl, query: '' }
    : { path: rawUrl.slice(0, mark), query: rawUrl.slice(mark + 1) };
};

/** Decodes a raw query, keeping order and repeats. `+` means space, as form encoding and S3 have it. */
export const parseQuery = (rawQuery: string): QueryPair[] | undefined => {
  const pairs: QueryPair[] = [];
  for (const piece of rawQuery.split('&')) {
    if (piece === '') continue;
    const equals = piece.indexOf('=');
    const name = percentDecode(equals < 0 ? piece : piece.slice(0, equals), true);
    const value = percentDecode(equals < 0 ? '' : piece.slice(equals + 1), true);
    if (name === undefined || value === undefined) return undefined;
    pairs.push({ name, value });
  }
  return pairs;
};

const removeDotSegments = (path: string): string => {
  const kept: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment === '..') kept.pop();
    else kept.push(segment);
  }
  const trailing = path.length > 1 && path.endsWith('/') && kept.length > 0 ? '/' : '';
  return `/${kept.join('/')}${trailing}`;
};

/** S3 encodes the decoded path once and never normalises it; every other service encodes the path as sent again. */
const canonicalPath = (path: string, service: string): string | undefined => {
  if (service !== 's3') return uriEncode(Buffer.from(removeDotSegments(path), 'latin1'), true);
  const decoded = percentDecode(path);
  return decoded === undefined ? undefined : uriEncode(decoded, true);
};

const compareAscii = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);

const canonicalQuery = (pairs: readonly QueryPair[]): string =>
  pairs
    .map(({ name, value }) => [uriEncode(name), uriEncode(value)] as const)
    .filter(([name]) => name !== 'X-Amz-Signature')
    .sort((left, right) => compareAscii(left[0], right[0]) || compareAscii(left[1], right[1]))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');

const headerValue = (value: string | string[] | undefined): string =>
  (Array.isArray(value) ? value.join(',') : (value ?? '')).trim().replace(/\s+/g, ' ');

/**
 * The SigV4 canonical request ("Create a signed AWS API request" in the IAM User Guide).
 * Returns undefined when the path has a malformed percent escape.
 */
export const canonicalRequest = (input: {
  method: string;
  path: string;
  query: readonly QueryPair[];
  headers: RequestHeaders;
  signedHeaders: readonly string[];
  payloadHash: string;
  service: string;
}): string | undefined => {
  const path = canonicalPath(input.path, input.service);
  if (path === undefined) return undefined;
  return [
    input.method.toUpperCase(),
    path,
    canonicalQuery(input.query),
    ...input.signedHeaders.map((name) => `${name}:${headerValue(input.headers[name])}`),
    '',
    input.signedHeaders.join(';'),
    input.payloadHash,
  ].join('\n');
};
