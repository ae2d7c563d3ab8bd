import { z } from '@hono/zod-openapi';
import { idSchema } from '../../http/params.ts';
import { providerNames } from '../../integrations/oauth/index.ts';
import { challengeResponseSchema, mfaRequiredSchema, signedInSchema } from '../auth/index.ts';
import { displayNameSchema, emailSchema, usernameSchema } from '../users/index.ts';

const providerSchema = z.enum(providerNames).openapi('Provider');

export const providerParams = z.strictObject({
  provider: z.enum(providerNames).openapi({ param: { name: 'provider', in: 'path' } }),
});
export const identityParams = z.strictObject({ identity_id: idSchema('identity') });

export const providersSchema = z
  .object({ data: z.array(z.object({ provider: providerSchema, title: z.string() })) })
  .openapi('Providers');

export const startBody = z
  .strictObject({
    return_to: z.string().min(1).max(2_048).openapi({
      description: 'Where the browser goes afterwards: one of the addresses the service is configured with.',
      example: 'https://app.example.com/signed-in',
    }),
    code_challenge: z
      .string()
      .regex(/^[A-Za-z0-9_-]{43}$/, 'must be the SHA-256 of a verifier in base64url')
      .openapi({
        description:
          'BASE64URL(SHA-256(verifier)) of a random verifier that the client keeps and shows at the end (RFC 7636, S256).',
        example: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
      }),
  })
  .openapi('StartOAuth');

export const startedSchema = z
  .object({
    authorization_url: z.url().openapi({ description: 'Open this in the browser, as a page of its own.' }),
    expires_in: z.int().openapi({ description: 'Seconds the person has to come back.' }),
  })
  .openapi('OAuthStarted');

export const departQuery = z.object({ state: z.string().max(128).optional() });

// Providers send more, and may send more tomorrow.
export const callbackAnswer = z.object({
  state: z.string().max(128).optional(),
  code: z.string().max(4_096).optional(),
  error: z.string().max(256).optional(),
  iss: z.string().max(512).optional(),
  user: z.string().max(4_096).optional(),
});

const secret = z.string().min(1).max(128);

export const handoffBody = z
  .strictObject({
    handoff: secret.openapi({
      description: '`handoff` of the fragment of the return address. Works once, for 60 s.',
    }),
    code_verifier: z
      .string()
      .regex(/^[A-Za-z0-9._~-]{43,128}$/, 'must be 43 to 128 unreserved characters')
      .openapi({ description: 'The verifier `code_challenge` was made of.' }),
  })
  .openapi('OAuthHandoff');

export const registrationRequiredSchema = z
  .object({
    registration_required: z.literal(true),
    registration_token: z.string().openapi({ description: 'Goes to `POST /v1/auth/oauth/register`, once.' }),
    expires_in: z.int(),
    provider: providerSchema,
    suggested_username: z.string().nullable(),
    display_name: z.string().nullable(),
    email: z.string().nullable().openapi({
      description: 'As the provider gave it; when null, the registration must bring one.',
    }),
  })
  .openapi('RegistrationRequired');

export const completedSchema = z.union([signedInSchema, mfaRequiredSchema, registrationRequiredSchema]);

export const registerByProviderBody = z
  .strictObject({
    registration_token: secret,
    username: usernameSchema,
    email: emailSchema.optional(),
    display_name: displayNameSchema.optional(),
    challenge_response: challengeResponseSchema.optional(),
  })
  .openapi('RegisterByProvider');

export const identitySchema = z
  .object({
    id: z.string(),
    provider: providerSchema,
    email: z.string().nullable().openapi({ description: 'As the provider gave it when it was linked.' }),
    created_at: z.iso.datetime(),
    last_used_at: z.iso.datetime().nullable(),
  })
  .openapi('Identity');

export const identityListSchema = z
  .object({ data: z.array(identitySchema), next_cursor: z.null() })
  .openapi('IdentityList');

export const deletionAnswer = z
  .object({ url: z.url(), confirmation_code: z.string() })
  .openapi('DataDeletionTaken');
export const deletionParams = z.strictObject({ code: z.string().max(64) });
export const deletionStatus = z.object({ status: z.literal('completed') }).openapi('DataDeletionStatus');
