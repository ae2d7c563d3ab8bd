import { base64Url } from '../../../shared/encoding.ts';

const prefix = 'sfr_';
const secretLength = 43;
const pattern = /^sfr_([A-Za-z0-9_-]{43})([A-Za-z0-9_-]{6})$/;

/**
 * An opaque refresh token: `sfr_`, 32 random bytes in base64url, and their CRC-32, so that secret scanners can tell a token
 * from a look-alike and typing errors never reach the database.
 */
export function formatRefreshToken(secret: Uint8Array): string {
  const body = base64Url(secret);
  return `${prefix}${body}${checksum(body)}`;
}

/** Whether this has the form and checksum of a refresh token; says nothing about its being known. */
export function isRefreshToken(text: string): boolean {
  const [, body, sum] = pattern.exec(text) ?? [];
  return body !== undefined && body.length === secretLength && sum === checksum(body);
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
