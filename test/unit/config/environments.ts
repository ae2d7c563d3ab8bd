export const random = (seed: number): string =>
  Array.from(
    { length: 44 },
    (_, index) => 'abcdefghjkmnpqrstuvwxyz23456789'[(index * 7 + seed * 13) % 31],
  ).join('');

export const key = { kty: 'OKP', crv: 'Ed25519', kid: 'k1', x: 'a'.repeat(43), d: 'b'.repeat(43) };

export const dataKey = btoa(
  String.fromCharCode(...Array.from({ length: 32 }, (_, index) => (index * 37) % 256)),
);

/** Settings a development deployment starts with. */
export const development = {
  ENVIRONMENT: 'development',
  CURSOR_SECRET: random(1),
  PASSWORD_PEPPER: random(2),
  AWS_WEBHOOK_SECRET: random(3),
  AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE',
  AWS_SECRET_ACCESS_KEY: random(4),
  ACCESS_TOKEN_KEYS: JSON.stringify([key]),
  DATA_ENCRYPTION_KEYS: JSON.stringify({ 1: dataKey }),
  DATABASE_URL: 'postgres://app:pw@127.0.0.1/social_flow',
  DATABASE_REPLICA_URL: 'postgres://replica:pw@127.0.0.1/social_flow',
  DATABASE_SHARD_URLS: 'postgres://app:pw@127.0.0.1/shard_0,postgres://app:pw@127.0.0.1/shard_1',
};

export const production = {
  ...development,
  ENVIRONMENT: 'production',
  DATABASE_URL: 'postgres://app:pw@ep-a.eu-central-1.aws.neon.tech/social_flow',
  DATABASE_REPLICA_URL: 'postgres://replica:pw@ep-b.eu-central-1.aws.neon.tech/social_flow',
  DATABASE_SHARD_URLS:
    'postgres://app:pw@ep-c.eu-central-1.aws.neon.tech/shard_0,postgres://app:pw@ep-d.eu-central-1.aws.neon.tech/shard_1',
  TOKEN_ISSUER: 'https://api.social-flow.example',
  PASSKEY_RP_ID: 'social-flow.example',
  PASSKEY_ORIGINS: 'https://app.social-flow.example',
  CDN_BASE_URL: 'https://media.social-flow.example',
  LIVE_PLAYBACK_KEY: `MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDD${'A'.repeat(196)}`,
  CDN_SIGNING_KEYS: JSON.stringify([
    { id: 'K2JCJMDEHXQW5F', key: `MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg${'A'.repeat(80)}` },
  ]),
  CORS_ORIGINS: 'https://app.social-flow.example',
  EMAIL_FROM_ADDRESS: 'no-reply@social-flow.dev',
  APP_BASE_URL: 'https://app.social-flow.example',
  MEDIACONVERT_ROLE_ARN: 'arn:aws:iam::123456789012:role/SocialFlowMediaConvert',
  MEDIACONVERT_QUEUE_ARN: 'arn:aws:mediaconvert:eu-central-1:123456789012:queues/Default',
};
