import { base64Url } from './encoding.ts';

const bodyLength = 43;
const pattern = /^([A-Za-z0-9_-]{43})([A-Za-z0-9_-]{6})$/;

/** Random bytes in a secret token. */
export const secretTokenBytes = 32;

/**
 * An opaque secret: `prefix`, 32 random bytes in base64url, and their CRC-32, so that secret scanners can tell a token from a
 * look-alike and typing errors never reach the database.
 */
export function formatSecretToken(prefix: string, secret: Uint8Array): string {
  const body = base64Url(secret);
  return `${prefix}${body}${checksum(body)}`;
}

/** Whether this has the form and checksum of a token with that prefix; says nothing about its being known. */
export function isSecretToken(prefix: string, text: string): boolean {
  if (!text.startsWith(prefix)) return false;
  const [, body, sum] = pattern.exec(text.slice(prefix.length)) ?? [];
  return body !== undefined && body.length === bodyLength && sum === checksum(body);
}

function checksum(text: string): string {
  let crc = 0xffffffff;
  for (let index = 0; index < text.length; index += 1) {
    crc ^= text.charCodeAt(index);
    // Reflected polynomial of ISO 3309, as in zip and PNG.
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1));
  }
  const value = (crc ^ 0xffffffff) >>> 0;
  return base64Url(Uint8Array.of(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255));
}
