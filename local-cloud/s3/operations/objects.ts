import type { ServerResponse } from 'node:http';
import { checksumHeader } from '../checksums.ts';
import { writePrecondition } from '../conditions.ts';
import { noSuchKey, notImplemented } from '../errors.ts';
import { readObjectHeaders, responseOverrides } from '../object-headers.ts';
import { commitObject, removeObject } from '../objects.ts';
import { MAX_OBJECT_BYTES, receiveToFile } from '../receive-body.ts';
import { objectOf, type S3Request, sendEmpty } from '../request.ts';
import { sendObject } from '../send-object.ts';
import { withTempFile } from '../store.ts';
import type { Bucket, ObjectRecord, S3Event, StoredChecksum } from '../types.ts';

export const setChecksum = (res: ServerResponse, checksum: StoredChecksum | undefined): void => {
  if (checksum === undefined) return;
  res.setHeader(checksumHeader(checksum.algorithm), checksum.value);
  res.setHeader('x-amz-checksum-type', checksum.type);
};

export const createdEvent = (
  bucket: Bucket,
  record: ObjectRecord,
  eventName: Exclude<S3Event['eventName'], 'ObjectRemoved:Delete'>,
): S3Event => ({ bucket: bucket.name, key: record.key, size: record.size, eTag: record.eTag, eventName });

export const putObject = async (request: S3Request): Promise<void> => {
  const { req, res, store } = request;
  const { bucket, key } = objectOf(request);
  const headers = readObjectHeaders(request);
  const precondition = writePrecondition(req.headers, key);
  precondition?.(bucket.objects.get(key));
  const record = await withTempFile(store, bucket, async (tempFile) => {
    const received = await receiveToFile(request, tempFile, { maxBytes: MAX_OBJECT_BYTES });
    const { size, md5Hex: eTag } = received;
    const checksum: StoredChecksum | undefined = received.checksum && {
      ...received.checksum,
      type: 'FULL_OBJECT',
    };
    return commitObject(store, bucket, { key, tempFile, size, eTag, headers, checksum, precondition });
  });
  request.emit(createdEvent(bucket, record, 'ObjectCreated:Put'));
  res.setHeader('etag', `"${record.eTag}"`);
  setChecksum(res, record.checksum);
  sendEmpty(res, 200);
};

/** GET and HEAD. */
export const getObject = async (request: S3Request): Promise<void> => {
  const { req, res, store, query, amz } = request;
  if (query.has('partNumber') || query.has('versionId')) throw notImplemented();
  const { bucket, key } = objectOf(request);
  const overrides = responseOverrides(query);
  const withChecksum = amz.get('x-amz-checksum-mode')?.toUpperCase() === 'ENABLED';
  const found = await sendObject({ req, res, store, bucket, key, headers: () => overrides, withChecksum });
  if (!found) throw noSuchKey(key);
};

export const deleteObject = async (request: S3Request): Promise<void> => {
  const { req, res, store } = request;
  if (request.query.has('versionId')) throw notImplemented();
  const { bucket, key } = objectOf(request);
  const removed = await removeObject(store, bucket, key, writePrecondition(req.headers, key));
  if (removed !== undefined)
    request.emit({ bucket: bucket.name, key, size: 0, eTag: '', eventName: 'ObjectRemoved:Delete' });
  sendEmpty(res, 204);
};
