import type { RequestContext } from '../../../context.ts';
import { abortMultipartUpload, createMultipartUpload, isAwsError } from '../../../integrations/aws/index.ts';
import { discardReservation, keepS3UploadId, type UploadRow } from '../uploads.repository.ts';
import { orUnavailable, uploadNotOpen } from '../videos.errors.ts';
import { freeParts } from './settle-upload.ts';

/**
 * The id of an upload in S3, where it is begun if it was not yet. Takes the reservation back when S3 does not begin it.
 * @throws service.unavailable, uploads.not_open
 */
export async function openInS3(ctx: RequestContext, upload: UploadRow): Promise<string> {
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
