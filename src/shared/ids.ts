/** Prefixes of public ids. The database holds the bare UUID; the prefix exists only at the edge. */
export const idPrefixes = {
  user: 'usr',
  session: 'ses',
  identity: 'idn',
  post: 'post',
  video: 'vid',
  upload: 'upl',
  thumbnail: 'thm',
  job: 'job',
  passkey: 'pky',
  dataExport: 'exp',
  apiKey: 'key',
  securityEvent: 'sev',
  adminProposal: 'prop',
  sideFile: 'fil',
  webhookEndpoint: 'whe',
  webhookDelivery: 'whd',
  event: 'evt',
  comment: 'cmt',
  playlist: 'pls',
  playlistItem: 'pli',
  stream: 'str',
  marker: 'mrk',
  chatMessage: 'msg',
  chatAction: 'act',
  chatTerm: 'trm',
  unbanRequest: 'unb',
  emote: 'emo',
} as const;

export type IdKind = keyof typeof idPrefixes;

// Crockford's base32, lower case: no i, l, o, u (https://www.crockford.com/base32.html).
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
const bodyLength = 26;

/** Random bytes and the current time, so that tests and idempotent replays can fix them. */
export interface IdSource {
  /** A new UUIDv7 (RFC 9562 §5.7): 48 bits of Unix milliseconds, then random bits. Sorts by time. */
  next(): string;
}

/** A UUIDv7 for the given time. `random` supplies 10 bytes. */
export function uuidv7(unixMs: number, random: Uint8Array): string {
  const bytes = new Uint8Array(16);
  let rest = unixMs;
  for (let index = 5; index >= 0; index -= 1) {
    bytes[index] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  bytes.set(random.subarray(0, 10), 6);
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  return formatUuid(bytes);
}

export const randomIds: IdSource = {
  next: () => uuidv7(Date.now(), crypto.getRandomValues(new Uint8Array(10))),
};

/**
 * Ids that come out the same each time the same seed is used: a request that is run again after a crash makes the rows it
 * made before, and the database refuses them. They count up from a random start (RFC 9562 §6.2, method 2), so they sort
 * in the order they were made.
 * @param seed `<Unix ms>.<at least 20 hex digits of entropy>`.
 * @throws RangeError for anything else.
 */
export function createSeededIds(seed: string): IdSource {
  const [, time, entropy] = /^(\d{1,14})\.([0-9a-f]{20,64})$/.exec(seed) ?? [];
  if (time === undefined || entropy === undefined) throw new RangeError('malformed id seed');
  // 74 random bits fit between the version and variant bits; the top one stays free for the carry.
  let counter = BigInt(`0x${entropy.slice(0, 20)}`) & ((1n << 73n) - 1n);
  return {
    next() {
      const random = new Uint8Array(10);
      let rest = counter;
      const take = (bits: bigint): number => {
        const value = Number(rest & ((1n << bits) - 1n));
        rest >>= bits;
        return value;
      };
      for (let index = 9; index >= 3; index -= 1) random[index] = take(8n);
      random[2] = take(6n);
      random[1] = take(8n);
      random[0] = take(4n);
      counter += 1n;
      return uuidv7(Number(time), random);
    },
  };
}

/** The time a UUIDv7 was made, in Unix milliseconds. */
export const uuidTime = (uuid: string): number => Number.parseInt(uuid.slice(0, 8) + uuid.slice(9, 13), 16);

/** The smallest UUIDv7 of a moment: a lower bound for keyset queries by time. */
export const uuidFloor = (unixMs: number): string => uuidv7(unixMs, new Uint8Array(10));

/** `usr_01h...`: the public form of a UUID. */
export function encodeId(kind: IdKind, uuid: string): string {
  let value = BigInt(`0x${uuid.replaceAll('-', '')}`);
  let body = '';
  for (let index = 0; index < bodyLength; index += 1) {
    body = (alphabet[Number(value & 31n)] ?? '0') + body;
    value >>= 5n;
  }
  return `${idPrefixes[kind]}_${body}`;
}

/** The UUID of a public id, or undefined when the prefix, length, alphabet or range is wrong. */
export function decodeId(kind: IdKind, id: string): string | undefined {
  const prefix = `${idPrefixes[kind]}_`;
  if (!id.startsWith(prefix) || id.length !== prefix.length + bodyLength) return undefined;
  let value = 0n;
  for (const character of id.slice(prefix.length)) {
    const digit = alphabet.indexOf(character);
    if (digit < 0) return undefined;
    value = (value << 5n) | BigInt(digit);
  }
  if (value >= 1n << 128n) return undefined;
  const hex = value.toString(16).padStart(32, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

function formatUuid(bytes: Uint8Array): string {
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
