import { type AwsConfig, presignAws } from './client.ts';
import { AwsError, isAwsError } from './errors.ts';
import { addressOf, callS3, decodeKey, errorIn, type ObjectAddress, xmlOf } from './s3.ts';
import { elementsOf, escapeXml, textOf } from './xml.ts';

export interface MultipartUpload extends ObjectAddress {
  readonly uploadId: string;
}

export interface UploadedPart {
  readonly partNumber: number;
  /** As S3 gives it, in quotes. */
  readonly etag: string;
  readonly sizeBytes: number;
}

const maxPages = 20;

/**
 * Begins a multipart upload. Not repeated after a failure: each success holds storage until it is aborted.
 * @returns the upload id.
 * @throws AwsError
 */
export async function createMultipartUpload(
  config: AwsConfig,
  target: ObjectAddress & { readonly contentType: string; readonly contentDisposition?: string },
): Promise<string> {
  const operation = 'CreateMultipartUpload';
  const response = await callS3(config, {
    operation,
    method: 'POST',
    url: addressOf(config, target, { uploads: '' }),
    headers: {
      'content-type': target.contentType,
      ...(target.contentDisposition === undefined
        ? {}
        : { 'content-disposition': target.contentDisposition }),
    },
    retries: 0,
  });
  const uploadId = textOf(await xmlOf(operation, response), 'UploadId');
  if (uploadId === undefined)
    throw new AwsError({ service: 's3', operation, code: 'MalformedAnswer', status: 502 });
  return uploadId;
}

/**
 * A URL a client may PUT one part to, at the public endpoint. The size is signed, so that nobody stores more than they announced.
 * @param part `sizeBytes` of exactly this part; `ttlSeconds` 1 to 604,800 from `nowMs` (Unix milliseconds).
 */
export async function presignUploadPart(
  config: AwsConfig,
  part: MultipartUpload & {
    readonly partNumber: number;
    readonly sizeBytes: number;
    readonly ttlSeconds: number;
    readonly nowMs: number;
  },
): Promise<{ readonly url: string; readonly headers: Readonly<Record<string, string>> }> {
  const endpoint = config.s3PublicEndpoint === '' ? config.s3Endpoint : config.s3PublicEndpoint;
  const headers = { 'content-length': String(part.sizeBytes) };
  const url = await presignAws(config, {
    service: 's3',
    method: 'PUT',
    url: addressOf(config, part, { partNumber: String(part.partNumber), uploadId: part.uploadId }, endpoint),
    headers,
    ttlSeconds: part.ttlSeconds,
    nowMs: part.nowMs,
  });
  return { url, headers };
}

/**
 * Stores one part; storing it again replaces it. All but the last must have at least 5 MiB.
 * @returns its etag, in quotes.
 * @throws AwsError `NoSuchUpload` when it was completed or aborted.
 */
export async function uploadPart(
  config: AwsConfig,
  part: MultipartUpload & { readonly partNumber: number },
  bytes: Uint8Array<ArrayBuffer>,
): Promise<string> {
  const operation = 'UploadPart';
  const response = await callS3(config, {
    operation,
    method: 'PUT',
    url: addressOf(config, part, { partNumber: String(part.partNumber), uploadId: part.uploadId }),
    body: bytes,
    retries: 2,
  });
  await response.body?.cancel();
  const etag = response.headers.get('etag');
  if (etag === null) throw new AwsError({ service: 's3', operation, code: 'MalformedAnswer', status: 502 });
  return etag;
}

/**
 * Every part S3 holds of an upload, in order.
 * @throws AwsError `NoSuchUpload` when it was completed or aborted.
 */
export async function listParts(config: AwsConfig, upload: MultipartUpload): Promise<UploadedPart[]> {
  const operation = 'ListParts';
  const parts: UploadedPart[] = [];
  let marker: string | undefined;
  for (let page = 0; page < maxPages; page += 1) {
    const response = await callS3(config, {
      operation,
      method: 'GET',
      url: addressOf(config, upload, {
        uploadId: upload.uploadId,
        ...(marker === undefined ? {} : { 'part-number-marker': marker }),
      }),
      retries: 2,
    });
    const xml = await xmlOf(operation, response);
    for (const part of elementsOf(xml, 'Part'))
      parts.push({
        partNumber: Number(textOf(part, 'PartNumber')),
        etag: textOf(part, 'ETag') ?? '',
        sizeBytes: Number(textOf(part, 'Size')),
      });
    marker = textOf(xml, 'NextPartNumberMarker');
    if (textOf(xml, 'IsTruncated') !== 'true' || marker === undefined) break;
  }
  return parts;
}

