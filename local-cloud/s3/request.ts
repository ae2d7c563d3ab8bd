import type { IncomingMessage, ServerResponse } from 'node:http';
import { parseQuery, splitTarget } from '../aws-gate/canonical.ts';
import type { Verified } from '../aws-gate/verify.ts';
import { AwsError, invalidArgument } from './errors.ts';
import { checkKey, decodeUtf8, parseResourcePath } from './keys.ts';
import { getBucket, type Store } from './store.ts';
import type { Bucket, S3Event } from './types.ts';

/** Where a request points, before anything is believed about who sent it. */
export type Target = {
  rawPath: string;
  bucketName: string | undefined;
  key: string | undefined;
  query: ReadonlyMap<string, string>;
};

/** A verified request on its way to an operation. */
export type S3Request = Target & {
  req: IncomingMessage;
  res: ServerResponse;
  method: string;
  verified: Verified;
  /** `x-amz-*` values by lower-case name, from headers or, as presigners hoist them, from the query. */
  amz: ReadonlyMap<string, string>;
  store: Store;
  region: string;
  emit: (event: S3Event) => void;
};

/** Decodes path and query of a request target. Throws `InvalidURI`, and `InvalidArgument` for a repeated parameter. */
export const parseTarget = (rawUrl: string): Target => {
  const { path: rawPath, query: rawQuery } = splitTarget(rawUrl);
  const { bucket: bucketName, key } = parseResourcePath(rawPath);
  const pairs = parseQuery(rawQuery);
  if (pairs === undefined) throw new AwsError(400, 'InvalidURI', "Couldn't parse the specified URI.");
  const query = new Map<string, string>();
  for (const pair of pairs) {
    const name = decodeUtf8(pair.name);
    if (query.has(name)) throw invalidArgument('A query parameter was given more than once', name);
    query.set(name, decodeUtf8(pair.value));
  }
  return { rawPath, bucketName, key, query };
};

/**
 * S3 ignores checksum values in the query. The SDK's presigner puts the CRC32 of an empty body there, so anything else
 * would refuse every upload through its URLs (aws-sdk-js-v3 issue 4448).
 */
const IGNORED_IN_QUERY = /^x-amz-(sdk-checksum-algorithm|checksum-(?!algorithm$|type$|mode$))/;

/** Query values come decoded from UTF-8, header values as latin1; the store keeps latin1, ready to be a header again. */
export const collectAmz = (
  req: IncomingMessage,
  query: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> => {
  const amz = new Map<string, string>();
  for (const [name, value] of query) {
    const lower = name.toLowerCase();
    if (lower.startsWith('x-amz-') && !IGNORED_IN_QUERY.test(lower))
      amz.set(lower, Buffer.from(value, 'utf8').toString('latin1'));
  }
  for (const [name, value] of Object.entries(req.headers)) {
    if (name.startsWith('x-amz-') && value !== undefined)
      amz.set(name, Array.isArray(value) ? value.join(',') : value);
  }
  return amz;
};

/** The bucket a bucket operation is about. Throws `NoSuchBucket`. */
export const bucketOf = (request: S3Request): Bucket => getBucket(request.store, request.bucketName ?? '');

/** Bucket and checked key of an object operation. Throws `NoSuchBucket`, `KeyTooLongError`, `InvalidArgument`. */
export const objectOf = (request: S3Request): { bucket: Bucket; key: string } => {
  const key = request.key ?? '';
  checkKey(key);
  return { bucket: bucketOf(request), key };
};

/** A whole number in a query parameter, or the fallback when absent. Throws `InvalidArgument`. */
export const integerParameter = (
  query: ReadonlyMap<string, string>,
  name: string,
  fallback: number,
  maximum: number,
): number => {
  const text = query.get(name);
  if (text === undefined || text === '') return fallback;
  if (!/^\d{1,10}$/.test(text) || Number(text) > 0x7fffffff) {
    throw invalidArgument(`Argument ${name} must be an integer between 0 and 2147483647`, name, text);
  }
  return Math.min(Number(text), maximum);
};

export const sendXml = (res: ServerResponse, document: string): void => {
  const body = Buffer.from(document);
  res.setHeader('content-type', 'application/xml');
  res.setHeader('content-length', body.length);
  res.end(body);
};

export const sendEmpty = (res: ServerResponse, status: number): void => {
  res.statusCode = status;
  if (status !== 204 && status !== 304) res.setHeader('content-length', 0);
  res.end();
};
