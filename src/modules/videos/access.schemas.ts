import { z } from '@hono/zod-openapi';
import { normaliseDomain } from './policy/embed-domains.ts';

const country = z
  .string()
  .regex(/^[A-Z]{2}$/, 'must be an ISO 3166-1 alpha-2 code in capitals')
  .refine((code) => code !== 'XX', 'XX is no country');

const domain = z
  .string()
  .max(300)
  .transform((text, context) => {
    const normal = normaliseDomain(text);
    if (normal !== undefined) return normal;
    context.addIssue({ code: 'custom', message: 'must be a domain name, without scheme, port or path' });
    return z.NEVER;
  })
  .openapi({ type: 'string', maxLength: 300, example: 'example.com' });

const distinct = <T>(items: readonly T[]): T[] => [...new Set(items)];

const geoSchema = z
  .strictObject({
    mode: z.enum(['allow', 'deny']),
    countries: z.array(country).min(1).max(250).transform(distinct),
  })
  .openapi('GeoRule');

const embedSchema = z
  .strictObject({
    mode: z.enum(['anywhere', 'nowhere', 'listed']),
    domains: z.array(domain).max(50).transform(distinct).default([]),
  })
  .refine(({ mode, domains }) => (mode === 'listed') === domains.length > 0, {
    message: 'domains are given with the mode `listed`, and only with it',
    path: ['domains'],
  })
  .openapi('EmbedRule');

/** What an owner may say about who plays a video. */
export const accessFields = {
  password: z
    .string()
    .min(4)
    .max(128)
    .refine((text) => text.isWellFormed() && !text.includes('\0'), 'must be well-formed Unicode')
    .nullable()
    .optional()
    .openapi({ description: 'Asked for before the video plays. Null takes it away. Never shown again.' }),
  age_restricted: z.boolean().optional().openapi({ description: 'For people who have stated to be 18.' }),
  geo: geoSchema.nullable().optional().openapi({
    description:
      'Where it plays. Where the country of a viewer is not known, an `allow` list refuses. Null: everywhere.',
  }),
  embed: embedSchema.optional().openapi({
    description: 'In whose pages the player may stand; a domain stands for those below it, too.',
  }),
};

export const accessBody = z.object(accessFields);
export type AccessChanges = z.output<typeof accessBody>;

/** What a video page says about it. */
export const accessViewFields = {
  password_protected: z.boolean(),
  age_restricted: z.boolean(),
  embeddable: z.boolean(),
  access: z
    .object({
      geo: z.object({ mode: z.enum(['allow', 'deny']), countries: z.array(z.string()) }).nullable(),
      embed: z.object({ mode: z.enum(['anywhere', 'nowhere', 'listed']), domains: z.array(z.string()) }),
    })
    .nullable()
    .openapi({ description: 'For the owner only.' }),
};
