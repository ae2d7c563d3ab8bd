import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { percentDecode } from '../../aws-gate/canonical.ts';
import { checksumElement, createChecksum, parseChecksumAlgorithm } from '../checksums.ts';
import {
  type ByteRange,
  copySourceConditions,
  evaluateCopySource,
  writePrecondition,
} from '../conditions.ts';
import { appendFileRange } from '../disk.ts';
import { entityTooLarge, invalidArgument, invalidRequest, noSuchKey, notImplemented } from '../errors.ts';
import { checkKey, decodeUtf8 } from '../keys.ts';
import { readObjectHeaders } from '../object-headers.ts';
import { commitObject } from '../objects.ts';
import { type OpenObject, openObject } from '../open-object.ts';
import { MAX_OBJECT_BYTES } from '../receive-body.ts';
import { objectOf, type S3Request, sendXml } from '../request.ts';
import { getBucket, withTempFile } from '../store.ts';
import type { Bucket, ChecksumAlgorithm, ObjectHeaders, ObjectRecord } from '../types.ts';
import { textElement, xmlDocument } from '../xml.ts';
import { createdEvent } from './objects.ts';

export type CopySource = OpenObject & { bucket: Bucket };

const parseCopySource = (header: string): { bucketName: string; key: string } => {
  if (header.includes('?')) throw notImplemented();
  const path = decodeUtf8(percentDecode(header.replace(/^\//, ''), true));
  const slash = path.indexOf('/');
  if (slash <= 0) {
    throw invalidArgument(
      'Copy Source must mention the source bucket and key: sourcebucket/sourcekey',
      'x-amz-copy-source',
    );
  }
  return { bucketName: path.slice(0, slash), key: path.slice(slash + 1) };
};

/** Runs `task` with the object `x-amz-copy-source` names (`/bucket/key`, percent-encoded), its conditions evaluated. */
export const withCopySource = async <T>(
  request: S3Request,
  task: (source: CopySource) => Promise<T>,
): Promise<T> => {
  const { bucketName, key } = parseCopySource(request.amz.get('x-amz-copy-source') ?? '');
  checkKey(key);
  const bucket = getBucket(request.store, bucketName);
  const opened = await openObject(request.store, bucket, key);
  if (opened === undefined) throw noSuchKey(key);
  try {
    evaluateCopySource(opened.record, copySourceConditions(request.amz));
    return await task({ ...opened, bucket });
  } finally {
    await opened.handle.close();
  }
};

type Copied = {
  size: number;
  md5Hex: string;
  checksum: { algorithm: ChecksumAlgorithm; value: string } | undefined;
};

/** Copies a range of an open object into a new file, with its MD5 and, if asked, a checksum. */
export const copyToFile = async (
  source: FileHandle,
  range: ByteRange,
  target: string,
  algorithm: ChecksumAlgorithm | undefined,
): Promise<Copied> => {
  const md5 = createHash('md5');
  const running = algorithm && createChecksum(algorithm);
  const size = range.end - range.start + 1;
  const handle = await open(target, 'wx');
  try {
    await appendFileRange(source, handle, range.start, size, (slice) => {
      md5.update(slice);
      running?.update(slice);
    });
  } finally {
    await handle.close();
  }
  const value = running?.digest().toString('base64');
  return {
    size,
    md5Hex: md5.digest('hex'),
    checksum: algorithm !== undefined && value !== undefined ? { algorithm, value } : undefined,
  };
};

const copiedHeaders = (request: S3Request, source: ObjectRecord, onItself: boolean): ObjectHeaders => {
  const directive = request.amz.get('x-amz-metadata-directive') ?? 'COPY';
  const given = readObjectHeaders(request);
  if (directive === 'REPLACE') return given;
  if (directive !== 'COPY')
    throw invalidArgument('Unknown metadata directive.', 'x-amz-metadata-directive', directive);
  if (onItself) {
    throw invalidRequest(
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    );
  }
  return { system: source.system, user: source.user };
};

const copyAlgorithm = (request: S3Request, source: ObjectRecord): ChecksumAlgorithm | undefined => {
  const asked = request.amz.get('x-amz-checksum-algorithm');
  return asked === undefined ? source.checksum?.algorithm : parseChecksumAlgorithm(asked);
};

export const copyObject = async (request: S3Request): Promise<void> => {
  const { req, res, store } = request;
  const { bucket, key } = objectOf(request);
  const precondition = writePrecondition(req.headers, key);
  const record = await withCopySource(request, async (source) => {
    if (source.record.size > MAX_OBJECT_BYTES) throw entityTooLarge(MAX_OBJECT_BYTES);
    const headers = copiedHeaders(
      request,
      source.record,
      source.bucket === bucket && source.record.key === key,
    );
    const algorithm = copyAlgorithm(request, source.record);
    const wholeObject = { start: 0, end: source.record.size - 1 };
    return withTempFile(store, bucket, async (tempFile) => {
      const { size, md5Hex, checksum } = await copyToFile(source.handle, wholeObject, tempFile, algorithm);
      return commitObject(store, bucket, {
        key,
        tempFile,
        size,
        eTag: md5Hex,
        headers,
        checksum: checksum && { ...checksum, type: 'FULL_OBJECT' },
        // The tagging directive is COPY; the other is refused.
        tags: source.record.tags,
        precondition,
      });
    });
  });
  request.emit(createdEvent(bucket, record, 'ObjectCreated:Copy'));
  sendXml(
    res,
    xmlDocument(
      'CopyObjectResult',
      textElement('LastModified', new Date(record.lastModifiedMs).toISOString()),
      textElement('ETag', `"${record.eTag}"`),
      record.checksum ? textElement(checksumElement(record.checksum.algorithm), record.checksum.value) : '',
    ),
  );
};
