import {
  checksumElement,
  checksumHeader,
  multipartChecksumType,
  parseChecksumAlgorithm,
} from '../checksums.ts';
import { parseCopyRange, writePrecondition } from '../conditions.ts';
import { entityTooLarge, invalidArgument, invalidRequest, malformedXml } from '../errors.ts';
import { readObjectHeaders } from '../object-headers.ts';
import { MAX_OBJECT_BYTES, receiveText, receiveToFile } from '../receive-body.ts';
import { objectOf, type S3Request, sendEmpty, sendXml } from '../request.ts';
import { withTempFile } from '../store.ts';
import type { ChecksumAlgorithm, UploadRecord } from '../types.ts';
import { CHECKSUM_ALGORITHMS } from '../types.ts';
import {
  abortUpload,
  commitPart,
  completeUpload,
  createUpload,
  getUpload,
  type ListedPart,
} from '../uploads.ts';
import { childrenNamed, childText, parseXml, textElement, xmlDocument } from '../xml.ts';
import { copyToFile, withCopySource } from './copy-object.ts';
import { createdEvent } from './objects.ts';

const MAX_PARTS = 10_000;

const askedChecksum = (amz: ReadonlyMap<string, string>): UploadRecord['checksum'] => {
  const asked = amz.get('x-amz-checksum-algorithm');
  const type = amz.get('x-amz-checksum-type');
  if (asked === undefined) {
    if (type !== undefined)
      throw invalidRequest(
        'The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.',
      );
    return undefined;
  }
  const algorithm = parseChecksumAlgorithm(asked);
  return { algorithm, type: multipartChecksumType(algorithm, type) };
};

export const createMultipartUpload = async (request: S3Request): Promise<void> => {
  const { res, store, amz } = request;
  const { bucket, key } = objectOf(request);
  const checksum = askedChecksum(amz);
  const record = await createUpload(store, bucket, {
    key,
    ...readObjectHeaders(request),
    ...(checksum && { checksum }),
  });
  if (checksum !== undefined) {
    res.setHeader('x-amz-checksum-algorithm', checksum.algorithm);
    res.setHeader('x-amz-checksum-type', checksum.type);
  }
  sendXml(
    res,
    xmlDocument(
      'InitiateMultipartUploadResult',
      textElement('Bucket', bucket.name),
      textElement('Key', key),
      textElement('UploadId', record.uploadId),
    ),
  );
};

const partNumberOf = (text: string | undefined): number => {
  const partNumber = /^\d{1,5}$/.test(text ?? '') ? Number(text) : 0;
  if (partNumber < 1 || partNumber > MAX_PARTS) {
    throw invalidArgument(
      'Part number must be an integer between 1 and 10000, inclusive',
      'partNumber',
      text ?? '',
    );
  }
  return partNumber;
};

const checkPartChecksum = (declared: UploadRecord['checksum'], sent: ChecksumAlgorithm | undefined): void => {
  if (declared === undefined || declared.algorithm === sent) return;
  if (sent === undefined && declared.type === 'FULL_OBJECT') return;
  throw invalidRequest(
    `Checksum Type mismatch occurred, expected checksum Type: ${declared.algorithm.toLowerCase()}, actual checksum Type: ${sent?.toLowerCase() ?? 'null'}`,
  );
};

export const uploadPart = async (request: S3Request): Promise<void> => {
  const { res, store, query } = request;
  const { bucket, key } = objectOf(request);
  const partNumber = partNumberOf(query.get('partNumber'));
  const upload = getUpload(bucket, key, query.get('uploadId') ?? '');
  const part = await withTempFile(store, bucket, async (tempFile) => {
    const received = await receiveToFile(request, tempFile, { maxBytes: MAX_OBJECT_BYTES });
    checkPartChecksum(upload.record.checksum, received.checksum?.algorithm);
    const { size, md5Hex: eTag, checksum } = received;
    return commitPart(store, bucket, upload, {
      partNumber,
      size,
      eTag,
      tempFile,
      ...(checksum && { checksum }),
    });
  });
  res.setHeader('etag', `"${part.eTag}"`);
  if (part.checksum !== undefined)
    res.setHeader(checksumHeader(part.checksum.algorithm), part.checksum.value);
  sendEmpty(res, 200);
};

