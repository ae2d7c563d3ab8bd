import { percentDecode } from '../aws-gate/canonical.ts';
import { AwsError, invalidArgument } from './errors.ts';

const MAX_KEY_BYTES = 1024;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const invalidUri = (): AwsError => new AwsError(400, 'InvalidURI', "Couldn't parse the specified URI.");

/** Decodes bytes that must be UTF-8; throws `InvalidURI`. */
export const decodeUtf8 = (bytes: Buffer | undefined): string => {
  if (bytes === undefined) throw invalidUri();
  try {
    return utf8.decode(bytes);
  } catch {
    throw invalidUri();
  }
};

/** Splits a raw path-style path into bucket and key, both decoded. `//` inside a key is kept. */
export const parseResourcePath = (
  rawPath: string,
): { bucket: string | undefined; key: string | undefined } => {
  if (!rawPath.startsWith('/')) throw invalidUri();
  const slash = rawPath.indexOf('/', 1);
  const bucket = decodeUtf8(percentDecode(slash < 0 ? rawPath.slice(1) : rawPath.slice(1, slash)));
  const key = slash < 0 ? '' : decodeUtf8(percentDecode(rawPath.slice(slash + 1)));
  return { bucket: bucket === '' ? undefined : bucket, key: key === '' ? undefined : key };
};

/**
 * Refuses keys that cannot be addressed safely. `.` and `..` segments are legal in S3, but every URL parser between
 * client and server folds them, so such a key silently names another object.
 */
export const checkKey = (key: string): void => {
  if (key === '' || !key.isWellFormed())
    throw invalidArgument('The object key is not valid UTF-8 text', 'Key');
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) {
    throw new AwsError(400, 'KeyTooLongError', 'Your key is too long', {
      Size: String(Buffer.byteLength(key)),
      MaxSizeAllowed: String(MAX_KEY_BYTES),
    });
  }
  if (key.split('/').some((segment) => segment === '.' || segment === '..')) {
    throw invalidArgument("Object keys with '.' or '..' path segments are refused", 'Key', key);
  }
};

/** Bucket naming rules of general purpose buckets (S3 User Guide). */
export const checkBucketName = (name: string): void => {
  const valid =
    /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) &&
    !name.includes('..') &&
    !/^\d{1,3}(\.\d{1,3}){3}$/.test(name);
  if (!valid) {
    throw new AwsError(400, 'InvalidBucketName', 'The specified bucket is not valid.', { BucketName: name });
  }
};

/** Order of the keys' UTF-8 bytes. Differs from `<` only where a surrogate pair meets U+E000..U+FFFF. */
export const compareKeys = (left: string, right: string): number => {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index += 1) {
    const a = left.charCodeAt(index);
    const b = right.charCodeAt(index);
    if (a === b) continue;
    const aIsSurrogate = a >= 0xd800 && a <= 0xdfff;
    const bIsSurrogate = b >= 0xd800 && b <= 0xdfff;
    if (aIsSurrogate !== bIsSurrogate && a >= 0xd800 && b >= 0xd800) return aIsSurrogate ? 1 : -1;
    return a - b;
  }
  return left.length - right.length;
};

/** Index of the first key not before `key`. */
export const lowerBound = (sortedKeys: readonly string[], key: string): number => {
  let low = 0;
  let high = sortedKeys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareKeys(sortedKeys[middle] ?? '', key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
};
