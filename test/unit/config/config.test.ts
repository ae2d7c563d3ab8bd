import { describe, expect, it } from 'vitest';
import { ConfigError, parseConfig } from '../../../src/config/index.ts';
import { dataKey, development, key, production, random } from './environments.ts';

const namesRefused = (environment: Record<string, string>): string[] => {
  try {
    parseConfig(environment);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const problem of error.problems) expect(error.message).toContain(problem.env);
    return [...new Set(error.problems.map((problem) => problem.env))].sort();
  }
};

describe('social login', () => {
  it.each([
    ['OAUTH_STAND_IN_URL', 'https://oauth.social-flow.example'],
    ['OAUTH_RETURN_URLS', 'https://localhost/signed-in'],
    ['OAUTH_RETURN_URLS', 'http://app.social-flow.example/signed-in'],
  ])('is refused where it is deployed with %s=%s', (name, value) => {
    expect(namesRefused({ ...production, [name]: value })).toEqual([name]);
    expect(namesRefused({ ...development, [name]: value })).toEqual([]);
  });

  it.each([
    ['GOOGLE_CLIENT_ID', ['GOOGLE_CLIENT_SECRET']],
    ['FACEBOOK_APP_ID', ['FACEBOOK_APP_SECRET']],
    ['X_CLIENT_ID', ['X_CLIENT_SECRET']],
    ['GITHUB_CLIENT_ID', ['GITHUB_CLIENT_SECRET']],
    ['APPLE_CLIENT_ID', ['APPLE_KEY_ID', 'APPLE_PRIVATE_KEY', 'APPLE_TEAM_ID']],
  ])('by half of what a provider needs, %s alone, is refused everywhere', (name, missing) => {
    expect(namesRefused({ ...development, [name]: 'client-1' })).toEqual(missing);
  });
});

