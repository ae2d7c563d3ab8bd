import type { RequestContext } from '../../../context.ts';
import { partSizeAt } from '../policy/part-plan.ts';
import type { HeldPart } from '../policy/upload-progress.ts';
import type { UploadRow } from '../uploads.repository.ts';
import { uploadNotOpen } from '../videos.errors.ts';
import { ownKnownUpload, ownSentUpload, ownUpload, refuseUnknownParts } from './own-upload.ts';
import { type SignedPart, signPartUrls } from './part-urls.ts';
import { heldParts } from './upload-progress.ts';

/**
 * An upload of the caller and the parts that have arrived, for a client that resumes. Answered from what its client told and
 * S3 confirmed a moment ago, else S3 is asked.
 * @throws uploads.not_found, service.unavailable
 */
export async function getUpload(
  ctx: RequestContext,
  uploadId: string,
): Promise<{ readonly upload: UploadRow; readonly heldParts: readonly HeldPart[] }> {
  const { upload, parts } = await ownKnownUpload(ctx, uploadId);
  const isUnfinished = upload.state === 'open' || upload.state === 'completing';
  if (!isUnfinished || upload.s3UploadId === null) return { upload, heldParts: [] };
  if (parts !== undefined)
    return {
      upload,
      heldParts: parts.map((part) => ({
        ...part,
        sizeBytes: partSizeAt(upload.sizeBytes, upload.partSizeBytes, part.partNumber),
      })),
    };
  const held = await heldParts(ctx, upload);
  return held === undefined
    ? { upload: await ownUpload(ctx, uploadId), heldParts: [] }
    : { upload, heldParts: held };
}

/**
 * Fresh URLs for parts of an open upload.
 * @throws uploads.not_found, uploads.not_open, uploads.part_unknown
 */
export async function signParts(
  ctx: RequestContext,
  uploadId: string,
  partNumbers: readonly number[],
): Promise<readonly SignedPart[]> {
  const upload = await ownSentUpload(ctx, uploadId);
  const { s3UploadId } = upload;
  if (upload.state !== 'open' || s3UploadId === null) throw uploadNotOpen();
  refuseUnknownParts(partNumbers, upload.partCount, '/part_numbers');
  return signPartUrls(ctx, { ...upload, s3UploadId }, partNumbers);
}
