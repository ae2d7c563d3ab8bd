import { z } from '@hono/zod-openapi';
import { idSchema } from '../../http/params.ts';
import { plainText } from '../../shared/text.ts';
import { algorithms } from './passkeys.policy.ts';

const base64url = (maxBytes: number) =>
  z
    .string()
    .min(1)
    .max(Math.ceil((maxBytes * 4) / 3))
    .regex(/^[A-Za-z0-9_-]+$/, 'must be base64url without padding');

// WebAuthn L3 §4: a credential id has at most 1,023 bytes.
const credentialId = base64url(1_023);
const challengeToken = z
  .string()
  .min(1)
  .max(2_048)
  .openapi({ description: 'The `challenge_token` that came with the options.' });
const clientDataJSON = base64url(4_096);

const credentialFields = {
  id: credentialId,
  rawId: credentialId,
  type: z.literal('public-key'),
};

const nameSchema = plainText({ min: 1, max: 64 }).openapi({ example: 'Phone' });

// Browsers add members to these as the standard grows: what is not known is left out, not refused.
const registrationCredential = z
  .object({
    ...credentialFields,
    response: z.object({
      clientDataJSON,
      attestationObject: base64url(16_384),
      transports: z
        .array(z.string().regex(/^[a-z-]{1,32}$/))
        .max(10)
        .optional(),
    }),
  })
  .openapi('RegistrationCredential', {
    description: 'What `toJSON()` of the browser’s credential gives (WebAuthn `RegistrationResponseJSON`).',
  });

const assertionCredential = z
  .object({
    ...credentialFields,
    response: z.object({
      clientDataJSON,
      authenticatorData: base64url(4_096),
      signature: base64url(1_024),
      userHandle: z.union([base64url(64), z.literal('')]).nullish(),
    }),
  })
  .openapi('AssertionCredential', {
    description: 'What `toJSON()` of the browser’s credential gives (WebAuthn `AuthenticationResponseJSON`).',
  });

export const registerPasskeyBody = z
  .strictObject({
    challenge_token: challengeToken,
    credential: registrationCredential,
    name: nameSchema.optional(),
  })
  .openapi('RegisterPasskey');

export const renamePasskeyBody = z.strictObject({ name: nameSchema }).openapi('RenamePasskey');

const mfaToken = z.string().min(1).max(2_048);

export const assertionBody = z
  .strictObject({ challenge_token: challengeToken, credential: assertionCredential })
  .openapi('PasskeyAssertion');

export const startPasskeyFactorBody = z.strictObject({ mfa_token: mfaToken }).openapi('StartPasskeyFactor');

export const finishPasskeyFactorBody = z
  .strictObject({ mfa_token: mfaToken, challenge_token: challengeToken, credential: assertionCredential })
  .openapi('FinishPasskeyFactor');

export const passkeyParams = z.strictObject({ passkey_id: idSchema('passkey') });

export const passkeySchema = z
  .object({
    id: z.string(),
    name: z.string(),
    synced: z.boolean().openapi({
      description: 'Whether it may be on several devices; if not, it is lost with its device.',
    }),
    backed_up: z.boolean().openapi({ description: 'Whether it was on other devices, too, when last used.' }),
    transports: z.array(z.string()),
    aaguid: z
      .string()
      .nullable()
      .openapi({ description: 'The model of the authenticator, if it said; its claim, not a proof.' }),
    created_at: z.iso.datetime(),
    last_used_at: z.iso.datetime().nullable(),
  })
  .openapi('Passkey');

export const passkeyListSchema = z
  .object({
    data: z.array(passkeySchema),
    next_cursor: z.null().openapi({ description: 'Always null: all passkeys are on one page.' }),
  })
  .openapi('PasskeyList');

export const registeredPasskeySchema = z
  .object({
    passkey: passkeySchema,
    backup_codes: z
      .array(z.string())
      .length(10)
      .nullable()
      .openapi({ description: 'With the first second factor of an account only. Never shown again.' }),
  })
  .openapi('RegisteredPasskey');

const descriptor = z.object({
  type: z.literal('public-key'),
  id: z.string(),
  transports: z.array(z.string()),
});

const optionFields = {
  challenge_token: z.string().openapi({ description: 'Goes back with the credential.' }),
  expires_in: z.int().openapi({ description: 'Seconds within which the challenge must be answered.' }),
};

export const registrationOptionsSchema = z
  .object({
    ...optionFields,
    public_key: z
      .object({
        rp: z.object({ id: z.string(), name: z.string() }),
        user: z.object({ id: z.string(), name: z.string(), displayName: z.string() }),
        challenge: z.string(),
        pubKeyCredParams: z.array(z.object({ type: z.literal('public-key'), alg: z.literal(algorithms) })),
        timeout: z.int(),
        excludeCredentials: z.array(descriptor),
        authenticatorSelection: z.object({
          residentKey: z.literal('required'),
          requireResidentKey: z.literal(true),
          userVerification: z.literal('required'),
        }),
        attestation: z.literal('none'),
      })
      .openapi({ description: 'For `PublicKeyCredential.parseCreationOptionsFromJSON()`.' }),
  })
  .openapi('PasskeyRegistrationOptions');

export const assertionOptionsSchema = z
  .object({
    ...optionFields,
    public_key: z
      .object({
        challenge: z.string(),
        timeout: z.int(),
        rpId: z.string(),
        allowCredentials: z.array(descriptor),
        userVerification: z.literal('required'),
      })
      .openapi({ description: 'For `PublicKeyCredential.parseRequestOptionsFromJSON()`.' }),
  })
  .openapi('PasskeyAssertionOptions');
