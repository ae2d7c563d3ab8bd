import { z } from '@hono/zod-openapi';
import { emailSchema } from '../users/index.ts';
import { newPasswordSchema } from './auth.schemas.ts';

const linkToken = z
  .string()
  .min(1)
  .max(256)
  .openapi({ description: 'From the fragment of the link in the mail.' });

export const requestPasswordResetBody = z
  .strictObject({
    identifier: z.string().min(1).max(254).openapi({
      description: 'The username, or the verified e-mail address.',
      example: 'ada_lovelace',
    }),
  })
  .openapi('RequestPasswordReset');

export const confirmPasswordResetBody = z
  .strictObject({ token: linkToken, new_password: newPasswordSchema })
  .openapi('ConfirmPasswordReset');

export const confirmEmailBody = z.strictObject({ token: linkToken }).openapi('ConfirmEmail');

export const changeEmailBody = z.strictObject({ email: emailSchema }).openapi('ChangeEmail');
