import type { RequestContext } from '../../../context.ts';
import { presignUploadPart } from '../../../integrations/aws/index.ts';
import { partSizeAt } from '../policy/part-plan.ts';
import type { UploadRow } from '../uploads.repository.ts';
import { uploadNotOpen } from '../videos.errors.ts';

/** URLs given out at a time. */
export const maxSignedParts = 100;

export interface SignedPart {
  readonly partNumber: number;
  readonly url: string;
  /** To be sent with exactly these values. HTTP clients set Content-Length themselves. */
  readonly headers: Readonly<Record<string, string>>;
  readonly sizeBytes: number;
  readonly expiresAtMs: number;
}

/**
 * Presigned URLs for parts of an open upload, none living longer than the upload.
 * @throws uploads.not_open when its time is over.
 */
export async function signPartUrls(
  ctx: RequestContext,
  upload: UploadRow & { readonly s3UploadId: string },
  partNumbers: readonly number[],
): Promise<SignedPart[]> {
  const { aws, videos } = ctx.config;
  const nowMs = ctx.clock.now();
  const ttlSeconds = Math.min(videos.partUrlTtlSeconds, Math.floor((upload.expiresAtMs - nowMs) / 1_000));
  if (ttlSeconds < 1) throw uploadNotOpen();
  return Promise.all(
    partNumbers.map(async (partNumber) => {
      const sizeBytes = partSizeAt(upload.sizeBytes, upload.partSizeBytes, partNumber);
      const signed = await presignUploadPart(aws, {
        bucket: aws.uploadsBucket,
        key: upload.objectKey,
        uploadId: upload.s3UploadId,
        partNumber,
        sizeBytes,
        ttlSeconds,
        nowMs,
      });
      return { partNumber, ...signed, sizeBytes, expiresAtMs: nowMs + ttlSeconds * 1_000 };
    }),
  );
}
