import { z } from 'zod';
import { list } from './fields.ts';
import { defineSection } from './section.ts';

// As browsers write it into the client data: scheme, host and port, no slash. Android apps name the hash of their signing key.
const origin = z.union([
  z
    .url({ protocol: /^https?$/ })
    .refine(
      (text) => URL.canParse(text) && new URL(text).origin === text,
      'must be an origin, without a path',
    ),
  z.string().regex(/^android:apk-key-hash:[A-Za-z0-9_-]{43}$/),
]);

export const passkeysSection = defineSection('Passkeys', {
  rpId: {
    env: 'PASSKEY_RP_ID',
    schema: z
      .string()
      .max(253)
      .regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/, 'must be a domain name in lower case'),
    default: 'localhost',
    doc: 'The domain passkeys belong to: that of the web application or a registrable parent of it. Changing it makes every passkey useless.',
  },
  rpName: {
    env: 'PASSKEY_RP_NAME',
    schema: z.string().min(1).max(64),
    default: 'Social Flow',
    doc: 'What authenticators call this service.',
  },
  origins: {
    env: 'PASSKEY_ORIGINS',
    schema: list().pipe(z.array(origin).min(1).max(20)),
    default: 'http://localhost:3000,http://localhost:8787',
    doc: 'Origins whose pages may use passkeys: `https://` with the host `PASSKEY_RP_ID` or below it, or `android:apk-key-hash:` of an app.',
  },
});
