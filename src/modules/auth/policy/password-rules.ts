import type { ErrorDetail } from '../../../shared/errors.ts';
import { codePoints } from '../../../shared/text.ts';
import { commonPasswords, commonWords } from './common-passwords.ts';
import { topPasswords } from './top-passwords.ts';

export const minPasswordLength = 8;
export const maxPasswordLength = 128;

/** Words an attacker who knows the account would try first. */
export interface PasswordContext {
  readonly username: string;
  readonly email: string;
  readonly displayName?: string | undefined;
}

/**
 * What is wrong with a new password; empty when nothing is (OWASP ASVS 5.0: 6.2.1, 6.2.4, 6.2.5, 6.2.9, 6.2.11). Length is in
 * code points. There are no composition rules: any characters do, and the password is taken exactly as received.
 */
export function passwordProblems(password: string, context: PasswordContext): ErrorDetail[] {
  const length = codePoints(password);
  if (length < minPasswordLength)
    return [problem('too_short', `Use at least ${minPasswordLength} characters.`)];
  if (length > maxPasswordLength)
    return [problem('too_long', `Use at most ${maxPasswordLength} characters.`)];
  const lower = password.toLowerCase();
  if (isCommon(lower)) return [problem('too_common', 'This is among the passwords that are tried first.')];
  for (const word of contextWords(context)) {
    if (!lower.includes(word)) continue;
    const rest = lower.replaceAll(word, '');
    if (codePoints(rest) < minPasswordLength || isCommon(rest))
      return [
        problem('contains_account_name', 'Your names and your e-mail address do not count as a password.'),
      ];
  }
  return [];
}

const problem = (code: string, message: string): ErrorDetail => ({ pointer: '/password', code, message });

function contextWords({ username, email, displayName = '' }: PasswordContext): string[] {
  const address = email.toLowerCase();
  const name = displayName.toLowerCase();
  const [local = '', domain = ''] = address.split('@');
  const words = [
    address,
    username.toLowerCase(),
    ...username.toLowerCase().split('_'),
    local,
    domain,
    ...domain.split('.').slice(0, -1),
    ...local.split(/[._+-]/),
    name,
    name.replaceAll(/\s/g, ''),
    ...name.split(/[^\p{L}\p{N}]+/u),
    ...serviceWords,
  ];
  // The longest first: what is left of a password without a word is judged, and a part would leave more.
  return [...new Set(words)].filter((word) => codePoints(word) >= 3).toSorted((a, b) => b.length - a.length);
}

const serviceWords = ['social flow', 'social-flow', 'social_flow', 'socialflow'];

// Digits and signs people put in place of letters.
const substitutes: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '@': 'a',
  $: 's',
  '!': 'i',
};
const walks = [
  'abcdefghijklmnopqrstuvwxyz',
  '01234567890123456789',
  'qwertyuiopasdfghjklzxcvbnm',
  'qwertzuiopasdfghjklyxcvbnm',
  'azertyuiopqsdfghjklmwxcvbn',
  '1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p',
  'qazwsxedcrfvtgbyhnujmikolp',
  '1q2w3e4r5t6y7u8i9o0p',
  'q1w2e3r4t5y6u7i8o9p0',
];
const reversed = (text: string): string => [...text].toReversed().join('');
const allWalks = walks.flatMap((walk) => [walk, reversed(walk)]);

function isCommon(lower: string): boolean {
  if (commonPasswords.has(lower) || topPasswords().has(lower)) return true;
  if (/^(.{1,4}?)\1+$/su.test(lower)) return true;
  if (allWalks.some((walk) => walk.includes(lower))) return true;
  return [lower, unsubstituted(lower)].some(isDecoratedWord);
}

// A common word, perhaps twice, with up to six other characters around it.
function isDecoratedWord(text: string): boolean {
  const [, before = '', word = '', after = ''] = /^([^a-z]*)([a-z]+)([^a-z]*)$/.exec(text) ?? [];
  if (before.length + after.length > 6) return false;
  return commonWords.has(word) || commonPasswords.has(word) || topPasswords().has(word);
}

// Only within the letters: digits around a word are decoration and stay.
const unsubstituted = (text: string): string =>
  text.replace(/(?<=[a-z])[013457@$!]+(?=[a-z])|^[@$](?=[a-z])/g, (run) =>
    [...run].map((character) => substitutes[character] ?? character).join(''),
  );
