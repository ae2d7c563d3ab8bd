import { signingKeysSchema } from '../src/config/auth.config.ts';
import { loadEnvironment } from './lib/environment.ts';
import { RotationRefused, rotateKeys } from './lib/signing-keys.ts';

const usage = `Usage: node scripts/rotate-keys.ts [--force]
Reads ACCESS_TOKEN_KEYS and ACCESS_TOKEN_TTL_SECONDS from the environment or .dev.vars and prints the new value of
ACCESS_TOKEN_KEYS: a new key that signs, then the one that signed until now. Refuses to drop a key whose tokens may
still live, unless --force. It changes nothing itself; to put the value to use:
  ACCESS_TOKEN_KEYS="..." npm run -s keys:rotate | npx wrangler secret put ACCESS_TOKEN_KEYS --env production`;

const defaultTtlSeconds = '1800';

const options = process.argv.slice(2);
if (options.some((option) => option !== '--force')) {
  console.error(usage);
  process.exit(2);
}
const environment = loadEnvironment();
const keys = signingKeysSchema.safeParse(environment.ACCESS_TOKEN_KEYS ?? '');
const tokenTtlSeconds = Number(environment.ACCESS_TOKEN_TTL_SECONDS ?? defaultTtlSeconds);
if (!keys.success || !(tokenTtlSeconds > 0)) {
  console.error('ACCESS_TOKEN_KEYS must be a JSON array of one or two Ed25519 private JWKs.');
  console.error(usage);
  process.exit(2);
}
try {
  const rotated = rotateKeys(keys.data, {
    nowMs: Date.now(),
    tokenTtlSeconds,
    force: options.includes('--force'),
  });
  console.log(JSON.stringify(rotated));
} catch (error) {
  if (!(error instanceof RotationRefused)) throw error;
  console.error(`${error.message} With --force it goes anyway, and its tokens with it.`);
  process.exit(1);
}
