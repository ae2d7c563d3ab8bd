import type { RequestContext } from '../../../context.ts';
import { newEvent } from '../../../db/outbox.ts';
import { requireViewerId } from '../../../http/viewer.ts';
import {
  completeMultipartUpload,
  deleteObjects,
  isAwsError,
  listParts,
  type MultipartUpload,
} from '../../../integrations/aws/index.ts';
import { publishAfterResponse } from '../../../jobs/publish.ts';
import type { ErrorDetail } from '../../../shared/errors.ts';
import { checkPartList } from '../policy/part-plan.ts';
import { forgetParts } from '../upload-progress.repository.ts';
import { abandonUpload, markCompleting, reopenUpload, type UploadRow } from '../uploads.repository.ts';
import {
  orUnavailable,
  partListInvalid,
  partTooSmall,
  sizeMismatch,
  uploadNotOpen,
} from '../videos.errors.ts';
import { ownSentUpload, ownUpload } from './own-upload.ts';
import { settleUpload } from './settle-upload.ts';
import { heldParts } from './upload-progress.ts';

export interface ListedPart {
  readonly partNumber: number;
  readonly etag: string;
}

/**
 * Joins the parts of an upload, those listed or, without a list, those S3 holds, and sends the video on to be processed. May be repeated and raced: one wins, all get the
 * same answer.
 * @throws uploads.not_found, uploads.not_open, uploads.part_missing, uploads.part_unknown, uploads.part_repeated,
 * uploads.part_out_of_order, uploads.part_too_small, uploads.size_mismatch, service.unavailable
 */
export async function completeUpload(
  ctx: RequestContext,
  uploadId: string,
  listed?: readonly ListedPart[],
): Promise<UploadRow> {
  const upload = await ownSentUpload(ctx, uploadId);
  if (upload.state === 'completed') return upload;
  const { s3UploadId } = upload;
  const isOpen = upload.state === 'open' || upload.state === 'completing';
  if (!isOpen || s3UploadId === null || upload.expiresAtMs <= ctx.clock.now()) throw uploadNotOpen();
  const parts = listed ?? (await heldParts(ctx, upload));
  if (parts === undefined) return endedMeanwhile(ctx, upload);
  refuseBadList(parts, upload.partCount);

  const { aws } = ctx.config;
  if (!(await markCompleting(ctx.databases.primary, uploadId))) return endedMeanwhile(ctx, upload);
  const target = { bucket: aws.uploadsBucket, key: upload.objectKey, uploadId: s3UploadId };
  try {
    await orUnavailable(completeMultipartUpload(aws, target, parts));
  } catch (error) {
    // Another request, or an earlier try of this one, has joined them: the object tells.
    if (!isAwsError(error, 'NoSuchUpload')) throw await refusedBy(ctx, error, upload, target, parts);
  }
  const outcome = await orUnavailable(settleUpload(ctx, upload, 'expired'));
  if (outcome === 'size_mismatch') throw sizeMismatch();
  return endedMeanwhile(ctx, upload);
}

/**
 * Gives an unfinished upload up, with its video. Nothing to do when it has ended otherwise.
 * @throws uploads.not_found, uploads.not_open when it is completed.
 */
export async function abortUpload(ctx: RequestContext, uploadId: string): Promise<void> {
  const upload = await ownUpload(ctx, uploadId);
  if (upload.state === 'completed') throw uploadNotOpen();
  const deleted = newEvent(ctx, 'video.deleted', { video_id: upload.videoId, owner_id: upload.ownerId });
  if (await abandonUpload(ctx.databases.primary, uploadId, requireViewerId(ctx), deleted))
    publishAfterResponse(ctx, [deleted.id]);
}

async function endedMeanwhile(ctx: RequestContext, upload: UploadRow): Promise<UploadRow> {
  const current = await ownUpload(ctx, upload.id);
  if (current.state === 'completed') return current;
  // Given up while the parts were being joined: the object is nobody's.
  const { aws } = ctx.config;
  await orUnavailable(deleteObjects(aws, aws.uploadsBucket, [upload.objectKey]));
  throw uploadNotOpen();
}

function refuseBadList(parts: readonly ListedPart[], partCount: number): void {
  const problems = checkPartList(
    parts.map((part) => part.partNumber),
    partCount,
  );
  const [first] = problems;
  if (first === undefined) return;
  throw partListInvalid[first.code]({
    errors: problems.map(({ code, partNumber, index }) => ({
      pointer: code === 'missing' ? '/parts' : `/parts/${index}`,
      code,
      message: `part ${partNumber} of ${partCount}`,
    })),
  });
}

/** What S3 has against the list, as an error the client can act on. The upload is open again. */
async function refusedBy(
  ctx: RequestContext,
  error: unknown,
  upload: UploadRow,
  target: MultipartUpload,
  parts: readonly ListedPart[],
): Promise<unknown> {
  if (!isAwsError(error, 'EntityTooSmall', 'InvalidPart', 'InvalidPartOrder')) return error;
  await reopenUpload(ctx.databases.primary, upload.id);
  await forgetParts(ctx.databases.primary, upload.id);
  if (error.code === 'EntityTooSmall') return partTooSmall();
  if (error.code === 'InvalidPartOrder') return partListInvalid.out_of_order();
  const held = new Map(
    (await orUnavailable(listParts(ctx.config.aws, target))).map((part) => [part.partNumber, part.etag]),
  );
  const errors: ErrorDetail[] = parts.flatMap(({ partNumber, etag }, index) => {
    const stored = held.get(partNumber);
    if (stored !== undefined && unquoted(stored) === unquoted(etag)) return [];
    const code = stored === undefined ? 'missing' : 'etag_mismatch';
    return [{ pointer: `/parts/${index}`, code, message: `part ${partNumber}` }];
  });
  return partListInvalid.missing({ errors: errors.slice(0, 20) });
}

const unquoted = (etag: string): string => etag.replaceAll('"', '').toLowerCase();
