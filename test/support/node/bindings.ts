import { generateKeyPairSync, randomBytes } from 'node:crypto';

const { privateKey } = generateKeyPairSync('ed25519');
const signingKeys = JSON.stringify([{ ...privateKey.export({ format: 'jwk' }), kid: 'test-1' }]);
const random = (length: number): string => randomBytes(length).toString('base64url');

// The same in the process that starts the stand-in and in those that run the Worker.
export const smsAccount = { accountSid: `AC${'5'.repeat(32)}`, authToken: 'sms-token-of-the-tests' };

/** What the test environment provides outside the Worker. */
export interface TestEndpoints {
  readonly neonBridgeUrl: string;
  readonly s3Url: string;
  readonly mediaConvertUrl: string;
  readonly cdnUrl: string;
  readonly cdnSigningKeys: string;
  /** Settings for IVS, which answers where MediaConvert does. */
  readonly liveSettings: Readonly<Record<string, string>>;
  readonly smsUrl: string;
  readonly mailUrl: string;
  readonly breachedPasswordsUrl: string;
  readonly awsAccessKeyId: string;
  readonly awsSecretAccessKey: string;
  /** Clients of the OAuth stand-ins, and where those answer. */
  readonly oauthSettings: Readonly<Record<string, string>>;
}

/** Settings of the Worker under test. The database URLs are placeholders: every test file gets its own (worker/setup.ts). */
export function testBindings(endpoints: TestEndpoints): Record<string, string> {
  const settings = settingsFor(endpoints);
  return { ...settings, TEST_SETTINGS: Object.keys(settings).join(',') };
}

const settingsFor = (endpoints: TestEndpoints): Record<string, string> => ({
  ENVIRONMENT: 'test',
  LOG_LEVEL: 'silent',
  CURSOR_SECRET: random(33),
  PASSWORD_PEPPER: random(33),
  ACCESS_TOKEN_KEYS: signingKeys,
  DATA_ENCRYPTION_KEYS: JSON.stringify({ 1: randomBytes(32).toString('base64') }),
  TOKEN_ISSUER: 'https://api.test',
  AWS_WEBHOOK_SECRET: random(33),
  AWS_ACCESS_KEY_ID: endpoints.awsAccessKeyId,
  AWS_SECRET_ACCESS_KEY: endpoints.awsSecretAccessKey,
  S3_ENDPOINT: endpoints.s3Url,
  S3_PUBLIC_ENDPOINT: endpoints.s3Url,
  MEDIACONVERT_ENDPOINT: endpoints.mediaConvertUrl,
  GUARDDUTY_ENDPOINT: endpoints.mediaConvertUrl,
  IVS_ENDPOINT: endpoints.mediaConvertUrl,
  ...endpoints.liveSettings,
  SES_ENDPOINT: endpoints.mailUrl,
  BREACHED_PASSWORDS_URL: endpoints.breachedPasswordsUrl,
  APP_BASE_URL: 'https://app.test',
  CDN_BASE_URL: endpoints.cdnUrl,
  CDN_SIGNING_KEYS: endpoints.cdnSigningKeys,
  CDN_DISTRIBUTION_ID: 'ETESTDISTRIBUTION',
  CLOUDFRONT_ENDPOINT: endpoints.mediaConvertUrl,
  SMS_API_URL: endpoints.smsUrl,
  SMS_ACCOUNT_SID: smsAccount.accountSid,
  SMS_AUTH_TOKEN: smsAccount.authToken,
  SMS_SENDER: '+15005550006',
  ...endpoints.oauthSettings,
  OAUTH_RETURN_URLS: 'https://app.test/signed-in,com.example.app:/signed-in',
  OAUTH_TIMEOUT_MS: '1500',
  // One creator of a test file publishes many films whose encodes nobody reports the end of.
  ENCODES_PER_OWNER: '100',
  NEON_PROXY_URL: endpoints.neonBridgeUrl,
  DATABASE_URL: 'postgres://unset:unset@db.test/unset',
  DATABASE_REPLICA_URL: 'postgres://unset:unset@db.test/unset',
  DATABASE_SHARD_URLS: 'postgres://unset:unset@db.test/unset,postgres://unset:unset@db.test/unset',
});
