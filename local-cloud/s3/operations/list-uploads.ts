import { checksumElement } from '../checksums.ts';
import { compareKeys } from '../keys.ts';
import { bucketOf, integerParameter, objectOf, type S3Request, sendXml } from '../request.ts';
import type { UploadRecord } from '../types.ts';
import { getUpload } from '../uploads.ts';
import { element, textElement, xmlDocument } from '../xml.ts';
import { OWNER_XML } from './buckets.ts';
import { commonPrefixElements, commonPrefixOf, textEncoder } from './list-objects.ts';

const MAX_ITEMS = 1000;
const INITIATOR_XML = OWNER_XML.replaceAll('Owner>', 'Initiator>');

/** ListParts: parts held, in part number order, paged by `part-number-marker`. */
export const listParts = async (request: S3Request): Promise<void> => {
  const { query, res } = request;
  const { bucket, key } = objectOf(request);
  const { record, parts } = getUpload(bucket, key, query.get('uploadId') ?? '');
  const encode = textEncoder(query);
  const marker = integerParameter(query, 'part-number-marker', 0, Number.MAX_SAFE_INTEGER);
  const maxParts = integerParameter(query, 'max-parts', MAX_ITEMS, MAX_ITEMS);
  const rest = [...parts.values()]
    .filter((part) => part.partNumber > marker)
    .sort((left, right) => left.partNumber - right.partNumber);
  const page = rest.slice(0, maxParts);
  sendXml(
    res,
    xmlDocument(
      'ListPartsResult',
      textElement('Bucket', bucket.name),
      textElement('Key', encode(key)),
      textElement('UploadId', record.uploadId),
      textElement('PartNumberMarker', marker),
      textElement('NextPartNumberMarker', page.at(-1)?.partNumber ?? 0),
      textElement('MaxParts', maxParts),
      textElement('EncodingType', query.get('encoding-type')),
      textElement('IsTruncated', maxParts > 0 && rest.length > maxParts),
      ...page.map((part) =>
        element(
          'Part',
          textElement('PartNumber', part.partNumber),
          textElement('LastModified', new Date(part.lastModifiedMs).toISOString()),
          textElement('ETag', `"${part.eTag}"`),
          textElement('Size', part.size),
          part.checksum ? textElement(checksumElement(part.checksum.algorithm), part.checksum.value) : '',
        ),
      ),
      INITIATOR_XML,
      OWNER_XML,
      textElement('StorageClass', 'STANDARD'),
      textElement('ChecksumAlgorithm', record.checksum?.algorithm),
      textElement('ChecksumType', record.checksum?.type),
    ),
  );
};

/** Upload ids begin with the time, so this is also the order in which uploads of one key began. */
const byKeyThenId = (left: UploadRecord, right: UploadRecord): number =>
  compareKeys(left.key, right.key) || compareKeys(left.uploadId, right.uploadId);

/** Whether an upload comes after the markers: a later key, or the marker's own key and a later id. */
const isAfter = (record: UploadRecord, keyMarker: string, uploadIdMarker: string): boolean => {
  const order = compareKeys(record.key, keyMarker);
  return order > 0 || (order === 0 && uploadIdMarker !== '' && record.uploadId > uploadIdMarker);
};

/** ListMultipartUploads, with prefix, delimiter and paging by key and upload id. */
export const listMultipartUploads = async (request: S3Request): Promise<void> => {
  const { query, res } = request;
  const bucket = bucketOf(request);
  const encode = textEncoder(query);
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const keyMarker = query.get('key-marker') ?? '';
  const uploadIdMarker = query.get('upload-id-marker') ?? '';
  const maxUploads = integerParameter(query, 'max-uploads', MAX_ITEMS, MAX_ITEMS);
  const sorted = [...bucket.uploads.values()]
    .map((upload) => upload.record)
    .filter((record) => record.key.startsWith(prefix) && isAfter(record, keyMarker, uploadIdMarker))
    .sort(byKeyThenId);
  const page: UploadRecord[] = [];
  const prefixes: string[] = [];
  let truncated = false;
  let nextKey = '';
  let nextUploadId = '';
  for (const record of sorted) {
    const rolledUp = commonPrefixOf(record.key, prefix, delimiter);
    if (rolledUp !== undefined && (rolledUp === prefixes.at(-1) || rolledUp === keyMarker)) continue;
    if (page.length + prefixes.length >= maxUploads) {
      truncated = maxUploads > 0;
      break;
    }
    if (rolledUp === undefined) page.push(record);
    else prefixes.push(rolledUp);
    nextKey = rolledUp ?? record.key;
    nextUploadId = rolledUp === undefined ? record.uploadId : '';
  }
  sendXml(
    res,
    xmlDocument(
      'ListMultipartUploadsResult',
      textElement('Bucket', bucket.name),
      textElement('KeyMarker', encode(keyMarker)),
      textElement('UploadIdMarker', uploadIdMarker),
      textElement('NextKeyMarker', truncated ? encode(nextKey) : undefined),
      textElement('NextUploadIdMarker', truncated ? nextUploadId : undefined),
      textElement('Prefix', encode(prefix)),
      textElement('Delimiter', delimiter === '' ? undefined : encode(delimiter)),
      textElement('MaxUploads', maxUploads),
      textElement('EncodingType', query.get('encoding-type')),
      textElement('IsTruncated', truncated),
      ...page.map((record) =>
        element(
          'Upload',
          textElement('Key', encode(record.key)),
          textElement('UploadId', record.uploadId),
          INITIATOR_XML,
          OWNER_XML,
          textElement('StorageClass', 'STANDARD'),
          textElement('Initiated', new Date(record.initiatedMs).toISOString()),
          textElement('ChecksumAlgorithm', record.checksum?.algorithm),
          textElement('ChecksumType', record.checksum?.type),
        ),
      ),
      ...commonPrefixElements(prefixes, encode),
    ),
  );
};