export const uploadPartCopy = async (request: S3Request): Promise<void> => {
  const { res, store, query, amz } = request;
  const { bucket, key } = objectOf(request);
  const partNumber = partNumberOf(query.get('partNumber'));
  const upload = getUpload(bucket, key, query.get('uploadId') ?? '');
  const part = await withCopySource(request, async ({ record, handle }) => {
    const range = parseCopyRange(amz.get('x-amz-copy-source-range'), record);
    if (range.end - range.start + 1 > MAX_OBJECT_BYTES) throw entityTooLarge(MAX_OBJECT_BYTES);
    return withTempFile(store, bucket, async (tempFile) => {
      const copied = await copyToFile(handle, range, tempFile, upload.record.checksum?.algorithm);
      const { size, md5Hex: eTag, checksum } = copied;
      return commitPart(store, bucket, upload, {
        partNumber,
        size,
        eTag,
        tempFile,
        ...(checksum && { checksum }),
      });
    });
  });
  sendXml(
    res,
    xmlDocument(
      'CopyPartResult',
      textElement('LastModified', new Date(part.lastModifiedMs).toISOString()),
      textElement('ETag', `"${part.eTag}"`),
      part.checksum ? textElement(checksumElement(part.checksum.algorithm), part.checksum.value) : '',
    ),
  );
};

const parseListedParts = (source: string): ListedPart[] => {
  const document = parseXml(source);
  if (document.name !== 'CompleteMultipartUpload') throw malformedXml();
  return childrenNamed(document, 'Part').map((part) => {
    const number = childText(part, 'PartNumber')?.trim();
    const eTag = childText(part, 'ETag')?.trim();
    if (number === undefined || !/^\d{1,9}$/.test(number) || eTag === undefined) throw malformedXml();
    const checksums = new Map<string, string>();
    for (const child of part.children)
      if (child.name.startsWith('Checksum')) checksums.set(child.name, child.text.trim());
    return { partNumber: partNumberOf(number), eTag: eTag.replace(/^"(.*)"$/, '$1'), checksums };
  });
};

const expectedChecksum = (amz: ReadonlyMap<string, string>): string | undefined => {
  for (const algorithm of CHECKSUM_ALGORITHMS) {
    const value = amz.get(checksumHeader(algorithm));
    if (value !== undefined) return value;
  }
  return undefined;
};

const expectedSize = (amz: ReadonlyMap<string, string>): number | undefined => {
  const text = amz.get('x-amz-mp-object-size');
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw invalidRequest('Value for x-amz-mp-object-size header is invalid.');
  return Number(text);
};

export const completeMultipartUpload = async (request: S3Request): Promise<void> => {
  const { req, res, store, query, amz } = request;
  const { bucket, key } = objectOf(request);
  const uploadId = query.get('uploadId') ?? '';
  getUpload(bucket, key, uploadId);
  const listed = parseListedParts(await receiveText({ ...request, amz: withoutObjectChecksum(amz) }));
  const record = await completeUpload(store, bucket, {
    key,
    uploadId,
    listed,
    expectedSize: expectedSize(amz),
    expectedChecksum: expectedChecksum(amz),
    precondition: writePrecondition(req.headers, key),
  });
  request.emit(createdEvent(bucket, record, 'ObjectCreated:CompleteMultipartUpload'));
  sendXml(
    res,
    xmlDocument(
      'CompleteMultipartUploadResult',
      textElement('Location', `http://${req.headers.host ?? ''}${request.rawPath}`),
      textElement('Bucket', bucket.name),
      textElement('Key', key),
      textElement('ETag', `"${record.eTag}"`),
      record.checksum ? textElement(checksumElement(record.checksum.algorithm), record.checksum.value) : '',
      textElement('ChecksumType', record.checksum?.type),
    ),
  );
};

/** On a completion `x-amz-checksum-*` speaks of the object, not of the XML in the body. */
const withoutObjectChecksum = (amz: ReadonlyMap<string, string>): ReadonlyMap<string, string> =>
  new Map(
    [...amz].filter(
      ([name]) => !name.startsWith('x-amz-checksum-') && name !== 'x-amz-sdk-checksum-algorithm',
    ),
  );

export const abortMultipartUpload = async (request: S3Request): Promise<void> => {
  const { bucket, key } = objectOf(request);
  await abortUpload(request.store, bucket, key, request.query.get('uploadId') ?? '');
  sendEmpty(request.res, 204);
};
