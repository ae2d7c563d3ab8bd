// Crockford's base32, lower case: no letter that is read as a digit (https://www.crockford.com/base32.html).
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
const length = 24;

export const backupCodeCount = 10;
/** Random bytes in one code: 120 bits, so that a plain SHA-256 of it may be stored (OWASP ASVS 6.5.2). */
export const backupCodeBytes = 15;

/** A code as it is shown: six groups of four, such as `3k9f-0tqx-...`. Takes `backupCodeBytes` random bytes. */
export function formatBackupCode(random: Uint8Array): string {
  let value = 0n;
  for (const byte of random) value = (value << 8n) | BigInt(byte);
  let text = '';
  for (let index = 0; index < length; index += 1) {
    text = (alphabet[Number(value & 31n)] ?? '') + text;
    value >>= 5n;
  }
  return text.replaceAll(/.{4}(?=.)/g, '$&-');
}

/** A typed code in the form that is hashed, or undefined when it cannot be one. Case, dashes, spaces, o, i and l are forgiven. */
export function normaliseBackupCode(typed: string): string | undefined {
  const text = typed.toLowerCase().replaceAll(/[\s-]/g, '').replaceAll('o', '0').replaceAll(/[il]/g, '1');
  return text.length === length && [...text].every((character) => alphabet.includes(character))
    ? text
    : undefined;
}
