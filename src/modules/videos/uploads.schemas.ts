import { z } from '@hono/zod-openapi';
import { idSchema } from '../../http/params.ts';
import { plainText } from '../../shared/text.ts';
import { detailFields } from './details.schemas.ts';
import { contentTypes } from './policy/containers.ts';
import { maxPartCount } from './policy/part-plan.ts';
import { maxSignedParts } from './usecases/part-urls.ts';
import { descriptionSchema, publishAtSchema, titleSchema, visibilitySchema } from './videos.schemas.ts';

const maxSizeBytes = 1_099_511_627_776;

const announcedFile = {
  file_name: plainText({ min: 1, max: 255 }),
  size_bytes: z.int().min(1).max(maxSizeBytes).openapi({ description: 'Exact size of the file.' }),
  content_type: z
    .string()
    .max(100)
    .transform((type) => type.toLowerCase())
    .refine((type) => Object.hasOwn(contentTypes, type), 'must be the type of a film or sound file we accept')
    .openapi({ type: 'string', enum: Object.keys(contentTypes), example: 'video/mp4' }),
};

export const startReplacementBody = z.strictObject(announcedFile).openapi('StartReplacement');

export const startUploadBody = z
  .strictObject({
    ...announcedFile,
    title: titleSchema
      .optional()
      .openapi({ description: 'The file name without its extension when omitted.' }),
    description: descriptionSchema.optional(),
    visibility: visibilitySchema.optional().openapi({ description: '`public` when omitted.' }),
    publish_at: publishAtSchema.optional(),
    ...detailFields,
  })
  .openapi('StartUpload');

export const importVideoBody = z
  .strictObject({
    url: z
      .string()
      .min(1)
      .max(2_048)
      .openapi({ format: 'uri', example: 'https://files.example.com/film.mp4' }),
    title: titleSchema
      .optional()
      .openapi({ description: 'The last part of the address without its extension when omitted.' }),
    description: descriptionSchema.optional(),
    visibility: visibilitySchema.optional().openapi({ description: '`public` when omitted.' }),
    publish_at: publishAtSchema.optional(),
    ...detailFields,
  })
  .openapi('ImportVideo');

const partNumber = z.int().min(1).max(maxPartCount);

export const signPartsBody = z
  .strictObject({
    part_numbers: z
      .array(partNumber)
      .min(1)
      .max(maxSignedParts)
      .refine((numbers) => new Set(numbers).size === numbers.length, 'must not name a part twice'),
  })
  .openapi('SignParts');

const sentPart = z.strictObject({
  part_number: partNumber,
  etag: z
    .string()
    .regex(/^"?[0-9A-Za-z+/=-]{16,128}"?$/, 'must be the ETag header S3 answered to the part')
    .openapi({ example: '"9b2cf535f27731c974343645a3985328"' }),
});

export const acknowledgePartsBody = z
  .strictObject({
    parts: z
      .array(sentPart)
      .min(1)
      .max(maxSignedParts)
      .refine(
        (parts) => new Set(parts.map((part) => part.part_number)).size === parts.length,
        'must not name a part twice',
      ),
  })
  .openapi('AcknowledgeParts');

export const uploadProgressSchema = z
  .object({
    held_bytes: z.int().openapi({ description: 'Of the parts you told of.' }),
    percent: z.int().min(0).max(100),
    confirmed_percent: z
      .int()
      .openapi({ description: 'The last of 25, 50, 75 and 100 that the storage has confirmed; 0 before.' }),
  })
  .openapi('UploadProgress');

export const completeUploadBody = z
  .strictObject({
    parts: z.array(sentPart).min(1).max(maxPartCount).optional().openapi({
      description:
        'Every part once, by ascending number. When omitted, the parts that have arrived are taken; lists of several thousand do not fit a body.',
    }),
  })
  .openapi('CompleteUpload');

export const uploadParams = z.strictObject({ upload_id: idSchema('upload') });

export const partUrlSchema = z
  .object({
    part_number: partNumber,
    url: z.url().openapi({ description: 'PUT the bytes of this part here.' }),
    headers: z.record(z.string(), z.string()).openapi({
      description:
        'Part of the signature: the request must carry exactly these. HTTP clients set Content-Length themselves.',
    }),
    size_bytes: z.int(),
    expires_at: z.iso.datetime(),
  })
  .openapi('PartUrl');

export const heldPartSchema = z
  .object({ part_number: partNumber, size_bytes: z.int(), etag: z.string() })
  .openapi('HeldPart');

const uploadFields = {
  id: z.string(),
  video_id: z.string(),
  state: z.enum(['open', 'completing', 'completed', 'aborted', 'expired']),
  file_name: z.string(),
  content_type: z.string(),
  size_bytes: z.int(),
  part_size_bytes: z.int().openapi({ description: 'Size of every part but the last.' }),
  part_count: z.int(),
  expires_at: z.iso.datetime(),
};

export const uploadSchema = z.object(uploadFields).openapi('Upload');
export const startedUploadSchema = z
  .object({
    ...uploadFields,
    parts: z
      .array(partUrlSchema)
      .openapi({ description: `The first ${maxSignedParts} parts; ask for the others by number.` }),
  })
  .openapi('StartedUpload');
export const resumableUploadSchema = z
  .object({
    ...uploadFields,
    held_parts: z
      .array(heldPartSchema)
      .openapi({ description: 'Parts that need not be sent again. Empty once the upload has ended.' }),
    held_bytes: z.int(),
  })
  .openapi('ResumableUpload');
const quota = z.object({ limit: z.int(), used: z.int(), remaining: z.int() });

export const uploadLimitsSchema = z
  .object({
    can_upload: z.boolean(),
    reason: z
      .enum(['uploads_paused', 'open_uploads', 'daily_uploads', 'daily_bytes', 'stored_bytes'])
      .nullable()
      .openapi({ description: 'Why not even a small file could be uploaded now.' }),
    max_file_bytes: z.int(),
    max_duration_seconds: z.int(),
    open_uploads: quota,
    daily_uploads: quota,
    daily_bytes: quota,
    stored_bytes: quota.openapi({ description: 'Originals, unfinished uploads included.' }),
    daily_resets_at: z.iso
      .datetime()
      .nullable()
      .openapi({ description: 'When the oldest upload of the last 24 hours counts no more.' }),
  })
  .openapi('UploadLimits');

export const partUrlsSchema = z.object({ parts: z.array(partUrlSchema) });

export type UploadView = z.infer<typeof uploadSchema>;
export type PartUrlView = z.infer<typeof partUrlSchema>;
export type HeldPartView = z.infer<typeof heldPartSchema>;
export type UploadLimitsView = z.infer<typeof uploadLimitsSchema>;
