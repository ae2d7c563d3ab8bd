import { scrypt, timingSafeEqual } from 'node:crypto';
import { hmacSha256, randomBytes, secretsEqual } from '../../../shared/crypto.ts';
import { base64Url, fromBase64Url, utf8 } from '../../../shared/encoding.ts';

// Cheaper than those of accounts (4 MiB, some 10 ms): it guards one film, is shared with many, and may not be tried often.
const cost = { N: 2 ** 12, r: 8, p: 1 } as const;
const keyLength = 32;
const stored = /^v1\$([A-Za-z0-9_-]{22})\$([A-Za-z0-9_-]{43})$/;

/** Hashes the password of a video for storing: scrypt (RFC 7914). */
export async function hashVideoPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  return `v1$${base64Url(salt)}$${base64Url(await derive(password, salt))}`;
}

/** Whether this is the password that was hashed. */
export async function isVideoPassword(password: string, hash: string): Promise<boolean> {
  const [, salt, key] = stored.exec(hash) ?? [];
  const expected = fromBase64Url(key ?? '');
  if (salt === undefined || expected?.length !== keyLength) return false;
  return timingSafeEqual(await derive(password, fromBase64Url(salt) ?? new Uint8Array()), expected);
}

const derive = (password: string, salt: Uint8Array): Promise<Uint8Array> =>
  new Promise((resolve, reject) => {
    scrypt(utf8(password.normalize('NFC')), salt, keyLength, { ...cost, maxmem: 2 ** 24 }, (error, key) =>
      error === null ? resolve(key) : reject(error),
    );
  });

/** What an unlock token stands for. */
interface Unlocking {
  readonly secret: string;
  readonly videoId: string;
  /** Of the password as stored: another password voids every token. */
  readonly passwordHash: string;
}

/** A token that stands for the password of a video until `expiresAt` (Unix seconds). */
export const makeUnlockToken = async (unlocking: Unlocking, expiresAt: number): Promise<string> =>
  `${expiresAt}.${await tagOf(unlocking, expiresAt)}`;

/** Whether a token stands for the password of this video now. */
export async function isUnlockToken(
  unlocking: Unlocking,
  token: string,
  nowSeconds: number,
): Promise<boolean> {
  const [, expiry, tag] = /^(\d{1,12})\.([A-Za-z0-9_-]{43})$/.exec(token) ?? [];
  if (expiry === undefined || tag === undefined || Number(expiry) <= nowSeconds) return false;
  return secretsEqual(tag, await tagOf(unlocking, Number(expiry)));
}

const tagOf = async ({ secret, videoId, passwordHash }: Unlocking, expiresAt: number): Promise<string> =>
  base64Url(await hmacSha256(secret, JSON.stringify(['unlock.v1', videoId, expiresAt, passwordHash])));
