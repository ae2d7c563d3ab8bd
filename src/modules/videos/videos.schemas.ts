import { z } from '@hono/zod-openapi';
import { pageOf } from '../../http/pagination.ts';
import { idSchema } from '../../http/params.ts';
import { plainText } from '../../shared/text.ts';
import { userSummarySchema } from '../users/index.ts';
import { detailFields, detailViewFields } from './details.schemas.ts';

export const videoStates = [
  'uploading',
  'scanning',
  'probing',
  'transcoding',
  'published',
  'failed',
] as const;
export type VideoState = (typeof videoStates)[number];

export const visibilities = ['public', 'unlisted', 'private', 'followers', 'members'] as const;
export type Visibility = (typeof visibilities)[number];

export const titleSchema = plainText({ min: 1, max: 200 });
export const descriptionSchema = plainText({ min: 0, max: 5_000, multiline: true });
export const visibilitySchema = z.enum(visibilities);

/** A video as shown beside the post it is attached to. */
export const videoSummarySchema = z
  .object({
    id: z.string(),
    title: z.string(),
    state: z.enum(videoStates),
    duration_seconds: z.number().nullable(),
    view_count: z.int().nonnegative(),
    width: z.int().nullable(),
    height: z.int().nullable(),
    thumbnail_url: z.url().nullable(),
    hls_url: z.url().nullable(),
    dash_url: z.url().nullable(),
  })
  .openapi('VideoSummary');

export type VideoSummary = z.infer<typeof videoSummarySchema>;

export const renditionSchema = z
  .object({
    name: z.string().openapi({ example: '720p' }),
    width: z.int(),
    height: z.int(),
    max_bitrate: z.int().openapi({ description: 'Bits per second.' }),
  })
  .openapi('Rendition');

export const videoSchema = z
  .object({
    id: z.string(),
    owner: userSummarySchema,
    title: z.string(),
    description: z.string(),
    visibility: visibilitySchema,
    state: z.enum(videoStates),
    progress_percent: z
      .int()
      .min(0)
      .max(100)
      .openapi({ description: 'Of the transcode; 100 once published.' }),
    phase: z
      .enum(['probing', 'transcoding', 'uploading'])
      .nullable()
      .openapi({ description: 'What the encoder is doing, while it runs.' }),
    failure: z
      .object({
        code: z.string().openapi({ example: 'not_a_video' }),
        message: z.string(),
        retryable: z.boolean().openapi({ description: 'Whether `POST /v1/videos/{id}/retry` may help.' }),
      })
      .nullable(),
    duration_seconds: z.number().nullable(),
    view_count: z.int().nonnegative(),
    width: z.int().nullable(),
    height: z.int().nullable(),
    renditions: z.array(renditionSchema),
    thumbnails: z.array(z.url()),
    hls_url: z.url().nullable(),
    dash_url: z.url().nullable(),
    ...detailViewFields,
    created_at: z.iso.datetime(),
    published_at: z.iso.datetime().nullable(),
  })
  .openapi('Video');

export type VideoView = z.infer<typeof videoSchema>;

export const updateVideoBody = z
  .strictObject({
    title: titleSchema.optional(),
    description: descriptionSchema.optional(),
    visibility: visibilitySchema.optional(),
    ...detailFields,
  })
  .refine((body) => Object.keys(body).length > 0, 'must change at least one field')
  .openapi('UpdateVideo');

export type UpdateVideoInput = z.output<typeof updateVideoBody>;

export const videoParams = z.strictObject({ video_id: idSchema('video') });
export const videoPageSchema = pageOf(videoSchema).openapi('VideoPage');
