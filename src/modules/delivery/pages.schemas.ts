import { z } from '@hono/zod-openapi';
import { idSchema } from '../../http/params.ts';

export const embedParams = z.strictObject({ video_id: idSchema('video') });
export const feedParams = z.strictObject({ user_id: idSchema('user') });
export const playerFileParams = z.strictObject({
  script: z.enum(['chat.js', 'hls.js', 'player.js', 'watching.js']),
});

const pixels = z
  .string()
  .regex(/^[1-9]\d{0,4}$/, 'must be a whole number of pixels')
  .transform(Number)
  .optional();

export const oembedQuery = z.strictObject({
  url: z.url().max(2_048),
  format: z.enum(['json', 'xml']).default('json'),
  maxwidth: pixels,
  maxheight: pixels,
});

export const oembedSchema = z
  .object({
    version: z.literal('1.0'),
    type: z.literal('video'),
    title: z.string(),
    author_name: z.string(),
    author_url: z.url(),
    provider_name: z.string(),
    provider_url: z.url(),
    cache_age: z.int(),
    width: z.int(),
    height: z.int(),
    html: z.string(),
    thumbnail_url: z.url().optional(),
    thumbnail_width: z.int().optional(),
    thumbnail_height: z.int().optional(),
  })
  .openapi('OEmbed');
