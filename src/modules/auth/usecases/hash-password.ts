import { scrypt, timingSafeEqual } from 'node:crypto';
import type { Config } from '../../../config/index.ts';
import { hmacSha256, randomBytes } from '../../../shared/crypto.ts';
import {
  currentCost,
  formatPasswordHash,
  isOutdated,
  type PasswordHash,
  parsePasswordHash,
  type ScryptParameters,
} from '../policy/password-hash.ts';
import { inHashLine } from './hash-line.ts';

type AuthConfig = Pick<
  Config['auth'],
  'passwordPepper' | 'passwordPepperVersion' | 'oldPasswordPeppers' | 'maxConcurrentHashes'
>;

const saltLength = 16;
const keyLength = 32;

// Hashed when there is no account or no usable hash, so that the answer takes as long as for a wrong password.
const nobody = (config: AuthConfig): PasswordHash => ({
  ...parametersOf(config),
  salt: new Uint8Array(saltLength),
  key: new Uint8Array(keyLength),
});

const parametersOf = (config: AuthConfig): ScryptParameters => ({
  ...currentCost,
  pepperVersion: config.passwordPepperVersion,
});

let started = 0;

/** How many password hashes this isolate has computed. */
export const passwordHashesStarted = (): number => started;

/**
 * Hashes a password for storing: scrypt (RFC 7914) over HMAC-SHA-256(pepper, password), in PHC string form.
 * @throws service.unavailable when too many hashes wait in this isolate.
 */
export async function hashPassword(config: AuthConfig, password: string): Promise<string> {
  const salt = randomBytes(saltLength);
  const parameters = parametersOf(config);
  const key = await derive(config, password, parameters, salt, keyLength);
  return formatPasswordHash({ ...parameters, salt, key });
}

export interface PasswordCheck {
  readonly matches: boolean;
  /** The stored hash lags behind what new ones use and should be replaced now that the password is at hand. */
  readonly outdated: boolean;
}

/**
 * Compares a password with a stored hash in constant time. Without a stored hash it does the same work and never matches.
 * @throws service.unavailable when too many hashes wait in this isolate.
 */
export async function verifyPassword(
  config: AuthConfig,
  password: string,
  stored: string | null | undefined,
): Promise<PasswordCheck> {
  const parsed = typeof stored === 'string' ? parsePasswordHash(stored) : undefined;
  const known = parsed !== undefined && pepperOf(config, parsed.pepperVersion) !== undefined;
  const hash = known ? parsed : nobody(config);
  const key = await derive(config, password, hash, hash.salt, hash.key.length);
  const matches = timingSafeEqual(key, hash.key) && known;
  return { matches, outdated: matches && isOutdated(hash, config.passwordPepperVersion) };
}

async function derive(
  config: AuthConfig,
  password: string,
  parameters: ScryptParameters,
  salt: Uint8Array,
  length: number,
): Promise<Uint8Array> {
  const pepper = pepperOf(config, parameters.pepperVersion);
  if (pepper === undefined) throw new RangeError('unknown pepper version');
  const peppered = await hmacSha256(pepper, password);
  return inHashLine(config.maxConcurrentHashes, () => {
    started += 1;
    return scryptKey(peppered, salt, length, parameters);
  });
}

const pepperOf = (config: AuthConfig, version: number): string | undefined =>
  version === config.passwordPepperVersion ? config.passwordPepper : config.oldPasswordPeppers.get(version);

const scryptKey = (
  password: Uint8Array,
  salt: Uint8Array,
  length: number,
  { ln, r, p }: ScryptParameters,
): Promise<Uint8Array> =>
  new Promise((resolve, reject) => {
    // Node's bound counts N*r*128 and a little more; the real bound is in `parsePasswordHash`.
    const options = { N: 2 ** ln, r, p, maxmem: 2 ** 26 };
    scrypt(password, salt, length, options, (error, key) => (error === null ? resolve(key) : reject(error)));
  });
