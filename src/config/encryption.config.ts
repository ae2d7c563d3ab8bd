import { z } from 'zod';
import { integer } from './fields.ts';
import { defineSection } from './section.ts';

const keyLength = 32;

const keyBytes = z
  .string()
  .regex(/^[A-Za-z0-9+/]{43}=$/, 'each key must be 32 bytes in base64')
  .transform((text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0)))
  .refine((bytes) => bytes.length === keyLength, 'each key must be 32 bytes in base64');

const keysSchema = z
  .string()
  .transform((text, context) => {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      context.addIssue({ code: 'custom', message: 'must be a JSON object of keys by version' });
      return z.NEVER;
    }
  })
  .pipe(z.record(z.string().regex(/^[1-9]\d{0,2}$/), keyBytes, 'must be an object of keys by version'))
  .transform((keys) => new Map(Object.entries(keys).map(([version, key]) => [Number(version), key])))
  .refine((keys) => keys.size > 0, 'must hold a key')
  .refine((keys) => [...keys.keys()].every((version) => version <= 255), 'versions go from 1 to 255');

export const encryptionSection = defineSection('Data encryption', {
  keys: {
    env: 'DATA_ENCRYPTION_KEYS',
    schema: keysSchema,
    doc: 'JSON object of AES-256 keys in base64 by version, as `{"1":"..."}`, for secrets kept in the database. A key must stay until nothing sealed under it is left.',
    secret: true,
  },
  currentVersion: {
    env: 'DATA_ENCRYPTION_KEY_VERSION',
    schema: integer(1, 255),
    default: '1',
    doc: 'Version of the key that seals new values; all open old ones.',
  },
});
