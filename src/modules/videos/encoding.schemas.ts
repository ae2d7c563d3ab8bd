import { z } from '@hono/zod-openapi';
import { idSchema } from '../../http/params.ts';
import { plainText } from '../../shared/text.ts';
import { captionKind, captionsFields } from './extras.schemas.ts';
import { jobKinds } from './policy/encode-plan.ts';
import { jobStates } from './policy/encode-state.ts';
import { corners } from './policy/plan-pictures.ts';
import { descriptionSchema, titleSchema, visibilitySchema } from './videos.schemas.ts';

// Language, script, region, variants (RFC 5646); extensions say nothing about captions.
const tagForm = /^[a-z]{2,3}(?:-[a-z]{4})?(?:-(?:[a-z]{2}|\d{3}))?(?:-(?:[a-z\d]{5,8}|\d[a-z\d]{3}))*$/i;

/** A BCP 47 tag, in its canonical form. */
export const languageTag = z
  .string()
  .max(35)
  .regex(tagForm, 'must be a BCP 47 language tag')
  .transform((tag, context) => {
    try {
      return Intl.getCanonicalLocales(tag)[0] ?? tag;
    } catch {
      context.addIssue({ code: 'custom', message: 'must be a BCP 47 language tag' });
      return z.NEVER;
    }
  })
  .openapi({ type: 'string', example: 'pt-BR' });

export const captionsParams = z.strictObject({ video_id: idSchema('video'), language: languageTag });

const maxTextLength = 220_000;

export const putCaptionsBody = z
  .strictObject({
    label: plainText({ min: 1, max: 60 }).openapi({ example: 'Português (Brasil)' }),
    kind: captionKind.default('subtitles'),
    text: z
      .string()
      .max(maxTextLength)
      .optional()
      .openapi({ description: 'WebVTT or SubRip. Larger files are sent as a side file.' }),
    file_id: idSchema('sideFile').optional(),
  })
  .refine(
    (body) => (body.text === undefined) !== (body.file_id === undefined),
    'needs either text or file_id',
  )
  .openapi('PutCaptions');

export const captionsSchema = z
  .object({
    ...captionsFields,
    cue_count: z.int(),
    size_bytes: z.int(),
    updated_at: z.iso.datetime(),
    text: z.string().nullable().openapi({ description: 'For the owner, when one track is asked for.' }),
  })
  .openapi('Captions');

export const captionsListSchema = z.object({ data: z.array(captionsSchema) }).openapi('CaptionsList');

export const startSideFileBody = z
  .strictObject({
    purpose: z.enum(['captions', 'watermark', 'emote', 'animated_emote']),
    size_bytes: z.int().min(1).max(2_097_152),
  })
  .openapi('StartSideFile');

export const sideFileSchema = z
  .object({
    id: z.string(),
    url: z.url().openapi({ description: 'PUT the file here.' }),
    headers: z.record(z.string(), z.string()).openapi({
      description: 'Part of the signature: the request must carry exactly these.',
    }),
    expires_at: z.iso.datetime(),
  })
  .openapi('SideFile');

const placement = {
  corner: z.enum(corners).default('bottom_right'),
  opacity_percent: z.int().min(1).max(100).default(60),
  width_percent: z.int().min(1).max(50).default(12).openapi({ description: 'Of the width of the picture.' }),
};

export const putWatermarkBody = z
  .strictObject({
    file_id: idSchema('sideFile')
      .optional()
      .openapi({ description: 'The PNG; omitted to keep the one there is.' }),
    ...placement,
  })
  .openapi('PutWatermark');

export const watermarkSchema = z
  .object({
    width: z.int(),
    height: z.int(),
    corner: z.enum(corners),
    opacity_percent: z.int(),
    width_percent: z.int(),
  })
  .openapi('Watermark');

const maxClipMs = 172_800_000;

export const createClipBody = z
  .strictObject({
    start_ms: z.int().min(0).max(maxClipMs),
    end_ms: z.int().min(1).max(maxClipMs),
    title: titleSchema.optional().openapi({ description: 'That of the video when omitted.' }),
    description: descriptionSchema.optional(),
    visibility: visibilitySchema.optional().openapi({ description: 'That of the video when omitted.' }),
  })
  .openapi('CreateClip');

export const changeEncodingBody = z
  .strictObject({
    downloads_enabled: z.boolean().optional(),
    burn_in_captions: languageTag.nullable().optional().openapi({
      description: 'Captions in this language are drawn into the picture. Until the film is converted.',
    }),
  })
  .refine((body) => Object.keys(body).length > 0, 'must change at least one field')
  .openapi('ChangeEncoding');

const money = z
  .string()
  .regex(/^\d+$/)
  .openapi({ example: '61500', description: 'Millionths of the currency.' });

export const encodingSchema = z
  .object({
    downloads_enabled: z.boolean(),
    burn_in_captions: z.string().nullable(),
    cost_micros: money.openapi({ description: 'Of all jobs: what they did cost, else what they will.' }),
    currency: z.string().nullable(),
    jobs: z.array(
      z.object({
        id: z.string(),
        kind: z.enum(jobKinds),
        revision: z.int(),
        attempt: z.int(),
        state: z.enum(jobStates),
        percent: z.int(),
        queue_position: z.int().nullable().openapi({
          description: 'Jobs of anybody’s that are due before it, plus one, while it is `queued`.',
        }),
        acceleration: z.object({ asked: z.boolean(), status: z.string().nullable() }),
        lane: z.enum(['standard', 'priority']),
        burned_in: z.string().nullable(),
        watermarked: z.boolean(),
        estimated_cost_micros: money.nullable(),
        actual_cost_micros: money.nullable(),
        currency: z.string().nullable(),
        created_at: z.iso.datetime(),
        started_at: z.iso.datetime().nullable(),
        finished_at: z.iso.datetime().nullable(),
      }),
    ),
  })
  .openapi('VideoEncoding');
