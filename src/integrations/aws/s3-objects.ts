import { sha256 } from '../../shared/crypto.ts';
import { type AwsConfig, presignAws, readBody } from './client.ts';
import { AwsError, isAwsError } from './errors.ts';
import { addressOf, callS3, decodeKey, errorIn, type ObjectAddress, xmlOf } from './s3.ts';
import { elementsOf, escapeXml, textOf } from './xml.ts';

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

/**
 * A URL from which anyone may read an object, at the public endpoint.
 * @param link `ttlSeconds` 1 to 604,800 from `nowMs` (Unix milliseconds).
 */
export function presignObject(
  config: AwsConfig,
  target: ObjectAddress,
  link: { readonly ttlSeconds: number; readonly nowMs: number },
): Promise<string> {
  const endpoint = config.s3PublicEndpoint === '' ? config.s3Endpoint : config.s3PublicEndpoint;
  return presignAws(config, {
    service: 's3',
    method: 'GET',
    url: addressOf(config, target, {}, endpoint),
    ttlSeconds: link.ttlSeconds,
    nowMs: link.nowMs,
  });
}

/**
 * A URL to which anyone may PUT an object of exactly this size and type, at the public endpoint.
 * @param link `ttlSeconds` 1 to 604,800 from `nowMs` (Unix milliseconds).
 */
export async function presignPut(
  config: AwsConfig,
  target: ObjectAddress & { readonly contentType: string; readonly sizeBytes: number },
  link: { readonly ttlSeconds: number; readonly nowMs: number },
): Promise<{ readonly url: string; readonly headers: Readonly<Record<string, string>> }> {
  const endpoint = config.s3PublicEndpoint === '' ? config.s3Endpoint : config.s3PublicEndpoint;
  const headers = { 'content-length': String(target.sizeBytes), 'content-type': target.contentType };
  const url = await presignAws(config, {
    service: 's3',
    method: 'PUT',
    url: addressOf(config, target, {}, endpoint),
    headers,
    ttlSeconds: link.ttlSeconds,
    nowMs: link.nowMs,
  });
  return { url, headers };
}

/** Stores a small object, replacing what was there. */
export async function putObject(
  config: AwsConfig,
  target: ObjectAddress & { readonly contentType: string; readonly cacheControl: string },
  bytes: Uint8Array<ArrayBuffer>,
): Promise<void> {
  const response = await callS3(config, {
    operation: 'PutObject',
    method: 'PUT',
    url: addressOf(config, target),
    headers: { 'content-type': target.contentType, 'cache-control': target.cacheControl },
    body: bytes,
    retries: 2,
  });
  await response.body?.cancel();
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
 * One page (up to 1,000) of the folders right below `prefix`, in order, after the folder `after`; each with its slash.
 * `isLast` when no others follow.
 */
export async function listFolders(
  config: AwsConfig,
  target: { readonly bucket: string; readonly prefix: string; readonly after: string },
): Promise<{ readonly folders: readonly string[]; readonly isLast: boolean }> {
  const operation = 'ListObjectsV2';
  const response = await callS3(config, {
    operation,
    method: 'GET',
    url: addressOf(
      config,
      { bucket: target.bucket },
      {
        delimiter: '/',
        'encoding-type': 'url',
        'list-type': '2',
        prefix: target.prefix,
        // After everything in that folder.
        ...(target.after === '' ? {} : { 'start-after': `${target.after}\u{10ffff}` }),
      },
    ),
    retries: 2,
  });
  const xml = await xmlOf(operation, response);
  return {
    folders: elementsOf(xml, 'CommonPrefixes').map((folder) => decodeKey(textOf(folder, 'Prefix') ?? '')),
    isLast: textOf(xml, 'IsTruncated') !== 'true',
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
    if (continuation === undefined || keys.length === 0) return true;
  }
  return false;
}
