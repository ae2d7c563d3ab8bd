import { sha256 } from '../../shared/crypto.ts';
import { type AwsCall, type AwsConfig, callAws, presignAws, readBody } from './client.ts';
import { AwsError, isAwsError } from './errors.ts';
import { elementsOf, escapeXml, textOf } from './xml.ts';

// Names and limits: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html

export interface ObjectAddress {
  readonly bucket: string;
  readonly key: string;
}

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
 * Percent-encodes a key for a URL, segment by segment, as SigV4 does.
 * @throws RangeError for keys a URL would turn into another object (`.` and `..` segments) or that are empty.
 */
export function encodeKey(key: string): string {
  const segments = key.split('/');
  if (key === '' || segments.some((segment) => segment === '.' || segment === '..'))
    throw new RangeError('object key cannot be addressed by a URL');
  return segments.map(encodeRfc3986).join('/');
}

const encodeRfc3986 = (text: string): string =>
  encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );

/** @param endpoint empty for the regional AWS endpoint. */
function bucketUrl(config: AwsConfig, endpoint: string, bucket: string): string {
  return endpoint === '' ? `https://${bucket}.s3.${config.region}.amazonaws.com` : `${endpoint}/${bucket}`;
}

function addressOf(
  config: AwsConfig,
  target: { readonly bucket: string; readonly key?: string },
  query: Readonly<Record<string, string>> = {},
  endpoint = config.s3Endpoint,
): string {
  const search = Object.entries(query)
    .map(([name, value]) => `${encodeRfc3986(name)}=${encodeRfc3986(value)}`)
    .join('&');
  const path = `/${target.key === undefined ? '' : encodeKey(target.key)}`;
  return `${bucketUrl(config, endpoint, target.bucket)}${path}${search === '' ? '' : `?${search}`}`;
}

const errorIn = (xml: string): { code: string; detail?: string } => {
  const detail = textOf(xml, 'Message');
  return { code: textOf(xml, 'Code') ?? 'Unknown', ...(detail === undefined ? {} : { detail }) };
};

const callS3 = (config: AwsConfig, call: Omit<AwsCall, 'service' | 'parseError'>): Promise<Response> =>
  callAws(config, {
    ...call,
    service: 's3',
    parseError: async (response) =>
      // A HEAD answers without a body, so the status must do.
      call.method === 'HEAD'
        ? { code: response.status === 404 ? 'NotFound' : `Http${response.status}` }
        : errorIn(await response.text().catch(() => '')),
  });

async function xmlOf(operation: string, response: Response): Promise<string> {
  return readBody({ service: 's3', operation }, response.text());
}

/**
 * Begins a multipart upload. Not repeated after a failure: each success holds storage until it is aborted.
 * @returns the upload id.
 * @throws AwsError
 */
