import { env } from 'cloudflare:workers';
import { scrypt } from 'node:crypto';
import { formatPasswordHash } from '../../../src/modules/auth/policy/password-hash.ts';
import { hmacSha256, randomBytes } from '../../../src/shared/crypto.ts';
import { testEnv } from '../../support/worker/env.ts';

/** A stored hash as an earlier release with cheaper parameters would have made it. */
export async function weakerHashOf(password: string): Promise<string> {
  const peppered = await hmacSha256(String(testEnv(env).PASSWORD_PEPPER), password);
  const salt = randomBytes(16);
  const key = await new Promise<Uint8Array>((resolve, reject) => {
    scrypt(peppered, salt, 32, { N: 2 ** 12, r: 8, p: 1, maxmem: 2 ** 26 }, (error, derived) =>
      error === null ? resolve(derived) : reject(error),
    );
  });
  return formatPasswordHash({ ln: 12, r: 8, p: 1, pepperVersion: 1, salt, key });
}
