import { z } from '@hono/zod-openapi';
import { pageOf } from '../../http/pagination.ts';
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
const scheduledAt = z.iso
  .datetime({ offset: true })
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
    state: z.enum(['scheduled', 'canceled']),
    scheduled_at: z.iso.datetime().nullable(),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .openapi('Stream');

export type StreamView = z.infer<typeof streamSchema>;

export const streamPageSchema = pageOf(streamSchema).openapi('StreamPage');
export const streamPositionSchema = z.uuid();
