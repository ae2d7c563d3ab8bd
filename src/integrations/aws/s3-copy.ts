import type { AwsConfig } from './client.ts';
import { AwsError } from './errors.ts';
import { addressOf, callS3, encodeKey, errorIn, type ObjectAddress, xmlOf } from './s3.ts';
import type { MultipartUpload } from './s3-multipart.ts';
import { elementsOf, textOf } from './xml.ts';

/** What is copied, and which content it must have, if that matters: S3 refuses with `PreconditionFailed` when it was replaced meanwhile. */
export interface CopySource extends ObjectAddress {
  /** As S3 gives it, in quotes. */
  readonly etag?: string;
}

// S3 holds the connection open while it copies, and answers only then.
const copyTimeoutMs = 60_000;

const copyHeaders = (source: CopySource): Record<string, string> => ({
  'x-amz-copy-source': `/${source.bucket}/${encodeKey(source.key)}`,
  ...(source.etag === undefined ? {} : { 'x-amz-copy-source-if-match': source.etag }),
});

/**
 * Copies an object of at most 5 GiB within S3; its type comes along, unless it is to be delivered under other headers. Safe to repeat.
 * @throws AwsError `NoSuchKey`, `PreconditionFailed`; also for an error S3 reports inside a 200.
 */
export async function copyObject(
  config: AwsConfig,
  source: CopySource,
  target: ObjectAddress,
  deliver?: { readonly contentType: string; readonly cacheControl: string },
): Promise<void> {
  const operation = 'CopyObject';
  const response = await callS3(config, {
    operation,
    method: 'PUT',
    url: addressOf(config, target),
    headers: {
      ...copyHeaders(source),
      ...(deliver === undefined
        ? {}
        : {
            'x-amz-metadata-directive': 'REPLACE',
            'content-type': deliver.contentType,
            'cache-control': deliver.cacheControl,
          }),
    },
    retries: 2,
    timeoutMs: copyTimeoutMs,
  });
  const xml = await xmlOf(operation, response);
  if (elementsOf(xml, 'CopyObjectResult').length > 0) return;
  throw new AwsError({ service: 's3', operation, status: response.status, ...errorIn(xml) });
}

/**
 * Makes a range of an object a part of a multipart upload; copying it again replaces the part.
 * @param range bytes `start` (inclusive) to `end` (exclusive).
 * @returns the etag of the part, in quotes.
 * @throws AwsError `NoSuchUpload`, `NoSuchKey`, `PreconditionFailed`; also for an error S3 reports inside a 200.
 */
export async function uploadPartCopy(
  config: AwsConfig,
  part: MultipartUpload & { readonly partNumber: number },
  source: CopySource,
  range: { readonly start: number; readonly end: number },
): Promise<string> {
  const operation = 'UploadPartCopy';
  const response = await callS3(config, {
    operation,
    method: 'PUT',
    url: addressOf(config, part, { partNumber: String(part.partNumber), uploadId: part.uploadId }),
    headers: {
      ...copyHeaders(source),
      'x-amz-copy-source-range': `bytes=${range.start}-${range.end - 1}`,
    },
    retries: 2,
    timeoutMs: copyTimeoutMs,
  });
  const xml = await xmlOf(operation, response);
  const etag = textOf(xml, 'ETag');
  if (etag !== undefined) return etag;
  throw new AwsError({ service: 's3', operation, status: response.status, ...errorIn(xml) });
}

/**
 * The tags of an object.
 * @throws AwsError `NoSuchKey`
 */
export async function getObjectTags(
  config: AwsConfig,
  target: ObjectAddress,
): Promise<ReadonlyMap<string, string>> {
  const operation = 'GetObjectTagging';
  const response = await callS3(config, {
    operation,
    method: 'GET',
    url: addressOf(config, target, { tagging: '' }),
    retries: 2,
  });
  return new Map(
    elementsOf(await xmlOf(operation, response), 'Tag').map((tag) => [
      textOf(tag, 'Key') ?? '',
      textOf(tag, 'Value') ?? '',
    ]),
  );
}