export async function createMultipartUpload(
  config: AwsConfig,
  target: ObjectAddress & { readonly contentType: string },
): Promise<string> {
  const operation = 'CreateMultipartUpload';
  const response = await callS3(config, {
    operation,
    method: 'POST',
    url: addressOf(config, target, { uploads: '' }),
    headers: { 'content-type': target.contentType },
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

/** Unfinished uploads whose key begins with `prefix`, at most 1,000. */
export async function listMultipartUploads(
  config: AwsConfig,
  target: { readonly bucket: string; readonly prefix: string },
): Promise<MultipartUpload[]> {
  const operation = 'ListMultipartUploads';
  const response = await callS3(config, {
    operation,
    method: 'GET',
    url: addressOf(
      config,
      { bucket: target.bucket },
      { 'encoding-type': 'url', prefix: target.prefix, uploads: '' },
    ),
    retries: 2,
  });
  return elementsOf(await xmlOf(operation, response), 'Upload').map((upload) => ({
    bucket: target.bucket,
    key: decodeKey(textOf(upload, 'Key') ?? ''),
    uploadId: textOf(upload, 'UploadId') ?? '',
  }));
}

/** Size and etag of an object, or undefined when there is none. */
export async function headObject(
  config: AwsConfig,
  target: ObjectAddress,
): Promise<{ readonly sizeBytes: number; readonly etag: string } | undefined> {
  try {
    const response = await callS3(config, {
      operation: 'HeadObject',
      method: 'HEAD',
      url: addressOf(config, target),
      retries: 2,
    });
    return {
      sizeBytes: Number(response.headers.get('content-length')),
      etag: response.headers.get('etag') ?? '',
    };
  } catch (error) {
    if (isAwsError(error, 'NotFound')) return undefined;
    throw error;
  }
}

/**
 * The bytes `start` (inclusive) to `end` (exclusive) of an object.
 * @throws AwsError `NoSuchKey`; `RangeIgnored` when the answer is not just the range, which is then not read.
 */
export async function getRange(
  config: AwsConfig,
  target: ObjectAddress,
  range: { readonly start: number; readonly end: number },
): Promise<Uint8Array> {
  const operation = 'GetObject';
  const response = await callS3(config, {
    operation,
    method: 'GET',
    url: addressOf(config, target),
    headers: { range: `bytes=${range.start}-${range.end - 1}` },
    retries: 2,
  });
  if (response.status !== 206) {
    await response.body?.cancel();
    throw new AwsError({ service: 's3', operation, code: 'RangeIgnored', status: response.status });
  }
  return new Uint8Array(await readBody({ service: 's3', operation }, response.arrayBuffer()));
}

/** One page (up to 1,000) of the keys that begin with `prefix`, in order. */
export async function listObjects(
  config: AwsConfig,
  target: { readonly bucket: string; readonly prefix: string; readonly continuation?: string },
): Promise<{ readonly keys: readonly string[]; readonly continuation: string | undefined }> {
  const operation = 'ListObjectsV2';
  const response = await callS3(config, {
    operation,
    method: 'GET',
    url: addressOf(
      config,
      { bucket: target.bucket },
      {
        ...(target.continuation === undefined ? {} : { 'continuation-token': target.continuation }),
        'encoding-type': 'url',
        'list-type': '2',
        prefix: target.prefix,
      },
    ),
    retries: 2,
  });
  const xml = await xmlOf(operation, response);
  return {
    keys: elementsOf(xml, 'Contents').map((object) => decodeKey(textOf(object, 'Key') ?? '')),
    continuation: textOf(xml, 'NextContinuationToken'),
  };
}

/**
 * Deletes up to 1,000 objects; those that are gone already count as deleted.
 * @throws AwsError when any of them could not be deleted.
 */
export async function deleteObjects(
  config: AwsConfig,
  bucket: string,
  keys: readonly string[],
): Promise<void> {
  if (keys.length === 0) return;
  const operation = 'DeleteObjects';
  const objects = keys.map((key) => `<Object><Key>${escapeXml(key)}</Key></Object>`).join('');
  const body = `<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Quiet>true</Quiet>${objects}</Delete>`;
  const response = await callS3(config, {
    operation,
    method: 'POST',
    url: addressOf(config, { bucket }, { delete: '' }),
    headers: {
      'content-type': 'application/xml',
      'x-amz-checksum-sha256': btoa(String.fromCharCode(...(await sha256(body)))),
      'x-amz-sdk-checksum-algorithm': 'SHA256',
    },
    body,
    retries: 2,
  });
  const [failed] = elementsOf(await xmlOf(operation, response), 'Error');
  if (failed !== undefined)
    throw new AwsError({ service: 's3', operation, status: response.status, ...errorIn(failed) });
}

/**
 * Deletes what begins with `prefix`, up to `maxObjects` rounded up to whole pages of 1,000.
 * @returns whether nothing is left.
 */
export async function deletePrefix(
  config: AwsConfig,
  target: { readonly bucket: string; readonly prefix: string },
  maxObjects: number,
): Promise<boolean> {
  for (let deleted = 0; deleted < maxObjects; ) {
    const { keys, continuation } = await listObjects(config, target);
    await deleteObjects(config, target.bucket, keys);
    deleted += keys.length;
    if (continuation === undefined) return true;
  }
  return false;
}

const decodeKey = (encoded: string): string => decodeURIComponent(encoded.replaceAll('+', '%20'));
