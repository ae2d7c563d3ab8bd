import { randomBytes } from 'node:crypto';
import type { Provisioned } from '../local-cloud/postgres/index.ts';
import { pullThreshold } from './world/people.ts';
import { slotMap } from './world/seed.ts';
import { type SigningKey, tokenRules } from './world/tokens.ts';

export const cdnBaseUrl = 'https://cdn.bench.test';
export const release = 'bench';

export type Settings = Readonly<Record<string, string>>;

/** Settings of our Worker: as in production, but for addresses, and for rate limits, which are measured apart. */
export function workerSettings(urls: Provisioned, key: SigningKey): Settings {
  const secret = (): string => randomBytes(33).toString('base64url');
  return {
    // Production refuses addresses of this machine and switched-off limits. Nothing else depends on the name.
    ENVIRONMENT: 'test',
    RELEASE: release,
    LOG_LEVEL: 'info',
    RATE_LIMITS_ENABLED: 'false',
    CURSOR_SECRET: secret(),
    PASSWORD_PEPPER: secret(),
    DATA_ENCRYPTION_KEYS: JSON.stringify({ 1: randomBytes(32).toString('base64') }),
    ACCESS_TOKEN_KEYS: JSON.stringify([key.privateJwk]),
    ACCESS_TOKEN_TTL_SECONDS: String(tokenRules.ttlSeconds),
    TOKEN_ISSUER: tokenRules.issuer,
    TOKEN_AUDIENCE: tokenRules.audience,
    AWS_ACCESS_KEY_ID: 'bench',
    AWS_SECRET_ACCESS_KEY: secret(),
    AWS_WEBHOOK_SECRET: secret(),
    CDN_BASE_URL: cdnBaseUrl,
    // Nothing but our own servers may answer while measuring.
    BREACHED_PASSWORDS_URL: '',
    DATABASE_URL: urls.primary.app,
    DATABASE_REPLICA_URL: urls.primary.replica,
    DATABASE_SHARD_URLS: urls.shards.map(({ app }) => app).join(','),
    SHARD_SLOT_MAP: slotMap,
    // Every statement waits when a core is kept full, and a log line about it would be measured too.
    DATABASE_SLOW_QUERY_MS: '60000',
    FEED_PULL_THRESHOLD: String(pullThreshold),
  };
}
