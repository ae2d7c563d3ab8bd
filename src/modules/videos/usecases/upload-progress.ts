import type { RequestContext } from '../../../context.ts';
import { requireViewerId } from '../../../http/viewer.ts';
import { isAwsError, listParts } from '../../../integrations/aws/index.ts';
import type { MessageOf } from '../../../jobs/messages.ts';
import { publishAfterResponse } from '../../../jobs/publish.ts';
import { encodeId } from '../../../shared/ids.ts';
import { pushToUser } from '../../realtime/index.ts';
import { bytesOf, type HeldPart, percentOf, quarterOf, wellHeld } from '../policy/upload-progress.ts';
import { confirmParts, acknowledgeParts as noteParts } from '../upload-progress.repository.ts';
import type { UploadRow } from '../uploads.repository.ts';
import { orUnavailable, uploadNotOpen } from '../videos.errors.ts';
import { ownUpload, refuseUnknownParts } from './own-upload.ts';
import { quarterEvents } from './quarter-events.ts';
import { settleUpload } from './settle-upload.ts';

export interface UploadProgress {
  /** Of the parts the client told of. */
  readonly heldBytes: number;
  readonly percent: number;
  /** The last quarter S3 has confirmed. */
  readonly confirmedPercent: number;
}

/**
 * Notes which parts a client has sent. Its word counts for what it is shown; what others are told is asked of S3 first, when a
 * new quarter seems to be reached, and at most every two seconds.
 * @throws uploads.not_found, uploads.not_open, uploads.part_unknown, service.unavailable
 */
export async function acknowledgeParts(
  ctx: RequestContext,
  uploadId: string,
  parts: readonly { readonly partNumber: number; readonly etag: string }[],
): Promise<UploadProgress> {
  const quoted = parts.map(({ partNumber, etag }) => ({ partNumber, etag: `"${etag.replaceAll('"', '')}"` }));
  const noted = await noteParts(ctx.databases.primary, uploadId, requireViewerId(ctx), quoted);
  if (noted === undefined) {
    await ownUpload(ctx, uploadId);
    throw uploadNotOpen();
  }
  const { upload, heldBytes } = noted;
  refuseUnknownParts(
    parts.map((part) => part.partNumber),
    upload.partCount,
    '/parts',
  );
  return {
    heldBytes,
    percent: percentOf(heldBytes, upload.sizeBytes),
    confirmedPercent: noted.mustConfirm ? await confirm(ctx, upload) : noted.toldPercent,
  };
}

/** Asks S3 what it holds and tells of the quarters it confirms. */
async function confirm(ctx: RequestContext, upload: UploadRow): Promise<number> {
  const held = await heldParts(ctx, upload);
  if (held === undefined) throw uploadNotOpen();
  return keepConfirmed(ctx, upload, held);
}

/**
 * The parts S3 holds of an unfinished upload, those of a wrong size left out; undefined when it has ended, which is then noted.
 * @throws service.unavailable
 */
export async function heldParts(ctx: RequestContext, upload: UploadRow): Promise<HeldPart[] | undefined> {
  const { aws } = ctx.config;
  const { objectKey, s3UploadId } = upload;
  if (s3UploadId === null) return [];
  const target = { bucket: aws.uploadsBucket, key: objectKey, uploadId: s3UploadId };
  try {
    return wellHeld(upload, await orUnavailable(listParts(aws, target)));
  } catch (error) {
    if (!isAwsError(error, 'NoSuchUpload')) throw error;
    // Joined or gone behind our back, say by a crash between S3 and our row.
    await orUnavailable(settleUpload(ctx, upload, 'expired'));
    return undefined;
  }
}

/** Keeps the parts S3 has confirmed and tells of new quarters; returns the last one told. */
export async function keepConfirmed(
  ctx: RequestContext,
  upload: UploadRow,
  held: readonly HeldPart[],
): Promise<number> {
  const quarter = quarterOf(percentOf(bytesOf(held), upload.sizeBytes));
  const events = quarterEvents(ctx, upload);
  const told = await confirmParts(ctx.databases.primary, upload.id, { parts: held, quarter }, events);
  if (quarter > 0)
    publishAfterResponse(
      ctx,
      events.map(({ id }) => id),
    );
  return told ?? 0;
}

/** Tells the owner's open connections how far an upload has got. */
export async function notifyUploader(
  ctx: RequestContext,
  message: MessageOf<'upload.progressed'>,
): Promise<void> {
  const { upload_id: uploadId, video_id: videoId, owner_id: ownerId, percent } = message.data;
  await pushToUser(ctx, ownerId, {
    id: message.id,
    type: message.type,
    data: { upload_id: encodeId('upload', uploadId), video_id: encodeId('video', videoId), percent },
  });
}
