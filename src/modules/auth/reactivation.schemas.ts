import { z } from '@hono/zod-openapi';
import { backupCodeSchema, totpCodeSchema } from '../factors/index.ts';
import { challengeResponseSchema } from './auth.schemas.ts';

export const reactivateBody = z
  .strictObject({
    identifier: z.string().min(1).max(254).openapi({
      description: 'The username, or the e-mail address once it is verified.',
      example: 'ada_lovelace',
    }),
    password: z.string().min(1).max(1_024).openapi({ format: 'password' }),
    code: totpCodeSchema.optional(),
    backup_code: backupCodeSchema.optional(),
    challenge_response: challengeResponseSchema.optional(),
  })
  .refine((body) => body.code === undefined || body.backup_code === undefined, {
    message: 'give either code or backup_code',
    when: ({ issues }) => issues.length === 0,
  })
  .openapi('Reactivate');

export const reactivatedSchema = z
  .object({ status: z.literal('active'), deletion_cancelled: z.boolean() })
  .openapi('Reactivated');
