import { type AwsConfig, presignAws, readBody } from './client.ts';
import { AwsError } from './errors.ts';
import { addressOf, callS3, type ObjectAddress } from './s3.ts';

/**
 * Stores an object whole; storing it again replaces it.
 * @throws AwsError
 */
export async function storeObject(
  config: AwsConfig,
  target: ObjectAddress,
  object: {
    readonly body: string | Uint8Array<ArrayBuffer>;
    readonly contentType: string;
    readonly cacheControl?: string;
  },
): Promise<void> {
  const response = await callS3(config, {
    operation: 'PutObject',
    method: 'PUT',
    url: addressOf(config, target),
    headers: {
      'content-type': object.contentType,
      ...(object.cacheControl === undefined ? {} : { 'cache-control': object.cacheControl }),
    },
    body: object.body,
    retries: 2,
  });
  await response.body?.cancel();
}

/**
 * All bytes of a small object.
 * @throws AwsError `NoSuchKey`; `TooLarge` when it has more than `maxBytes`, which are then not read.
 */
export async function getObject(
  config: AwsConfig,
  target: ObjectAddress,
  maxBytes: number,
): Promise<Uint8Array> {
  const operation = 'GetObject';
  const response = await callS3(config, {
    operation,
    method: 'GET',
    url: addressOf(config, target),
    retries: 2,
  });
  if (Number(response.headers.get('content-length')) > maxBytes) {
    await response.body?.cancel();
    throw new AwsError({ service: 's3', operation, code: 'TooLarge', status: response.status });
  }
  return new Uint8Array(await readBody({ service: 's3', operation }, response.arrayBuffer()));
}

/**
 * A URL a client may PUT one object to, at the public endpoint. Size and type are signed: nothing else is stored with it.
 * @param object `ttlSeconds` 1 to 604,800 from `nowMs` (Unix milliseconds).
 */
export async function presignPutObject(
  config: AwsConfig,
  target: ObjectAddress,
  object: {
    readonly sizeBytes: number;
    readonly contentType: string;
    readonly ttlSeconds: number;
    readonly nowMs: number;
  },
): Promise<{ readonly url: string; readonly headers: Readonly<Record<string, string>> }> {
  const endpoint = config.s3PublicEndpoint === '' ? config.s3Endpoint : config.s3PublicEndpoint;
  const headers = { 'content-length': String(object.sizeBytes), 'content-type': object.contentType };
  const url = await presignAws(config, {
    service: 's3',
    method: 'PUT',
    url: addressOf(config, target, {}, endpoint),
    headers,
    ttlSeconds: object.ttlSeconds,
    nowMs: object.nowMs,
  });
  return { url, headers };
}
