import type { RequestContext } from '../../../context.ts';
import { requireViewerId } from '../../../http/viewer.ts';
import { isAwsError, listParts, type UploadedPart } from '../../../integrations/aws/index.ts';
import { findUpload, type UploadRow } from '../uploads.repository.ts';
import { orUnavailable, partListInvalid, uploadNotFound, uploadNotOpen } from '../videos.errors.ts';
import { type SignedPart, signPartUrls } from './part-urls.ts';
import { settleUpload } from './settle-upload.ts';

/**
 * An upload of the caller and the parts S3 holds of it, for a client that resumes.
 * @throws uploads.not_found, service.unavailable
 */
export async function getUpload(
  ctx: RequestContext,
  uploadId: string,
): Promise<{ readonly upload: UploadRow; readonly heldParts: readonly UploadedPart[] }> {
  const upload = await ownUpload(ctx, uploadId);
  if ((upload.state !== 'open' && upload.state !== 'completing') || upload.s3UploadId === null)
    return { upload, heldParts: [] };
  const { aws } = ctx.config;
  try {
    const heldParts = await orUnavailable(
      listParts(aws, {
        bucket: aws.uploadsBucket,
        key: upload.objectKey,
        uploadId: upload.s3UploadId,
      }),
    );
    return { upload, heldParts };
  } catch (error) {
    if (!isAwsError(error, 'NoSuchUpload')) throw error;
    // Joined or gone behind our back, say by a crash between S3 and our row.
    await orUnavailable(settleUpload(ctx, upload, 'expired'));
    return { upload: await ownUpload(ctx, uploadId), heldParts: [] };
  }
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
  const upload = await ownUpload(ctx, uploadId);
  const { s3UploadId } = upload;
  if (upload.state !== 'open' || s3UploadId === null) throw uploadNotOpen();
  const unknown = partNumbers.findIndex((partNumber) => partNumber > upload.partCount);
  if (unknown >= 0)
    throw partListInvalid.unknown({
      errors: [
        {
          pointer: `/part_numbers/${unknown}`,
          code: 'unknown',
          message: `this upload has ${upload.partCount} parts`,
        },
      ],
    });
  return signPartUrls(ctx, { ...upload, s3UploadId }, partNumbers);
}

/** @throws uploads.not_found also for uploads of others. */
export async function ownUpload(ctx: RequestContext, uploadId: string): Promise<UploadRow> {
  const upload = await findUpload(ctx.databases.primary, uploadId, requireViewerId(ctx));
  if (upload === undefined) throw uploadNotFound();
  return upload;
}
