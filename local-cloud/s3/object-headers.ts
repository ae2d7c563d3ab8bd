import { AwsError, invalidRequest, notImplemented } from './errors.ts';
import type { S3Request } from './request.ts';
import type { ObjectHeaders } from './types.ts';

const SYSTEM_HEADERS = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
] as const;

const MAX_USER_METADATA_BYTES = 2048;
const DEFAULT_CONTENT_TYPE = 'binary/octet-stream';

const UNSUPPORTED = [
  /^x-amz-tagging(-directive)?$/,
  /^x-amz-object-lock-/,
  /^x-amz-website-redirect-location$/,
  /^x-amz-write-offset-bytes$/,
  /^x-amz-(copy-source-)?server-side-encryption-(customer|aws-kms|context|bucket-key)/,
];

/** Refuses what this server would have to ignore: a client must not believe that it took effect. */
export const refuseUnsupported = (amz: ReadonlyMap<string, string>): void => {
  for (const name of amz.keys())
    if (UNSUPPORTED.some((pattern) => pattern.test(name))) throw notImplemented();
  if (![undefined, 'AES256'].includes(amz.get('x-amz-server-side-encryption'))) throw notImplemented();
  if (![undefined, 'STANDARD'].includes(amz.get('x-amz-storage-class'))) throw notImplemented();
  const acl = amz.get('x-amz-acl');
  const grants = [...amz.keys()].some((name) => name.startsWith('x-amz-grant-'));
  if (grants || ![undefined, 'private', 'bucket-owner-full-control'].includes(acl)) {
    throw new AwsError(400, 'AccessControlListNotSupported', 'The bucket does not allow ACLs');
  }
};

/** Control characters cannot be header values again. */
const assertHeaderValue = (value: string): void => {
  if (/[^\t\x20-\x7e\x80-\xff]/.test(value))
    throw invalidRequest('A metadata value holds a control character.');
};

const storedEncoding = (value: string): string =>
  value
    .split(',')
    .map((token) => token.trim())
    .filter((token) => token !== '' && token.toLowerCase() !== 'aws-chunked')
    .join(',');

/** The headers a new object keeps from its PUT, copy or CreateMultipartUpload. Throws `MetadataTooLarge`. */
export const readObjectHeaders = ({ req, amz }: S3Request): ObjectHeaders => {
  refuseUnsupported(amz);
  const system: Record<string, string> = { 'content-type': DEFAULT_CONTENT_TYPE };
  for (const name of SYSTEM_HEADERS) {
    const given = req.headers[name]?.toString();
    const value = name === 'content-encoding' && given !== undefined ? storedEncoding(given) : given;
    if (value !== undefined && value !== '') system[name] = value;
  }
  const user: Record<string, string> = {};
  let bytes = 0;
  for (const [name, value] of amz) {
    if (!name.startsWith('x-amz-meta-')) continue;
    const short = name.slice('x-amz-meta-'.length);
    if (!/^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(short))
      throw invalidRequest('A metadata name is not a header name.');
    assertHeaderValue(value);
    bytes += short.length + value.length;
    user[short] = value;
  }
  if (bytes > MAX_USER_METADATA_BYTES) {
    throw new AwsError(
      400,
      'MetadataTooLarge',
      'Your metadata headers exceed the maximum allowed metadata size',
      {
        Size: String(bytes),
        MaxSizeAllowed: String(MAX_USER_METADATA_BYTES),
      },
    );
  }
  return { system, user };
};

/** `response-*` query parameters of a GET, as the headers they replace. */
export const responseOverrides = (query: ReadonlyMap<string, string>): Record<string, string> => {
  const overrides: Record<string, string> = {};
  for (const name of SYSTEM_HEADERS) {
    const text = query.get(`response-${name}`);
    if (text === undefined) continue;
    const value = Buffer.from(text, 'utf8').toString('latin1');
    assertHeaderValue(value);
    overrides[name] = value;
  }
  return overrides;
};
