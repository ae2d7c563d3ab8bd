/** Seconds one code is valid (RFC 6238 §5.2). */
export const stepSeconds = 30;
export const codeDigits = 6;
/** Length of a new seed: what HMAC-SHA-1 takes without loss (RFC 4226 §4, R6). */
export const secretLength = 20;

export type OtpHash = 'SHA-1' | 'SHA-256' | 'SHA-512';

/** The HMAC-based one-time password of a counter (RFC 4226 §5.3). */
export async function hotp(
  secret: Uint8Array,
  counter: number,
  digits: number,
  hash: OtpHash = 'SHA-1',
): Promise<string> {
  const key = await crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash }, false, ['sign']);
  const message = new DataView(new ArrayBuffer(8));
  message.setBigUint64(0, BigInt(counter));
  const mac = new DataView(await crypto.subtle.sign('HMAC', key, message.buffer));
  const offset = mac.getUint8(mac.byteLength - 1) & 0x0f;
  const truncated = mac.getUint32(offset) & 0x7fff_ffff;
  return String(truncated % 10 ** digits).padStart(digits, '0');
}

/** The time step of a moment (RFC 6238 §4.2, T0 = 0). */
export const stepOf = (unixSeconds: number): number => Math.floor(unixSeconds / stepSeconds);

/**
 * The step whose code was given: the current one, or the one before for clocks and typists that lag. Undefined for any other
 * code. Every candidate is computed and compared, whatever matches.
 */
export async function matchingStep(
  secret: Uint8Array,
  code: string,
  unixSeconds: number,
): Promise<number | undefined> {
  const current = stepOf(unixSeconds);
  let found: number | undefined;
  for (const step of [current - 1, current])
    if (sameText(await hotp(secret, step, codeDigits), code)) found = step;
  return found;
}

function sameText(expected: string, given: string): boolean {
  let difference = expected.length ^ given.length;
  for (let index = 0; index < expected.length; index += 1)
    difference |= expected.charCodeAt(index) ^ given.charCodeAt(index);
  return difference === 0;
}

const base32Alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** Base32 without padding (RFC 4648 §6), as authenticator apps take it. */
export function base32(bytes: Uint8Array): string {
  let text = '';
  let buffer = 0;
  let bits = 0;
  for (const byte of bytes) {
    buffer = ((buffer << 8) | byte) & 0xffff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += base32Alphabet[(buffer >>> bits) & 31] ?? '';
    }
  }
  return bits === 0 ? text : text + (base32Alphabet[(buffer << (5 - bits)) & 31] ?? '');
}

/**
 * The address authenticator apps read from a QR code.
 * https://github.com/google/google-authenticator/wiki/Key-Uri-Format
 */
export function otpauthUri(issuer: string, account: string, secret: Uint8Array): string {
  const label = `${encodeURIComponent(issuer)}:${encodeURIComponent(account)}`;
  const query = [
    `secret=${base32(secret)}`,
    `issuer=${encodeURIComponent(issuer)}`,
    'algorithm=SHA1',
    `digits=${codeDigits}`,
    `period=${stepSeconds}`,
  ].join('&');
  return `otpauth://totp/${label}?${query}`;
}
