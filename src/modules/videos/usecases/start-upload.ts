import type { RequestContext } from '../../../context.ts';
import { newEvent } from '../../../db/outbox.ts';
import { requireViewerId } from '../../../http/viewer.ts';
import { isEnabled, loadFlags } from '../../../shared/flags/index.ts';
import type { DetailsInput } from '../details.schemas.ts';
import { contentTypes } from '../policy/containers.ts';
import { planParts } from '../policy/part-plan.ts';
import { titleOf } from '../policy/titles.ts';
import { quarantineKey } from '../policy/upload-keys.ts';
import { type NewUpload, type Quota, reserveUpload } from '../upload-reservations.repository.ts';
import type { UploadRow } from '../uploads.repository.ts';
import {
  alreadyReplacing,
  fileTooLarge,
  quotaExceeded,
  uploadNotOpen,
  uploadsPaused,
  videoNotFound,
} from '../videos.errors.ts';
import type { Visibility } from '../videos.schemas.ts';
import { openInS3 } from './open-upload.ts';
import { maxSignedParts, type SignedPart, signPartUrls } from './part-urls.ts';

/** What a client announces of a file. */
export interface AnnouncedFile {
  readonly fileName: string;
  readonly sizeBytes: number;
  readonly contentType: string;
}

/** What a creator says about a new video. */
export interface NewVideoDetails {
  readonly title: string | undefined;
  readonly description: string | undefined;
  readonly visibility: Visibility | undefined;
  readonly publishAtMs?: number | undefined;
  readonly details: DetailsInput;
}

export interface StartedUpload {
  readonly upload: UploadRow;
  readonly parts: readonly SignedPart[];
}

/**
 * Begins an upload: the video exists from here on, its bytes go to S3 in parts by presigned URLs. Our row is written before
 * S3 is asked, so whatever S3 holds is known or found by its key when the upload expires.
 * @throws videos.uploads_paused, uploads.file_too_large, videos.quota_exceeded, service.unavailable
 */
export const startUpload = async (
  ctx: RequestContext,
  input: AnnouncedFile & NewVideoDetails,
): Promise<StartedUpload> => begin(ctx, await reserve(ctx, input));

/**
 * Begins the upload of a file that is to take the place of a published video's. It goes the same way, with a video nobody
 * sees, and moves over when it is done.
 * @throws videos.not_found also when it is not published; videos.already_replacing, and what starting an upload throws.
 */
export const startReplacement = async (
  ctx: RequestContext,
  videoId: string,
  file: AnnouncedFile,
): Promise<StartedUpload> => {
  const details = {
    title: undefined,
    description: undefined,
    visibility: 'private',
    details: {},
  } as const;
  return begin(ctx, await reserve(ctx, { ...file, ...details }, { replacesId: videoId }));
};

async function begin(ctx: RequestContext, reserved: UploadRow): Promise<StartedUpload> {
  const upload = { ...reserved, s3UploadId: await openInS3(ctx, reserved) };
  const first = Array.from({ length: Math.min(upload.partCount, maxSignedParts) }, (_, index) => index + 1);
  return { upload, parts: await signPartUrls(ctx, upload, first) };
}

/**
 * Writes a video and its upload, if the owner may begin one.
 * @throws as `startUpload` and `startReplacement` do.
 */
export async function reserve(
  ctx: RequestContext,
  input: AnnouncedFile & NewVideoDetails,
  purpose: { readonly replacesId?: string; readonly fetched?: FetchedFile } = {},
): Promise<UploadRow> {
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
  const { replacesId, fetched } = purpose;
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
      publishAtMs: input.publishAtMs ?? null,
      replacesId: replacesId ?? null,
      cleared: replacesId === undefined ? undefined : newEvent(ctx, 'video.deleted', {}),
      fetched: fetched === undefined ? undefined : await fetched({ videoId, uploadId, ownerId }),
      details: input.details,
    },
    limits,
  );
  switch (reservation.kind) {
    case 'exceeded':
      throw overQuota(reservation.quota, reservation.retryAfterSeconds);
    case 'nothing_to_replace':
      throw videoNotFound();
    case 'already_replacing':
      throw alreadyReplacing();
    case 'reserved':
      // The request was made before, and its upload has ended since.
      if (reservation.upload.state !== 'open') throw uploadNotOpen();
      return reservation.upload;
  }
}

/** Makes what an import is kept with, once its ids are known. */
export type FetchedFile = (ids: {
  readonly videoId: string;
  readonly uploadId: string;
  readonly ownerId: string;
}) => Promise<NonNullable<NewUpload['fetched']>>;

const quotaMessages: Readonly<Record<Quota, string>> = {
  open_uploads: 'Too many unfinished uploads: complete or abort one first.',
  daily_uploads: 'Too many uploads in 24 hours.',
  daily_bytes: 'Too many bytes in 24 hours.',
  stored_bytes: 'No room is left for this file: delete videos you no longer need.',
};

const overQuota = (quota: Quota, retryAfterSeconds: number | null) =>
  quotaExceeded({
    detail: quotaMessages[quota],
    errors: [
      {
        pointer: quota === 'daily_bytes' || quota === 'stored_bytes' ? '/size_bytes' : '',
        code: quota,
        message: quotaMessages[quota],
      },
    ],
    headers: retryAfterSeconds === null ? {} : { 'retry-after': String(Math.max(1, retryAfterSeconds)) },
  });
