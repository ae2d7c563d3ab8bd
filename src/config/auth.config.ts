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

const dataKey = z
  .base64()
  .transform((text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0)))
  .refine((key) => key.length === 32, 'must be 32 bytes in base64');

const dataEncryptionKeysSchema = z
  .string()
  .transform((text, context) => {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      context.addIssue({ code: 'custom', message: 'must be a JSON object of base64 keys by version' });
      return z.NEVER;
    }
  })
  .pipe(z.record(z.string().regex(/^[1-9]\d{0,2}$/, 'versions are 1 to 255'), dataKey))
  .transform(
    (keys) =>
      new Map(Object.entries(keys).map(([version, key]) => [Number(version), key])) as ReadonlyMap<
        number,
        Uint8Array
      >,
  )
  .refine((keys) => keys.size > 0, 'must hold at least one key')
  .refine((keys) => [...keys.keys()].every((version) => version <= 255), 'versions are 1 to 255');

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
  passwordPepper: {
    env: 'PASSWORD_PEPPER',
    schema: z.string().min(16).max(256),
    doc: 'Secret mixed into every password before hashing (HMAC-SHA-256). Losing it locks every account.',
    secret: true,
  },
  dataEncryptionKeys: {
    env: 'DATA_ENCRYPTION_KEYS',
    schema: dataEncryptionKeysSchema,
    doc: 'JSON object of AES-256 keys (base64 of 32 bytes) by version, as `{"1": "..."}`. The highest version encrypts, all decrypt. Losing one loses what it encrypted.',
    secret: true,
  },
  maxConcurrentHashes: {
    env: 'MAX_CONCURRENT_PASSWORD_HASHES',
    schema: integer(1, 3),
    default: '2',
    doc: 'Password hashes running at once in one isolate. Each takes 32 MiB of the 128 MB an isolate has.',
  },
});
