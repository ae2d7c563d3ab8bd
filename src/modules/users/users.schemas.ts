import { z } from '@hono/zod-openapi';
import { notFoundParam } from '../../http/validate.ts';
import { plainText } from '../../shared/text.ts';
import { normaliseWebsite, parseUserReference } from './users.policy.ts';

export const usernameSchema = z
  .string()
  .regex(/^[A-Za-z0-9_]{3,30}$/, 'must be 3 to 30 letters, digits or underscores')
  .openapi({ example: 'ada_lovelace' });

/** Kept as typed; compared without regard to case. Not an identity until verified. */
export const emailSchema = z.email().max(254).openapi({ example: 'ada@example.com' });

export const displayNameSchema = plainText({ min: 1, max: 50 });

const websiteSchema = z
  .string()
  .max(2_048)
  .transform((text, context) => {
    const website = normaliseWebsite(text);
    if (website !== undefined) return website;
    context.addIssue({ code: 'custom', message: 'must be an http or https URL without credentials' });
    return z.NEVER;
  })
  .openapi({ type: 'string', format: 'uri', maxLength: 2_048, example: 'https://example.com/' });

export const updateProfileBody = z
  .strictObject({
    display_name: displayNameSchema.optional(),
    bio: plainText({ min: 0, max: 500, multiline: true }).optional(),
    website: websiteSchema.nullable().optional(),
  })
  .refine((body) => Object.values(body).some((value) => value !== undefined), {
    message: 'must change something',
    when: ({ issues }) => issues.length === 0,
  })
  .openapi('UpdateProfile');

export const birthDateBody = z
  .strictObject({
    birth_date: z.iso.date().openapi({ example: '1990-12-31', description: 'Kept sealed and never shown.' }),
  })
  .openapi('BirthDate');

export const birthDateStatedSchema = z.object({ stated: z.boolean() }).openapi('BirthDateStated');

export const userReferenceParams = z.object({
  user: z
    .string()
    .transform((text, context) => {
      const reference = parseUserReference(text);
      if (reference !== undefined) return reference;
      context.addIssue({ code: 'custom', message: 'must be a username or a user id', params: notFoundParam });
      return z.NEVER;
    })
    .openapi({ type: 'string', example: 'ada_lovelace', param: { name: 'user', in: 'path' } }),
});

/** A user as shown beside what they made. */
export const userSummarySchema = z
  .object({
    id: z.string(),
    username: z.string(),
    display_name: z.string(),
    avatar_url: z.url().nullable(),
  })
  .openapi('UserSummary');

export type UserSummary = z.infer<typeof userSummarySchema>;

const countersSchema = z
  .object({ followers: z.int(), following: z.int(), posts: z.int() })
  .openapi('UserCounters');

const profileFields = {
  ...userSummarySchema.shape,
  bio: z.string(),
  website: z.url().nullable(),
  created_at: z.iso.datetime(),
  counters: countersSchema,
};

/** What anyone sees of a user. `viewer` is there for a signed-in caller. */
export const userProfileSchema = z
  .object({
    ...profileFields,
    viewer: z
      .object({
        is_following: z.boolean().openapi({ description: 'The caller follows this user.' }),
        followed_by: z.boolean().openapi({ description: 'This user follows the caller.' }),
        blocking: z.boolean().openapi({ description: 'The caller blocks this user.' }),
      })
      .optional(),
  })
  .openapi('UserProfile');

export type UserProfile = z.infer<typeof userProfileSchema>;

/** What users see of themselves. */
export const accountSchema = z
  .object({
    ...profileFields,
    email: z.string(),
    email_verified: z.boolean(),
    roles: z.array(z.string()),
    updated_at: z.iso.datetime(),
  })
  .openapi('Account');

export type Account = z.infer<typeof accountSchema>;
