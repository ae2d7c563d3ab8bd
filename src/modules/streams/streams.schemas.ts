import { z } from '@hono/zod-openapi';
import { pageOf, pageQuery } from '../../http/pagination.ts';
import { idSchema } from '../../http/params.ts';
import { plainText } from '../../shared/text.ts';
import { userSummarySchema } from '../users/index.ts';

/** Announced and not canceled, of one channel. */
export const maxAnnounced = 200;

export const streamVisibilities = ['public', 'unlisted', 'private', 'followers', 'members'] as const;
export type StreamVisibility = (typeof streamVisibilities)[number];

const title = plainText({ min: 1, max: 150 });
const description = plainText({ min: 0, max: 5_000, multiline: true });
const visibility = z.enum(streamVisibilities);
// In UTC and whole milliseconds: offsets and fractions may be longer than Postgres reads.
const scheduledAt = z.iso
  .datetime({ offset: true })
  .max(64)
  .transform((text) => new Date(text).toISOString())
  .refine((text) => !text.startsWith('+'), 'must lie before the year 10000')
  .openapi({ type: 'string', format: 'date-time' })
  .nullable()
  .openapi({ description: 'When it is meant to begin; null: not said.' });

export const createStreamBody = z
  .strictObject({
    title,
    description: description.default(''),
    visibility: visibility.default('public'),
    scheduled_at: scheduledAt.default(null),
  })
  .openapi('CreateStream');

export const updateStreamBody = z
  .strictObject({
    title: title.optional(),
    description: description.optional(),
    visibility: visibility.optional(),
    scheduled_at: scheduledAt.optional(),
    clips_enabled: z
      .boolean()
      .optional()
      .openapi({ description: 'Whether viewers may cut clips out of it.' }),
  })
  .refine((body) => Object.keys(body).length > 0, 'must change at least one field')
  .openapi('UpdateStream');

export type StreamChanges = z.output<typeof updateStreamBody>;

export const streamParams = z.strictObject({ stream_id: idSchema('stream') });
export const streamOwnerParams = z.strictObject({ user_id: idSchema('user') });

export const streamSchema = z
  .object({
    id: z.string(),
    owner: userSummarySchema,
    title: z.string(),
    description: z.string(),
    visibility,
    state: z.enum(['scheduled', 'live', 'ended', 'failed', 'canceled']),
    scheduled_at: z.iso.datetime().nullable(),
    started_at: z.iso.datetime().nullable(),
    ended_at: z.iso.datetime().nullable(),
    reconnecting: z.boolean().openapi({
      description: 'It is live and its encoder is gone, but may come back soon.',
    }),
    viewers: z.int().openapi({ description: 'Who watch just now.' }),
    health: z.enum(['healthy', 'starving']).nullable().openapi({
      description: 'Starving: less comes from the encoder than viewers need.',
    }),
    video_id: z.string().nullable().openapi({ description: 'The video its recording became.' }),
    clips_enabled: z.boolean(),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .openapi('Stream');

export type StreamView = z.infer<typeof streamSchema>;

export const streamPageSchema = pageOf(streamSchema).openapi('StreamPage');
export const streamPositionSchema = z.uuid();

/** Streams that are live, the most watched first. */
export const directoryQuery = pageQuery;
export const directoryPositionSchema = z.strictObject({ viewers: z.int().min(0), id: z.uuid() });
