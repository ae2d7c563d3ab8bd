import type { ProviderProfile } from '../../integrations/oauth/index.ts';
import { codePoints, isBlank } from '../../shared/text.ts';
import { isReservedUsername } from '../users/index.ts';

const minUsernameLength = 3;
const maxUsernameLength = 30;
const maxDisplayNameLength = 50;

/** Life of a trip to the provider, which may include typing a password and a code there. */
export const flowSeconds = 600;
/** Life of the code that brings the client back, where the provider's own code lives as long. */
export const handoffSeconds = 60;
/** Time to choose a username in. */
export const registrationSeconds = 900;
/** A login the provider dates earlier than this is no fresh one. */
export const freshLoginSeconds = 300;

/** How a login by a provider is called in `amr`: RFC 8176 has no word, this is the one others use. */
export const federated = 'fed';

/** Usernames to suggest to a newcomer, the nicest first. `random` makes them free where the nicest are taken. */
export function usernameSuggestions(
  profile: Pick<ProviderProfile, 'username' | 'name' | 'email'>,
  random: Uint8Array,
): string[] {
  const bases = [profile.username, profile.email?.split('@')[0]?.split('+')[0], profile.name]
    .map((text) => plainUsername(text ?? ''))
    .filter((name) => name.length >= minUsernameLength);
  const base = bases[0] ?? 'viewer';
  const numbers = [...random].map((byte, index) => String(byte * 7 ** index).slice(0, 6));
  const numbered = numbers.map(
    (number) => `${base.slice(0, maxUsernameLength - number.length - 1)}_${number}`,
  );
  return [...new Set([...bases, ...numbered])].filter((name) => !isReservedUsername(name));
}

const plainUsername = (text: string): string =>
  text
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/[^A-Za-z0-9_]+/g, '_')
    .replaceAll(/^_+|_+$/g, '')
    .slice(0, maxUsernameLength);

/** A name as the provider has it, if it may stand here. */
export function displayNameOf(name: string | undefined): string | undefined {
  const tidy = name
    ?.normalize('NFC')
    .replaceAll(/[\p{Cc}\u202d\u202e\ufeff]+/gu, ' ')
    .trim();
  if (tidy === undefined || !tidy.isWellFormed() || isBlank(tidy)) return undefined;
  return codePoints(tidy) <= maxDisplayNameLength
    ? tidy
    : [...tidy].slice(0, maxDisplayNameLength).join('').trim();
}
