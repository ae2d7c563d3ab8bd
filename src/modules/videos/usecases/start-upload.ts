import type { RequestContext } from '../../../context.ts';
import { requireViewerId } from '../../../http/viewer.ts';
import { abortMultipartUpload, createMultipartUpload, isAwsError } from '../../../integrations/aws/index.ts';
import { isEnabled, loadFlags } from '../../../shared/flags/index.ts';
import type { DetailsInput } from '../details.schemas.ts';
import { contentTypes } from '../policy/containers.ts';
import { planParts } from '../policy/part-plan.ts';
import { titleOf } from '../policy/titles.ts';
import { quarantineKey } from '../policy/upload-keys.ts';
import {
  discardReservation,
  keepS3UploadId,
  type Quota,
  reserveUpload,
  type UploadRow,
} from '../uploads.repository.ts';
import {
  fileTooLarge,
  orUnavailable,
  quotaExceeded,
  uploadNotOpen,
  uploadsPaused,
} from '../videos.errors.ts';
import type { Visibility } from '../videos.schemas.ts';
import { maxSignedParts, type SignedPart, signPartUrls } from './part-urls.ts';
import { freeParts } from './settle-upload.ts';

export interface StartUploadInput {
  readonly fileName: string;
  readonly sizeBytes: number;
  readonly contentType: string;
  readonly title: string | undefined;
  readonly description: string | undefined;
  readonly visibility: Visibility | undefined;
  readonly details: DetailsInput;
}

/**
 * Begins an upload: the video exists from here on, its bytes go to S3 in parts by presigned URLs. Our row is written before
 * S3 is asked, so whatever S3 holds is known or found by its key when the upload expires.
 * @throws videos.uploads_paused, uploads.file_too_large, videos.quota_exceeded, service.unavailable
 */
export async function startUpload(
  ctx: RequestContext,
  input: StartUploadInput,
): Promise<{ readonly upload: UploadRow; readonly parts: readonly SignedPart[] }> {
  const ownerId = requireViewerId(ctx);
  const { videos: limits } = ctx.config;
  if (!isEnabled(await loadFlags(ctx), 'videoUploads', ownerId)) throw uploadsPaused();
  if (input.sizeBytes > limits.maxFileBytes)
    throw fileTooLarge({
      errors: [
        {
          pointer: '/size_bytes',
          code: 'too_large',
          message: `must be at most ${limits.maxFileBytes} bytes`,
        },
      ],
    });

  const videoId = ctx.ids.next();
  const uploadId = ctx.ids.next();
  const reservation = await reserveUpload(
    ctx.databases.primary,
    {
      id: uploadId,
      videoId,
      ownerId,
      fileName: input.fileName,
      contentType: input.contentType,
      sizeBytes: input.sizeBytes,
      ...planParts(input.sizeBytes),
      objectKey: quarantineKey(videoId, uploadId, contentTypes[input.contentType] ?? 'bin'),
      expiresAtMs: ctx.clock.now() + limits.uploadTtlSeconds * 1_000,
      title: input.title ?? titleOf(input.fileName),
      description: input.description ?? '',
      visibility: input.visibility ?? 'public',
      details: input.details,
    },
    limits,
  );
  if (reservation.kind === 'exceeded') throw overQuota(reservation.quota, reservation.retryAfterSeconds);
  // The request was made before, and its upload has ended since.
  if (reservation.upload.state !== 'open') throw uploadNotOpen();

  const upload = { ...reservation.upload, s3UploadId: await openInS3(ctx, reservation.upload) };
  const first = Array.from({ length: Math.min(upload.partCount, maxSignedParts) }, (_, index) => index + 1);
  return { upload, parts: await signPartUrls(ctx, upload, first) };
}

async function openInS3(ctx: RequestContext, upload: UploadRow): Promise<string> {
  if (upload.s3UploadId !== null) return upload.s3UploadId;
  const { aws } = ctx.config;
  const { primary } = ctx.databases;
  const target = { bucket: aws.uploadsBucket, key: upload.objectKey };
  let created: string;
  try {
    created = await orUnavailable(createMultipartUpload(aws, { ...target, contentType: upload.contentType }));
  } catch (error) {
    // S3 may have done it and only its answer was lost. Without the row nobody would find that, and not before the answer
    // goes out is it certain that no repeated request uses the same key. Where S3 stays away, its lifecycle rule remains.
    if (isUnknownOutcome(error)) await freeParts(ctx, upload).catch(() => undefined);
    await discardReservation(primary, upload.id);
    throw error;
  }
  const kept = await keepS3UploadId(primary, upload.id, created);
  if (kept !== created) await orUnavailable(abortMultipartUpload(aws, { ...target, uploadId: created }));
  if (kept === undefined) throw uploadNotOpen();
  return kept;
}

const isUnknownOutcome = (error: unknown): boolean => {
  const cause = error instanceof Error ? error.cause : undefined;
  return isAwsError(cause) && (cause.status === 0 || cause.status >= 500);
};

const quotaMessages: Readonly<Record<Quota, string>> = {
  open_uploads: 'Too many unfinished uploads: complete or abort one first.',
  daily_uploads: 'Too many uploads in 24 hours.',
  daily_bytes: 'Too many bytes in 24 hours.',
};

const overQuota = (quota: Quota, retryAfterSeconds: number | null) =>
  quotaExceeded({
    detail: quotaMessages[quota],
    errors: [
      {
        pointer: quota === 'daily_bytes' ? '/size_bytes' : '',
        code: quota,
        message: quotaMessages[quota],
      },
    ],
    headers: retryAfterSeconds === null ? {} : { 'retry-after': String(Math.max(1, retryAfterSeconds)) },
  });