describe('parseConfig', () => {
  it('fills defaults and turns text into values', () => {
    const config = parseConfig({
      ...development,
      VIDEO_DAILY_UPLOADS: '7',
      CORS_ORIGINS: ' http://localhost:3000 , ',
    });
    expect(config.videos.dailyUploads).toBe(7);
    expect(config.auth.accessTokenTtlSeconds).toBe(1800);
    expect(config.http.corsOrigins).toEqual(['http://localhost:3000']);
    expect(config.database.shardUrls).toHaveLength(2);
  });

  it('reads origins as browsers send them', () => {
    const { http } = parseConfig({
      ...development,
      CORS_ORIGINS: 'https://App.example/,https://app.example:443,http://app.example:8080',
    });
    expect(http.corsOrigins).toEqual([
      'https://app.example',
      'https://app.example',
      'http://app.example:8080',
    ]);
  });

  it('reads earlier peppers by their version', () => {
    const { auth } = parseConfig({
      ...production,
      PASSWORD_PEPPER_VERSION: '3',
      OLD_PASSWORD_PEPPERS: JSON.stringify({ 1: random(8), 2: random(9) }),
    });
    expect(auth.passwordPepperVersion).toBe(3);
    expect([...auth.oldPasswordPeppers]).toEqual([
      [1, random(8)],
      [2, random(9)],
    ]);
  });

  it('names every missing setting at once', () => {
    expect(namesRefused({})).toEqual(
      [
        'ACCESS_TOKEN_KEYS',
        'AWS_ACCESS_KEY_ID',
        'AWS_SECRET_ACCESS_KEY',
        'AWS_WEBHOOK_SECRET',
        'CURSOR_SECRET',
        'DATABASE_REPLICA_URL',
        'DATABASE_SHARD_URLS',
        'DATABASE_URL',
        'DATA_ENCRYPTION_KEYS',
        'PASSWORD_PEPPER',
      ].sort(),
    );
  });

  it.each([
    ['VIDEO_DAILY_UPLOADS', '1.5'],
    ['VIDEO_DAILY_UPLOADS', '0'],
    ['VIDEO_DAILY_UPLOADS', ''],
    ['RATE_LIMITS_ENABLED', 'yes'],
    ['DATABASE_URL', 'mysql://x'],
    ['CDN_BASE_URL', 'media.example'],
    ['CDN_SIGNING_KEYS', '{}'],
    ['LIVE_PLAYBACK_KEY', 'MC4CAQAwBQYDK2VwBCIEIA=='],
    ['LIVE_RECORDING_CONFIGURATION_ARN', 'arn:aws:ivs:us-east-1:123456789012:channel/abc'],
    ['LIVE_CHANNEL_TYPES', 'STANDARD,HUGE'],
    ['CDN_COOKIE_DOMAIN', 'https://example.com'],
    ['CDN_DISTRIBUTION_ID', 'not one'],
    ['CORS_ORIGINS', 'not an origin'],
    ['CORS_ORIGINS', 'https://app.example/path'],
    ['PASSKEY_RP_ID', 'https://app.example'],
    ['PASSKEY_ORIGINS', ''],
    ['PASSKEY_ORIGINS', 'https://app.example/'],
    ['SHARD_SLOT_MAP', '0-479'],
    ['SHARD_SLOT_MAP', '0-478=0'],
    ['SHARD_SLOT_MAP', '0-479=0,9-10=1'],
    ['SHARD_SLOT_MAP', '0-479=2'],
    ['ACCESS_TOKEN_KEYS', JSON.stringify([{ ...key, x: 'too-short' }])],
    ['ACCESS_TOKEN_KEYS', JSON.stringify([key, key])],
    ['ACCESS_TOKEN_KEYS', '[]'],
    ['ACCESS_TOKEN_KEYS', '{'],
    ['DATA_ENCRYPTION_KEYS', '[]'],
    ['DATA_ENCRYPTION_KEYS', '{}'],
    ['DATA_ENCRYPTION_KEYS', JSON.stringify({ 1: 'AAAA' })],
    ['DATA_ENCRYPTION_KEYS', JSON.stringify({ 0: dataKey })],
    ['DATA_ENCRYPTION_KEYS', JSON.stringify({ 256: dataKey })],
    ['DATA_ENCRYPTION_KEYS', JSON.stringify({ one: dataKey })],
    ['DATA_ENCRYPTION_KEY_VERSION', '2'],
    ['OLD_PASSWORD_PEPPERS', '['],
    ['OLD_PASSWORD_PEPPERS', '[]'],
    ['OLD_PASSWORD_PEPPERS', JSON.stringify({ 0: random(9) })],
    ['OLD_PASSWORD_PEPPERS', JSON.stringify({ one: random(9) })],
    ['OLD_PASSWORD_PEPPERS', JSON.stringify({ 2: 'short' })],
    ['OLD_PASSWORD_PEPPERS', JSON.stringify({ 1: random(9) })],
    ['PASSWORD_PEPPER_VERSION', '0'],
    ['PASSWORD_RESET_TTL_SECONDS', '3600'],
    ['APP_BASE_URL', 'javascript:alert(1)'],
    ['EMAIL_FROM_ADDRESS', 'a@b.c\r\nBcc: x@y.z'],
    ['ENVIRONMENT', 'prod'],
  ])('refuses %s=%s and names it', (name, value) => {
    expect(namesRefused({ ...development, [name]: value })).toEqual([name]);
  });

  it('refuses a slot map that names more shards than there are', () => {
    expect(
      namesRefused({ ...development, DATABASE_SHARD_URLS: 'postgres://app:pw@127.0.0.1/shard_0' }),
    ).toEqual(['SHARD_SLOT_MAP']);
  });

  it('never repeats a secret in its message', () => {
    expect(() => parseConfig({ ...production, PASSWORD_PEPPER: 'change-me-hunter22' })).toThrowError(
      expect.objectContaining({ message: expect.not.stringContaining('hunter22') }),
    );
  });
});

describe('challenges', () => {
  const turnstile = {
    TURNSTILE_SITE_KEY: '0x4AAA',
    TURNSTILE_SECRET: '0x4BBB',
    TURNSTILE_HOSTNAMES: 'app.test',
  };
  const refused = (settings: Record<string, string>) => {
    try {
      parseConfig(settings);
    } catch (error) {
      return (error as ConfigError).message;
    }
    return undefined;
  };

  it('need a site key and a secret together', () => {
    expect(refused({ ...development, ...turnstile })).toBeUndefined();
    expect(refused({ ...development, TURNSTILE_SITE_KEY: '0x4AAA' })).toContain('TURNSTILE_SECRET');
    expect(refused({ ...development, TURNSTILE_SECRET: '0x4BBB' })).toContain('TURNSTILE_SITE_KEY');
  });

  it('need hosts, and no keys for testing, in production', () => {
    const live = { ...production, ...turnstile };
    expect(refused(live)).toBeUndefined();
    for (const [setting, value] of [
      ['TURNSTILE_SECRET', '1x0000000000000000000000000000000AA'],
      ['TURNSTILE_SITE_KEY', '3x00000000000000000000FF'],
      ['TURNSTILE_HOSTNAMES', ''],
      ['TURNSTILE_VERIFY_URL', 'http://challenges.example/siteverify'],
    ] as const)
      expect(refused({ ...live, [setting]: value }), setting).toContain(setting);
  });
});

