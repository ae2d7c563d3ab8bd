import { randomBytes } from '../../shared/crypto.ts';

export const smsCodeSeconds = 600;
/** Wrong codes after which a code sent is void. */
export const smsCodeAttempts = 5;

const codes = 1_000_000;
// The largest multiple of a million in 32 bits: what lies above would favour low codes.
const unbiased = Math.floor(2 ** 32 / codes) * codes;

// Share +1 with the United States and Canada but not their price, or are premium rate; each may still be allowed by name.
const costly = [
  '242', '246', '264', '268', '284', '345', '441', '473', '649', '658', '664', '721', '758', '767', '784', '809', '829', '849',
  '868', '869', '876', '900', '976',
].map((area) => `+1${area}`); // biome-ignore format: one list

/** A random code of six digits, each as likely as any other. */
export function newSmsCode(random: (length: number) => Uint8Array = randomBytes): string {
  for (;;) {
    const value = new DataView(random(4).slice().buffer).getUint32(0);
    if (value < unbiased) return String(value % codes).padStart(6, '0');
  }
}

/** Whether codes are sent to a number: the longest prefix that is allowed or costly decides. */
export function isServedNumber(number: string, allowedPrefixes: readonly string[]): boolean {
  const longest = (prefixes: readonly string[]): number =>
    Math.max(0, ...prefixes.filter((prefix) => number.startsWith(prefix)).map((prefix) => prefix.length));
  const allowed = longest(allowedPrefixes);
  return allowed > 0 && allowed >= longest(costly);
}

/** The message that carries a code. */
export const smsTextOf = (code: string): string =>
  `${code} is your Social Flow code, for ${smsCodeSeconds / 60} minutes. Nobody of ours will ask you for it.`;
