import { z } from '@hono/zod-openapi';
import { idSchema } from '../../http/params.ts';
import { accountSchema, displayNameSchema, emailSchema, usernameSchema } from '../users/index.ts';

// Taken exactly as received: not trimmed, not normalised (OWASP ASVS 6.2.8). Length and strength are judged by policy.
export const newPasswordSchema = z
  .string()
  .min(1)
  .max(1_024)
  .refine((text) => text.isWellFormed(), 'must be well-formed Unicode')
  .openapi({ format: 'password', minLength: 8, maxLength: 128, example: 'correct horse battery staple' });

export const challengeResponseSchema = z.string().min(1).max(2_048).openapi({
  description:
    'What the Turnstile widget gave, after an answer `auth.challenge_required` told its site key and action.',
});

export const registerBody = z
  .strictObject({
    username: usernameSchema,
    email: emailSchema,
    password: newPasswordSchema,
    display_name: displayNameSchema.optional(),
    challenge_response: challengeResponseSchema.optional(),
  })
  .openapi('Register');

export const loginBody = z
  .strictObject({
    identifier: z.string().min(1).max(254).openapi({
      description: 'The username, or the e-mail address once it is verified.',
      example: 'ada_lovelace',
    }),
    password: z.string().min(1).max(1_024).openapi({ format: 'password' }),
    challenge_response: challengeResponseSchema.optional(),
  })
  .openapi('Login');

export const refreshBody = z
  .strictObject({
    refresh_token: z
      .string()
      .min(1)
      .max(256)
      .optional()
      .openapi({ description: 'Left out by browser apps, whose cookie has it.', example: 'sfr_...' }),
  })
  .openapi('Refresh');

const tokenFields = {
  access_token: z.string(),
  token_type: z.literal('Bearer'),
  expires_in: z.int().openapi({ description: 'Seconds the access token is valid.' }),
  refresh_token: z.string(),
  refresh_expires_in: z.int().openapi({
    description: 'Seconds the refresh token is valid. Each works once; its answer holds the next.',
  }),
};

// What browser apps get in cookie mode: the tokens are in cookies only.
const cookieFields = {
  token_type: z.literal('Cookie'),
  expires_in: tokenFields.expires_in,
  refresh_expires_in: tokenFields.refresh_expires_in,
};

export const tokensSchema = z.union([
  z.object(tokenFields).openapi('Tokens'),
  z.object(cookieFields).openapi('CookieTokens'),
]);

export const signedInSchema = z.union([
  z.object({ user: accountSchema, ...tokenFields }).openapi('SignedIn'),
  z.object({ user: accountSchema, ...cookieFields }).openapi('CookieSignedIn'),
]);

export const sessionParams = z.strictObject({ session_id: idSchema('session') });

export const sessionSchema = z
  .object({
    id: z.string(),
    device_name: z.string().openapi({
      description: 'What the client called itself at login; its claim, not a proof.',
      example: 'Firefox on Linux',
    }),
    country: z.string().nullable().openapi({
      description: 'Two-letter code of where it was last used; null when unknown.',
      example: 'PT',
    }),
    created_at: z.iso.datetime(),
    last_used_at: z.iso.datetime().openapi({ description: 'When its tokens were last refreshed.' }),
    expires_at: z.iso.datetime().openapi({ description: 'When it ends however often it is refreshed.' }),
    current: z
      .boolean()
      .openapi({ description: 'Whether the access token of this request is of this session.' }),
  })
  .openapi('Session');

export const sessionListSchema = z
  .object({
    data: z.array(sessionSchema),
    next_cursor: z.null().openapi({ description: 'Always null: all sessions are on one page.' }),
  })
  .openapi('SessionList');

export const jwksSchema = z
  .object({
    keys: z.array(
      z.object({
        kty: z.literal('OKP'),
        crv: z.literal('Ed25519'),
        kid: z.string(),
        x: z.string(),
        alg: z.literal('EdDSA'),
        use: z.literal('sig'),
      }),
    ),
  })
  .openapi('JsonWebKeySet');
