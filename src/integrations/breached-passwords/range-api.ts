import type { Config } from '../../config/index.ts';
import { hex, utf8 } from '../../shared/encoding.ts';

// https://haveibeenpwned.com/API/v3#SearchingPwnedPasswordsByRange

const prefixLength = 5;
// A padded answer has about a thousand lines of some forty bytes.
const maxAnswerBytes = 262_144;

/**
 * Whether a password is known from breaches. The service learns the first 20 of 160 bits of its SHA-1 and nothing else
 * (k-anonymity), and its answers are padded, so that their size tells nothing either.
 * @returns undefined when the service did not answer in time or not as expected; false when the check is switched off.
 */
export async function isBreached(
  config: Config['breachedPasswords'],
  password: string,
): Promise<boolean | undefined> {
  if (config.baseUrl === '') return false;
  const digest = hex(new Uint8Array(await crypto.subtle.digest('SHA-1', utf8(password)))).toUpperCase();
  const suffix = digest.slice(prefixLength);
  try {
    const response = await fetch(`${config.baseUrl}/range/${digest.slice(0, prefixLength)}`, {
      headers: { 'add-padding': 'true', 'user-agent': 'social-flow' },
      redirect: 'manual',
      signal: AbortSignal.timeout(config.timeoutMs),
    });
    if (!response.ok) {
      await response.body?.cancel();
      return undefined;
    }
    const answer = await response.text();
    if (answer.length > maxAnswerBytes) return undefined;
    const line = answer.split(/\r?\n/).find((entry) => entry.startsWith(`${suffix}:`));
    // Padding has the count 0.
    return line !== undefined && Number(line.slice(suffix.length + 1)) > 0;
  } catch {
    return undefined;
  }
}
