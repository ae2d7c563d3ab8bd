import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { checksumHeader } from './checksums.ts';
import { type ByteRange, evaluateRead, parseRange, readConditions } from './conditions.ts';
import { openObject } from './open-object.ts';
import type { Store } from './store.ts';
import type { Bucket, ObjectRecord } from './types.ts';

const READ_BUFFER_BYTES = 256 * 1024;

const setObjectHeaders = (
  res: ServerResponse,
  record: ObjectRecord,
  headers: Record<string, string>,
): void => {
  res.setHeader('etag', `"${record.eTag}"`);
  res.setHeader('last-modified', new Date(record.lastModifiedMs).toUTCString());
  res.setHeader('accept-ranges', 'bytes');
  for (const [name, value] of Object.entries(record.system)) res.setHeader(name, value);
  for (const [name, value] of Object.entries(record.user)) res.setHeader(`x-amz-meta-${name}`, value);
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
};

const setLengthHeaders = (res: ServerResponse, record: ObjectRecord, range: ByteRange | undefined): void => {
  res.statusCode = range === undefined ? 200 : 206;
  res.setHeader('content-length', range === undefined ? record.size : range.end - range.start + 1);
  if (range !== undefined) res.setHeader('content-range', `bytes ${range.start}-${range.end}/${record.size}`);
};

/** The stored checksum covers the whole object, so a range does not carry it. */
const setChecksumHeaders = (res: ServerResponse, record: ObjectRecord): void => {
  if (record.checksum === undefined) return;
  res.setHeader(checksumHeader(record.checksum.algorithm), record.checksum.value);
  res.setHeader('x-amz-checksum-type', record.checksum.type);
};

/**
 * Answers a GET or HEAD with an object: conditions, then one range, then the bytes, streamed. A reader keeps the version
 * it started with, even when the object is overwritten or deleted meanwhile.
 * Returns false, having sent nothing, when there is no such object. Throws `PreconditionFailed`, `InvalidRange`.
 */
export const sendObject = async (input: {
  req: IncomingMessage;
  res: ServerResponse;
  store: Store;
  bucket: Bucket;
  key: string;
  headers: (record: ObjectRecord) => Record<string, string>;
  withChecksum: boolean;
}): Promise<boolean> => {
  const { req, res } = input;
  const opened = await openObject(input.store, input.bucket, input.key);
  if (opened === undefined) return false;
  const { record, handle } = opened;
  try {
    if (evaluateRead(record, readConditions(req.headers)) === 'not-modified') {
      setObjectHeaders(res, record, input.headers(record));
      res.removeHeader('content-type');
      res.statusCode = 304;
      res.end();
      return true;
    }
    const range = parseRange(req.headers, record);
    setObjectHeaders(res, record, input.headers(record));
    setLengthHeaders(res, record, range);
    if (range === undefined && input.withChecksum) setChecksumHeaders(res, record);
    if (req.method === 'HEAD' || record.size === 0) {
      res.end();
      return true;
    }
    const bounds = range ?? { start: 0, end: record.size - 1 };
    const source = handle.createReadStream({ ...bounds, highWaterMark: READ_BUFFER_BYTES, autoClose: false });
    await pipeline(source, res);
    return true;
  } finally {
    await handle.close();
  }
};
