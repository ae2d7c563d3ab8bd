import { z } from 'zod';
import { integer } from './fields.ts';
import { defineSection } from './section.ts';

// 32 bytes in base64url (RFC 8037 §2).
const keyBytes = z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'must be 32 bytes in base64url');

const ed25519PrivateJwk = z.object({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  kid: z.string().min(1).max(64),
  x: keyBytes,
  d: keyBytes,
});

export const signingKeysSchema = z
  .string()
  .transform((text, context) => {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      context.addIssue({ code: 'custom', message: 'must be a JSON array of Ed25519 private JWKs' });
      return z.NEVER;
    }
  })
  .pipe(
    z
      .array(ed25519PrivateJwk)
      .min(1)
      .max(2)
      .refine((keys) => new Set(keys.map(({ kid }) => kid)).size === keys.length, 'must differ in `kid`'),
  );

const oldPeppersSchema = z
  .string()
  .transform((text, context) => {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      context.addIssue({ code: 'custom', message: 'must be a JSON object of peppers by version' });
      return z.NEVER;
    }
  })
  .pipe(
    z.record(
      z.string().regex(/^[1-9]\d{0,2}$/),
      z.string().min(16).max(256),
      'must be an object of peppers by version',
    ),
  )
  .transform(
    (peppers): ReadonlyMap<number, string> =>
      new Map(Object.entries(peppers).map(([version, pepper]) => [Number(version), pepper])),
  );

export const authSection = defineSection('Authentication', {
  issuer: {
    env: 'TOKEN_ISSUER',
    schema: z.url(),
    default: 'http://127.0.0.1:8787',
    doc: '`iss` of access tokens: the public address of the API.',
  },
  audience: {
    env: 'TOKEN_AUDIENCE',
    schema: z.string().min(1).max(128),
    default: 'social-flow',
    doc: '`aud` of access tokens.',
  },
  signingKeys: {
    env: 'ACCESS_TOKEN_KEYS',
    schema: signingKeysSchema,
    doc: 'JSON array of one or two Ed25519 private JWKs with `kid`. The first signs, all verify, so keys rotate without logging anyone out.',
    secret: true,
  },
  accessTokenTtlSeconds: {
    env: 'ACCESS_TOKEN_TTL_SECONDS',
    schema: integer(60, 3_600),
    default: '1800',
    unit: 'seconds',
    doc: 'Life of an access token.',
  },
  refreshTokenTtlSeconds: {
    env: 'REFRESH_TOKEN_TTL_SECONDS',
    schema: integer(3_600, 2_592_000),
    default: '604800',
    unit: 'seconds',
    doc: 'Sliding life of a refresh token; every use starts it anew.',
  },
  sessionMaxSeconds: {
    env: 'SESSION_MAX_SECONDS',
    schema: integer(3_600, 31_536_000),
    default: '7776000',
    unit: 'seconds',
    doc: 'Absolute life of a session, however often it is refreshed.',
  },
  refreshReplaySeconds: {
    env: 'REFRESH_REPLAY_SECONDS',
    schema: integer(0, 60),
    default: '30',
    unit: 'seconds',
    doc: 'How long after an exchange the old refresh token gets the same new pair again, for clients that lost the answer.',
  },
  maxSessionsPerUser: {
    env: 'MAX_SESSIONS_PER_USER',
    schema: integer(1, 100),
    default: '20',
    doc: 'Sessions a user may have at once; a login beyond that ends the one used longest ago.',
  },
  passwordPepper: {
    env: 'PASSWORD_PEPPER',
    schema: z.string().min(16).max(256),
    doc: 'Secret mixed into every password before hashing (HMAC-SHA-256). Losing it locks every account.',
    secret: true,
  },
  passwordPepperVersion: {
    env: 'PASSWORD_PEPPER_VERSION',
    schema: integer(1, 999),
    default: '1',
    doc: 'Version of `PASSWORD_PEPPER`, stored in each hash. Raise it with every new pepper; never use a number twice.',
  },
  oldPasswordPeppers: {
    env: 'OLD_PASSWORD_PEPPERS',
    schema: oldPeppersSchema,
    default: '{}',
    doc: 'JSON object of earlier peppers by version, as `{"1":"..."}`. They still verify passwords; each login replaces the hash by one of the current version. A pepper must stay until no hash of its version is left.',
    secret: true,
  },
  emailTokenTtlSeconds: {
    env: 'EMAIL_TOKEN_TTL_SECONDS',
    schema: integer(600, 604_800),
    default: '86400',
    unit: 'seconds',
    doc: 'Life of a link that verifies an e-mail address, from when its mail is sent.',
  },
  passwordResetTtlSeconds: {
    env: 'PASSWORD_RESET_TTL_SECONDS',
    schema: integer(300, 1_800),
    default: '600',
    unit: 'seconds',
    doc: 'Life of a link that resets a password, from when its mail is sent (OWASP ASVS 6.5.5: at most 10 minutes).',
  },
  maxConcurrentHashes: {
    env: 'MAX_CONCURRENT_PASSWORD_HASHES',
    schema: integer(1, 3),
    default: '2',
    doc: 'Password hashes running at once in one isolate. Each takes 32 MiB of the 128 MB an isolate has.',
  },
});