describe('in production', () => {
  it('starts with public https addresses and strong secrets', () => {
    expect(namesRefused(production)).toEqual([]);
  });

  it.each([
    ['CURSOR_SECRET', 'short-but-16-long'],
    ['PASSWORD_PEPPER', 'change-me-change-me-change-me-change-me'],
    ['OLD_PASSWORD_PEPPERS', JSON.stringify({ 2: 'change-me-change-me-change-me-change-me' })],
    ['OLD_PASSWORD_PEPPERS', JSON.stringify({ 2: 'short-but-16-long' })],
    ['AWS_WEBHOOK_SECRET', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'],
    ['DATA_ENCRYPTION_KEYS', JSON.stringify({ 1: `${'A'.repeat(43)}=`, 2: dataKey })],
    ['DATABASE_URL', 'postgres://app:pw@localhost/social_flow'],
    [
      'DATABASE_SHARD_URLS',
      'postgres://app:pw@127.0.0.1/shard_0,postgres://app:pw@ep-d.eu-central-1.aws.neon.tech/shard_1',
    ],
    ['NEON_PROXY_URL', 'http://127.0.0.1:4480'],
    ['S3_ENDPOINT', 'http://localhost:9000'],
    ['S3_PUBLIC_ENDPOINT', 'http://s3.example.com'],
    ['MEDIACONVERT_ENDPOINT', 'http://127.0.0.1:9001'],
    ['CDN_BASE_URL', 'http://127.0.0.1:9002'],
    ['CDN_SIGNING_KEYS', '[]'],
    ['IVS_ENDPOINT', 'http://127.0.0.1:9001'],
    ['LIVE_PLAYBACK_KEY', ''],
    ['LIVE_RECORDING_CONFIGURATION_ARN', 'arn:aws:ivs:us-east-1:000000000000:recording-configuration/abc'],
    ['CLOUDFRONT_ENDPOINT', 'http://127.0.0.1:9001'],
    ['SES_ENDPOINT', 'http://127.0.0.1:9003'],
    ['APP_BASE_URL', 'http://127.0.0.1:9003/app'],
    ['EMAIL_FROM_ADDRESS', 'no-reply@social-flow.test'],
    ['BREACHED_PASSWORDS_URL', ''],
    ['BREACHED_PASSWORDS_URL', 'http://127.0.0.1:9005'],
    ['DOH_URL', 'http://127.0.0.1:9006/dns-query'],
    ['OUTBOUND_TRUSTED_HOSTS', '127.0.0.1'],
    ['TOKEN_ISSUER', 'http://api.example.com'],
    ['PASSKEY_RP_ID', 'localhost'],
    ['PASSKEY_RP_ID', '10.0.0.1'],
    ['PASSKEY_ORIGINS', 'http://app.social-flow.example'],
    ['PASSKEY_ORIGINS', 'https://app.social-flow.example,https://evil.example'],
    ['PASSKEY_ORIGINS', 'https://evilsocial-flow.example'],
    ['CORS_ORIGINS', '*'],
    ['CORS_ORIGINS', 'https://app.example.com,http://localhost:3000'],
    ['DEBUG_ERRORS', 'true'],
    ['LOG_LEVEL', 'debug'],
    ['RATE_LIMITS_ENABLED', 'false'],
    ['MEDIACONVERT_ROLE_ARN', 'arn:aws:iam::000000000000:role/Local'],
  ])('refuses %s=%s', (name, value) => {
    expect(namesRefused({ ...production, [name]: value })).toEqual([name]);
    expect(namesRefused({ ...production, ENVIRONMENT: 'staging', [name]: value })).toEqual([name]);
  });
});