/**
 * Joins the parts into the object. Once it succeeded, S3 answers the same call with `NoSuchUpload`.
 * @param parts ascending by number, each with the etag its upload answered.
 * @throws AwsError also for an error S3 reports inside a 200, which it may after keeping the connection open.
 */
export async function completeMultipartUpload(
  config: AwsConfig,
  upload: MultipartUpload,
  parts: readonly { readonly partNumber: number; readonly etag: string }[],
): Promise<void> {
  const operation = 'CompleteMultipartUpload';
  const listed = parts.map(
    ({ partNumber, etag }) =>
      `<Part><PartNumber>${partNumber}</PartNumber><ETag>${escapeXml(etag)}</ETag></Part>`,
  );
  const response = await callS3(config, {
    operation,
    method: 'POST',
    url: addressOf(config, upload, { uploadId: upload.uploadId }),
    headers: { 'content-type': 'application/xml' },
    body: `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${listed.join('')}</CompleteMultipartUpload>`,
    retries: 0,
  });
  const xml = await xmlOf(operation, response);
  if (elementsOf(xml, 'CompleteMultipartUploadResult').length > 0) return;
  throw new AwsError({ service: 's3', operation, status: response.status, ...errorIn(xml) });
}

/** Frees the parts of an upload. Does nothing when it is gone already. */
export async function abortMultipartUpload(config: AwsConfig, upload: MultipartUpload): Promise<void> {
  try {
    const response = await callS3(config, {
      operation: 'AbortMultipartUpload',
      method: 'DELETE',
      url: addressOf(config, upload, { uploadId: upload.uploadId }),
      retries: 2,
    });
    await response.body?.cancel();
  } catch (error) {
    if (!isAwsError(error, 'NoSuchUpload')) throw error;
  }
}

/** Where a page of unfinished uploads ended. */
export interface UploadMarker {
  readonly key: string;
  readonly uploadId: string;
}

/**
 * Unfinished uploads below a prefix, in the order of their keys, after the given one.
 * @param page `limit` 1 to 1,000.
 * @returns `next` when there are more.
 * @throws AwsError
 */
export async function listMultipartUploadPage(
  config: AwsConfig,
  page: {
    readonly bucket: string;
    readonly prefix: string;
    readonly after: UploadMarker | undefined;
    readonly limit: number;
  },
): Promise<{ readonly uploads: readonly MultipartUpload[]; readonly next: UploadMarker | undefined }> {
  const operation = 'ListMultipartUploads';
  const { bucket, prefix, after, limit } = page;
  const response = await callS3(config, {
    operation,
    method: 'GET',
    url: addressOf(
      config,
      { bucket },
      {
        'encoding-type': 'url',
        'max-uploads': String(limit),
        prefix,
        uploads: '',
        ...(after === undefined ? {} : { 'key-marker': after.key, 'upload-id-marker': after.uploadId }),
      },
    ),
    retries: 2,
  });
  const xml = await xmlOf(operation, response);
  const uploads = elementsOf(xml, 'Upload').map((upload) => ({
    bucket,
    key: decodeKey(textOf(upload, 'Key') ?? ''),
    uploadId: textOf(upload, 'UploadId') ?? '',
  }));
  const key = textOf(xml, 'NextKeyMarker');
  const more = textOf(xml, 'IsTruncated') === 'true' && key !== undefined;
  const next = more ? { key: decodeKey(key), uploadId: textOf(xml, 'NextUploadIdMarker') ?? '' } : undefined;
  return { uploads, next };
}

/**
 * Unfinished uploads below a prefix that has few, such as the key of one: the first 1,000.
 * @throws AwsError
 */
export async function listMultipartUploads(
  config: AwsConfig,
  target: { readonly bucket: string; readonly prefix: string },
): Promise<readonly MultipartUpload[]> {
  return (await listMultipartUploadPage(config, { ...target, after: undefined, limit: 1_000 })).uploads;
}
