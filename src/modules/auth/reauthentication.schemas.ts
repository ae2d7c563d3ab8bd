import { z } from '@hono/zod-openapi';
import { backupCodeSchema, smsCodeSchema, totpCodeSchema } from '../factors/index.ts';
import { newPasswordSchema } from './auth.schemas.ts';

const presentedPassword = z.string().min(1).max(1_024).openapi({ format: 'password' });

const oneCode = {
  code: totpCodeSchema.optional(),
  backup_code: backupCodeSchema.optional(),
  sms_code: smsCodeSchema.optional(),
};

const codesIn = (body: { readonly [K in keyof typeof oneCode]?: string | undefined }): number =>
  [body.code, body.backup_code, body.sms_code].filter((code) => code !== undefined).length;

export const finishLoginBody = z
  .strictObject({ mfa_token: z.string().min(1).max(2_048), ...oneCode })
  .refine((body) => codesIn(body) === 1, {
    message: 'give one of code, backup_code and sms_code',
    when: ({ issues }) => issues.length === 0,
  })
  .openapi('FinishLogin');

export const loginCodeBody = z
  .strictObject({ mfa_token: z.string().min(1).max(2_048) })
  .openapi('SendLoginCode');

export const stepUpBody = z
  .strictObject({ password: presentedPassword.optional(), ...oneCode })
  .refine((body) => codesIn(body) <= 1, {
    message: 'give one of code, backup_code and sms_code',
    when: ({ issues }) => issues.length === 0,
  })
  .refine((body) => Object.values(body).some((value) => value !== undefined), {
    message: 'give a password or a code',
    when: ({ issues }) => issues.length === 0,
  })
  .openapi('StepUp');

export const changePasswordBody = z
  .strictObject({
    current_password: presentedPassword
      .optional()
      .openapi({ description: 'Left out only by accounts that have no password yet.' }),
    new_password: newPasswordSchema,
  })
  .openapi('ChangePassword');

export const mfaRequiredSchema = z
  .object({
    mfa_required: z.literal(true),
    mfa_token: z.string().openapi({
      description:
        'Goes to `POST /v1/auth/mfa` with a code, or to `POST /v1/auth/passkeys/mfa/options`, once, from the network that logged in.',
    }),
    expires_in: z.int().openapi({ description: 'Seconds the `mfa_token` is valid.' }),
    factors: z.array(z.enum(['totp', 'passkey', 'sms', 'backup_code'])),
  })
  .openapi('MfaRequired');

export const accessTokenSchema = z.union([
  z
    .object({ access_token: z.string(), token_type: z.literal('Bearer'), expires_in: z.int() })
    .openapi('AccessToken'),
  z.object({ token_type: z.literal('Cookie'), expires_in: z.int() }).openapi('CookieAccessToken'),
]);
