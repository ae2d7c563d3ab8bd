import { z } from '@hono/zod-openapi';
import { pageOf } from '../../http/pagination.ts';
import { idSchema } from '../../http/params.ts';
import { plainText } from '../../shared/text.ts';
import { userSummarySchema } from '../users/index.ts';
import { accessFields, accessViewFields } from './access.schemas.ts';
import { detailFields, detailViewFields } from './details.schemas.ts';
import { extrasFields } from './extras.schemas.ts';

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

const addressSchema = z.url().nullable().openapi({
  description:
    'Answers with the query or the cookies of `POST /v1/videos/{id}/playback`, which strangers may ask, too.',
});

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
    thumbnail_url: z.url().nullable().openapi({
      description: 'Null where not everybody may look: `POST /v1/videos/{id}/playback` has it then.',
    }),
    hls_url: addressSchema,
    dash_url: addressSchema,
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

const failureSchema = z.object({
  code: z.string().openapi({ example: 'not_a_video' }),
  message: z.string(),
  retryable: z.boolean().openapi({ description: 'Whether `POST /v1/videos/{id}/retry` may help.' }),
});

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
      .openapi({ description: 'Of an import while it runs, then of the transcode; 100 once published.' }),
    phase: z
      .enum(['probing', 'transcoding', 'uploading'])
      .nullable()
      .openapi({ description: 'What the encoder is doing, while it runs.' }),
    failure: failureSchema.nullable(),
    replacement: z
      .object({
        upload_id: z.string().nullable(),
        state: z.enum(videoStates),
        progress_percent: z.int().min(0).max(100),
        failure: failureSchema.nullable(),
      })
      .nullable()
      .openapi({ description: 'The file that is to replace this one, for the owner only.' }),
    duration_seconds: z.number().nullable(),
    view_count: z.int().nonnegative(),
    width: z.int().nullable(),
    height: z.int().nullable(),
    renditions: z.array(renditionSchema),
    thumbnail_url: z.url().nullable().openapi({ description: 'The picture the video is shown by.' }),
    custom_thumbnail_url: z.url().nullable().openapi({ description: 'A picture its owner gave.' }),
    thumbnails: z.array(z.url()).openapi({ description: 'Stills of the film.' }),
    hls_url: addressSchema,
    dash_url: addressSchema,
    ...extrasFields,
    ...accessViewFields,
    ...detailViewFields,
    created_at: z.iso.datetime(),
    publish_at: z.iso
      .datetime()
      .nullable()
      .openapi({ description: 'When it is shown to others, if they have to wait for that.' }),
    published_at: z.iso.datetime().nullable(),
  })
  .openapi('Video');

export type VideoView = z.infer<typeof videoSchema>;

/** A moment with its offset, as RFC 3339 writes it. Whether it lies ahead is asked of the clock later. */
// In UTC and whole milliseconds: offsets and fractions may be longer than Postgres reads.
export const publishAtSchema = z.iso
  .datetime({ offset: true })
  .max(64)
  .transform((text) => new Date(text).toISOString())
  .openapi({
    type: 'string',
    format: 'date-time',
    description: 'Until then only the owner sees the video. At most a year ahead.',
    example: '2027-01-01T18:00:00Z',
  });

export const updateVideoBody = z
  .strictObject({
    title: titleSchema.optional(),
    description: descriptionSchema.optional(),
    visibility: visibilitySchema.optional(),
    ...accessFields,
    publish_at: publishAtSchema.nullable().optional(),
    ...detailFields,
  })
  .refine((body) => Object.keys(body).length > 0, 'must change at least one field')
  .openapi('UpdateVideo');

export type UpdateVideoInput = z.output<typeof updateVideoBody>;

export const videoParams = z.strictObject({ video_id: idSchema('video') });
export const videoPageSchema = pageOf(videoSchema).openapi('VideoPage');
