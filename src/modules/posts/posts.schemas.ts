import { z } from '@hono/zod-openapi';
import { pageOf } from '../../http/pagination.ts';
import { idSchema } from '../../http/params.ts';
import { isBlank, plainText } from '../../shared/text.ts';
import { userSummarySchema } from '../users/index.ts';
import { videoSummarySchema } from '../videos/index.ts';

export const postParams = z.object({ post_id: idSchema('post') });
export const authorParams = z.object({ user_id: idSchema('user') });

export const createPostBody = z
  .strictObject({
    text: plainText({ min: 0, max: 2_000, multiline: true }).default(''),
    video_id: idSchema('video').nullable().optional().openapi({
      description: 'A published video of your own to attach. With it, the text may be empty.',
    }),
  })
  .refine(({ text, video_id }) => (video_id ?? null) !== null || !isBlank(text), {
    path: ['text'],
    message: 'must have something to read unless a video is attached',
  })
  .openapi('CreatePost');

const range = {
  byte_start: z.int().min(0).openapi({ description: 'First byte in the UTF-8 of the text.' }),
  byte_end: z.int().min(1).openapi({ description: 'One past the last byte.' }),
};

export const facetSchema = z
  .discriminatedUnion('type', [
    z.object({ type: z.literal('mention'), ...range, user_id: z.string() }),
    z.object({
      type: z.literal('hashtag'),
      ...range,
      tag: z.string().openapi({ description: 'NFKC and case-folded, without the #.' }),
    }),
    z.object({ type: z.literal('link'), ...range, url: z.string() }),
  ])
  .openapi('Facet');

export type FacetView = z.infer<typeof facetSchema>;

export const postSchema = z
  .object({
    id: z.string(),
    author: userSummarySchema,
    text: z.string(),
    facets: z.array(facetSchema),
    video: videoSummarySchema.nullable(),
    like_count: z.int(),
    liked: z.boolean().openapi({ description: 'The caller likes this post.' }),
    created_at: z.iso.datetime(),
  })
  .openapi('Post');

export type PostView = z.infer<typeof postSchema>;

export const likeSchema = z.object({ liked: z.boolean(), like_count: z.int() }).openapi('Like');

export const postPageSchema = pageOf(postSchema).openapi('PostPage');
export const postPositionSchema = z.uuid();
