import { uriEncode } from '../../aws-gate/canonical.ts';
import { invalidArgument } from '../errors.ts';
import { compareKeys, lowerBound } from '../keys.ts';
import { bucketOf, integerParameter, type S3Request, sendXml } from '../request.ts';
import type { Bucket, ObjectRecord } from '../types.ts';
import { element, textElement, xmlDocument } from '../xml.ts';
import { OWNER_XML } from './buckets.ts';

const MAX_KEYS = 1000;

type Page = {
  records: ObjectRecord[];
  commonPrefixes: string[];
  /** Last key or common prefix of the page when there is more after it. */
  next: string | undefined;
};

/** The common prefix a key rolls up into, if any. */
export const commonPrefixOf = (key: string, prefix: string, delimiter: string): string | undefined => {
  if (delimiter === '') return undefined;
  const at = key.indexOf(delimiter, prefix.length);
  return at < 0 ? undefined : key.slice(0, at + delimiter.length);
};

/** Keys after `after`; when `after` is itself a common prefix of this listing, after everything it rolls up. */
const listPage = (
  bucket: Bucket,
  input: { prefix: string; delimiter: string; after: string; maxKeys: number },
): Page => {
  const { prefix, delimiter, after, maxKeys } = input;
  const page: Page = { records: [], commonPrefixes: [], next: undefined };
  if (maxKeys === 0) return page;
  const skipped =
    after.startsWith(prefix) && commonPrefixOf(after, prefix, delimiter) === after ? after : undefined;
  let index = lowerBound(bucket.sortedKeys, compareKeys(after, prefix) > 0 ? after : prefix);
  let last = '';
  for (; index < bucket.sortedKeys.length; index += 1) {
    const key = bucket.sortedKeys[index] ?? '';
    if (!key.startsWith(prefix)) break;
    if (after !== '' && compareKeys(key, after) <= 0) continue;
    const rolledUp = commonPrefixOf(key, prefix, delimiter);
    if (rolledUp !== undefined && (rolledUp === page.commonPrefixes.at(-1) || rolledUp === skipped)) continue;
    if (page.records.length + page.commonPrefixes.length === maxKeys) {
      page.next = last;
      break;
    }
    const record = bucket.objects.get(key);
    if (rolledUp !== undefined) page.commonPrefixes.push(rolledUp);
    else if (record !== undefined) page.records.push(record);
    last = rolledUp ?? key;
  }
  return page;
};

/** `encoding-type=url` lets keys through that XML 1.0 cannot hold. */
export const textEncoder = (query: ReadonlyMap<string, string>): ((text: string) => string) => {
  const type = query.get('encoding-type');
  if (type === undefined) return (text) => text;
  if (type !== 'url')
    throw invalidArgument('Invalid Encoding Method specified in Request', 'encoding-type', type);
  return (text) => uriEncode(Buffer.from(text), true);
};

export const commonPrefixElements = (
  prefixes: readonly string[],
  encode: (text: string) => string,
): string[] => prefixes.map((prefix) => element('CommonPrefixes', textElement('Prefix', encode(prefix))));

const contents = (
  records: readonly ObjectRecord[],
  encode: (text: string) => string,
  withOwner: boolean,
): string[] =>
  records.map((record) =>
    element(
      'Contents',
      textElement('Key', encode(record.key)),
      textElement('LastModified', new Date(record.lastModifiedMs).toISOString()),
      textElement('ETag', `"${record.eTag}"`),
      textElement('ChecksumAlgorithm', record.checksum?.algorithm),
      textElement('ChecksumType', record.checksum?.type),
      textElement('Size', record.size),
      withOwner ? OWNER_XML : '',
      textElement('StorageClass', 'STANDARD'),
    ),
  );

const encodeToken = (after: string): string => Buffer.from(`1${after}`).toString('base64url');

const decodeToken = (token: string): string => {
  const text = Buffer.from(token, 'base64url').toString('utf8');
  if (!text.startsWith('1') || encodeToken(text.slice(1)) !== token) {
    throw invalidArgument('The continuation token provided is incorrect', 'continuation-token');
  }
  return text.slice(1);
};

export const listObjectsV2 = async (request: S3Request): Promise<void> => {
  const { query, res } = request;
  const bucket = bucketOf(request);
  const encode = textEncoder(query);
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const maxKeys = integerParameter(query, 'max-keys', MAX_KEYS, MAX_KEYS);
  const token = query.get('continuation-token');
  const startAfter = query.get('start-after');
  const after = token === undefined ? (startAfter ?? '') : decodeToken(token);
  const page = listPage(bucket, { prefix, delimiter, after, maxKeys });
  sendXml(
    res,
    xmlDocument(
      'ListBucketResult',
      textElement('Name', bucket.name),
      textElement('Prefix', encode(prefix)),
      textElement('Delimiter', delimiter === '' ? undefined : encode(delimiter)),
      textElement('StartAfter', startAfter === undefined ? undefined : encode(startAfter)),
      textElement('ContinuationToken', token),
      textElement('NextContinuationToken', page.next === undefined ? undefined : encodeToken(page.next)),
      textElement('KeyCount', page.records.length + page.commonPrefixes.length),
      textElement('MaxKeys', maxKeys),
      textElement('EncodingType', query.get('encoding-type')),
      textElement('IsTruncated', page.next !== undefined),
      ...contents(page.records, encode, query.get('fetch-owner') === 'true'),
      ...commonPrefixElements(page.commonPrefixes, encode),
    ),
  );
};

/** ListObjects, version 1: a marker instead of a token, `NextMarker` only with a delimiter. */
export const listObjectsV1 = async (request: S3Request): Promise<void> => {
  const { query, res } = request;
  const bucket = bucketOf(request);
  const encode = textEncoder(query);
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const marker = query.get('marker') ?? '';
  const maxKeys = integerParameter(query, 'max-keys', MAX_KEYS, MAX_KEYS);
  const page = listPage(bucket, { prefix, delimiter, after: marker, maxKeys });
  sendXml(
    res,
    xmlDocument(
      'ListBucketResult',
      textElement('Name', bucket.name),
      textElement('Prefix', encode(prefix)),
      textElement('Marker', encode(marker)),
      textElement('NextMarker', page.next !== undefined && delimiter !== '' ? encode(page.next) : undefined),
      textElement('Delimiter', delimiter === '' ? undefined : encode(delimiter)),
      textElement('MaxKeys', maxKeys),
      textElement('EncodingType', query.get('encoding-type')),
      textElement('IsTruncated', page.next !== undefined),
      ...contents(page.records, encode, true),
      ...commonPrefixElements(page.commonPrefixes, encode),
    ),
  );
};
