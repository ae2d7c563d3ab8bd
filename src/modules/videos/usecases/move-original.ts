import type { RequestContext } from '../../../context.ts';
import {
  abortMultipartUpload,
  type CopySource,
  completeMultipartUpload,
  copyObject,
  createMultipartUpload,
  headObject,
  isAwsError,
  listParts,
  type MultipartUpload,
  uploadPartCopy,
} from '../../../integrations/aws/index.ts';
import { originalKeyOf } from '../policy/upload-keys.ts';
import { forgetCopyUploadId, keepCopyUploadId, type ScanRow } from '../scans.repository.ts';

const concurrentCopies = 4;
const piecesPerMessage = 100;

/**
 * Copies a file out of quarantine to where originals lie, within S3, and only if it is still the content that was scanned.
 * Large files go in pieces, and an interrupted copy is taken up where it stopped. The file in quarantine stays. Safe to
 * repeat and to race.
 * @returns `unfinished` when another message must go on; `missing` when there is nothing to copy; `changed` when the content
 * is not the one that was scanned.
 * @throws AwsError
 */
export async function copyToOriginals(
  ctx: RequestContext,
  scan: ScanRow,
): Promise<'copied' | 'unfinished' | 'missing' | 'changed'> {
  const { aws, scanning } = ctx.config;
  const bucket = aws.uploadsBucket;
  const target = { bucket, key: originalKeyOf(scan.objectKey) };
  if (target.key === scan.objectKey) return 'copied';
  const found = await headObject(aws, { bucket, key: scan.objectKey });
  if (found === undefined) return 'missing';
  if (scan.etag !== null && scan.etag !== found.etag) return 'changed';
  const source = { bucket, key: scan.objectKey, etag: found.etag };
  try {
    if (found.sizeBytes > scanning.copyPartBytes)
      return (await copyInPieces(ctx, scan, source, target.key)) ? 'copied' : 'unfinished';
    await copyObject(aws, source, target);
    return 'copied';
  } catch (error) {
    if (isAwsError(error, 'NoSuchKey')) return 'missing';
    if (isAwsError(error, 'PreconditionFailed')) return 'changed';
    throw error;
  }
}

/** @returns whether the copy is whole. */
async function copyInPieces(
  ctx: RequestContext,
  scan: ScanRow,
  source: CopySource,
  targetKey: string,
): Promise<boolean> {
  const { aws, scanning } = ctx.config;
  const copy = await openCopy(ctx, scan, targetKey);
  if (copy === undefined) return false;
  const count = Math.ceil(scan.sizeBytes / scanning.copyPartBytes);
  try {
    const etags = new Map((await listParts(aws, copy)).map((part) => [part.partNumber, part.etag]));
    const missing = Array.from({ length: count }, (_, index) => index + 1).filter(
      (partNumber) => !etags.has(partNumber),
    );
    const queue = missing.slice(0, piecesPerMessage);
    const copyNext = async (): Promise<void> => {
      for (let partNumber = queue.shift(); partNumber !== undefined; partNumber = queue.shift()) {
        const start = (partNumber - 1) * scanning.copyPartBytes;
        const end = Math.min(start + scanning.copyPartBytes, scan.sizeBytes);
        etags.set(partNumber, await uploadPartCopy(aws, { ...copy, partNumber }, source, { start, end }));
      }
    };
    await Promise.all(Array.from({ length: concurrentCopies }, copyNext));
    if (missing.length > piecesPerMessage) return false;
    const parts = Array.from({ length: count }, (_, index) => ({
      partNumber: index + 1,
      etag: etags.get(index + 1) ?? '',
    }));
    await completeMultipartUpload(aws, copy, parts);
    return true;
  } catch (error) {
    if (!isAwsError(error, 'NoSuchUpload', 'InvalidPart')) throw error;
    // Completed by another run, or taken away: the object tells.
    const whole = await headObject(aws, copy);
    if (whole?.sizeBytes === scan.sizeBytes) return true;
    await forgetCopyUploadId(ctx.databases.primary, scan.uploadId, copy.uploadId);
    return false;
  }
}

/** The multipart upload the pieces go to; undefined when the scan was settled meanwhile. */
async function openCopy(
  ctx: RequestContext,
  scan: ScanRow,
  key: string,
): Promise<MultipartUpload | undefined> {
  const { aws } = ctx.config;
  const target = { bucket: aws.uploadsBucket, key };
  if (scan.copyUploadId !== null) return { ...target, uploadId: scan.copyUploadId };
  const uploadId = await createMultipartUpload(aws, { ...target, contentType: scan.contentType });
  const kept = await keepCopyUploadId(ctx.databases.primary, scan.uploadId, uploadId);
  if (kept !== uploadId) await abortMultipartUpload(aws, { ...target, uploadId });
  return kept === undefined ? undefined : { ...target, uploadId: kept };
}
