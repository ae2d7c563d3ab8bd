import { z } from '@hono/zod-openapi';

export const totpCodeSchema = z
  .string()
  .regex(/^\d{6}$/, 'must be six digits')
  .openapi({ description: 'The code the authenticator app shows.', example: '492039' });

export const backupCodeSchema = z
  .string()
  .min(1)
  .max(64)
  .openapi({ description: 'A backup code that was not used yet.', example: '3k9f-0tqx-7hm2-c4dz-81ye-vb6n' });

export const smsCodeSchema = z
  .string()
  .regex(/^\d{6}$/, 'must be six digits')
  .openapi({ description: 'The code that came by SMS.', example: '731904' });

export const setPhoneBody = z
  .strictObject({
    number: z
      .string()
      .regex(/^\+[1-9]\d{6,14}$/, 'must be a number as +351912345678 (E.164)')
      .openapi({ example: '+351912345678' }),
  })
  .openapi('SetPhone');

export const confirmPhoneBody = z.strictObject({ code: smsCodeSchema }).openapi('ConfirmPhone');

export const sentCodeSchema = z
  .object({
    expires_in: z.int().openapi({ description: 'Seconds the code is valid.' }),
    last_digits: z.string().openapi({ description: 'The end of the number it went to.', example: '78' }),
  })
  .openapi('SentCode');

export const confirmTotpBody = z.strictObject({ code: totpCodeSchema }).openapi('ConfirmTotp');

export const factorsSchema = z
  .object({
    totp: z.object({ confirmed_at: z.iso.datetime() }).nullable(),
    phone: z
      .object({ last_digits: z.string(), verified_at: z.iso.datetime() })
      .nullable()
      .openapi({ description: 'The number that gets codes by SMS.' }),
    backup_codes_left: z.int(),
  })
  .openapi('Factors');

export const totpEnrolmentSchema = z
  .object({
    secret: z.string().openapi({ description: 'The seed in base32, for typing it into the app.' }),
    otpauth_uri: z.string().openapi({ description: 'The same as an `otpauth://` address, for a QR code.' }),
    qr_svg: z.string().openapi({ description: 'That QR code as an SVG image.' }),
    expires_in: z.int().openapi({ description: 'Seconds within which a code must confirm it.' }),
  })
  .openapi('TotpEnrolment');

export const newBackupCodesSchema = z
  .object({
    backup_codes: z
      .array(z.string())
      .length(10)
      .openapi({ description: 'Each works once in place of a code of the app. Never shown again.' }),
  })
  .openapi('BackupCodes');
