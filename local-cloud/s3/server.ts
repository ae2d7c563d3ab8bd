import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AwsCredentials } from '../aws-gate/verify.ts';
import { checkCorsRules } from './cors.ts';
import { appendFileRange } from './disk.ts';
import { type HandlerOptions, handleRequest } from './handle-request.ts';
import { checkKey } from './keys.ts';
import { commitObject, removeObject, tagObject } from './objects.ts';
import { createdEvent } from './operations/objects.ts';
import { sendObject } from './send-object.ts';
import {
  createBucket,
  dataPath,
  getBucket,
  openStore,
  type Store,
  setBucketCors,
  withTempFile,
} from './store.ts';
import type { CorsRule, ObjectRecord, S3Event } from './types.ts';

export type { CorsRule, S3Event } from './types.ts';

export type S3ServerOptions = {
  /** 0 picks a free one. */
  port: number;
  host?: string;
  dataDir: string;
  region: string;
  credentials: readonly AwsCredentials[];
  /** Made at start when missing; `cors` replaces what the bucket had. */
  buckets?: readonly { name: string; cors?: readonly CorsRule[] }[];
  /** Called after a change is on disk, before its request is answered. */
  onEvent?: (event: S3Event) => void;
  now?: () => Date;
};

export type DeliveredFile = { contentType: string; cacheControl?: string };

export type S3Server = {
  url: string;
  port: number;
  /** Stops listening, gives running requests a second, waits until their temporary files are gone. */
  close(): Promise<void>;
  hasBucket(bucket: string): boolean;
  /** Path of the object's bytes on disk, to be read only. An overwrite or delete removes that file. */
  objectPath(bucket: string, key: string): string | undefined;
  /** Copies a local file into an object, in one step for readers. Throws `AwsError` (`NoSuchBucket`, bad key). */
  putFile(bucket: string, key: string, sourcePath: string, file: DeliveredFile): Promise<void>;
  /** Keys of a bucket that begin with `prefix`, in order, with their etags (unquoted), sizes and tags. */
  listObjects(
    bucket: string,
    prefix: string,
  ): { key: string; eTag: string; size: number; tags: Readonly<Record<string, string>> }[];
  /** Sets tags of an object beside those it has, if its etag is still `eTag`; false when it is not there any more. */
  tagObject(
    bucket: string,
    key: string,
    eTag: string,
    tags: Readonly<Record<string, string>>,
  ): Promise<boolean>;
  /** Removes an object. Quiet when there is none. */
  deleteObject(bucket: string, key: string): Promise<void>;
  /** Answers a GET or HEAD of an object without asking for a signature; false, with nothing sent, if there is none. */
  serveObject(input: {
    bucket: string;
    key: string;
    req: IncomingMessage;
    res: ServerResponse;
    headers: (record: ObjectRecord) => Record<string, string>;
  }): Promise<boolean>;
};

const CLOSE_GRACE_MS = 1000;
const REQUEST_TIMEOUT_MS = 60 * 60 * 1000;
const KEEP_ALIVE_MS = 65_000;

const prepareBuckets = async (store: Store, buckets: S3ServerOptions['buckets']): Promise<void> => {
  for (const { name, cors } of buckets ?? []) {
    await createBucket(store, name);
    if (cors === undefined) continue;
    checkCorsRules(cors);
    await setBucketCors(store, name, cors);
  }
};

const putFile = async (
  { store, emit }: HandlerOptions,
  bucketName: string,
  key: string,
  sourcePath: string,
  file: DeliveredFile,
): Promise<void> => {
  const bucket = getBucket(store, bucketName);
  checkKey(key);
  const record = await withTempFile(store, bucket, async (tempFile) => {
    const md5 = createHash('md5');
    const source = await open(sourcePath, 'r');
    try {
      const { size } = await source.stat();
      const target = await open(tempFile, 'wx');
      try {
        await appendFileRange(source, target, 0, size, (slice) => void md5.update(slice));
      } finally {
        await target.close();
      }
      const system = {
        'content-type': file.contentType,
        ...(file.cacheControl !== undefined && { 'cache-control': file.cacheControl }),
      };
      const eTag = md5.digest('hex');
      return await commitObject(store, bucket, {
        key,
        tempFile,
        size,
        eTag,
        headers: { system, user: {} },
        checksum: undefined,
      });
    } finally {
      await source.close();
    }
  });
  emit(createdEvent(bucket, record, 'ObjectCreated:Put'));
};

const safeEmit =
  (onEvent: S3ServerOptions['onEvent']) =>
  (event: S3Event): void => {
    try {
      onEvent?.(event);
    } catch (error) {
      console.error('s3: an event listener failed:', error);
    }
  };

/**
 * Starts an S3-compatible server on loopback, path-style, for development. Every request but a CORS preflight must be
 * signed with SigV4. State is on disk under `dataDir` and survives restarts; one process may use a directory at a time.
 * Rejects when the port is taken.
 */
export const startS3Server = async (options: S3ServerOptions): Promise<S3Server> => {
  const { host = '127.0.0.1', region, credentials } = options;
  const store = await openStore(options.dataDir, options.now ?? (() => new Date()));
  await prepareBuckets(store, options.buckets);
  const handlerOptions: HandlerOptions = { store, region, credentials, emit: safeEmit(options.onEvent) };

  const running = new Set<Promise<void>>();
  const onRequest = (req: IncomingMessage, res: ServerResponse): void => {
    const done = handleRequest(req, res, handlerOptions).finally(() => running.delete(done));
    running.add(done);
  };
  const server = createServer(
    { requestTimeout: REQUEST_TIMEOUT_MS, keepAliveTimeout: KEEP_ALIVE_MS },
    onRequest,
  );
  server.on('checkContinue', onRequest);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, host, resolve);
  });
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://${host}:${port}`,
    port,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const timer = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS);
      await closed;
      clearTimeout(timer);
      await Promise.all(running);
    },
    hasBucket: (name) => store.buckets.has(name),
    objectPath(bucketName, key) {
      const bucket = store.buckets.get(bucketName);
      const record = bucket?.objects.get(key);
      return bucket && record && dataPath(store, bucket, record);
    },
    putFile: (bucket, key, sourcePath, file) => putFile(handlerOptions, bucket, key, sourcePath, file),
    listObjects(bucketName, prefix) {
      const objects = [...(store.buckets.get(bucketName)?.objects.values() ?? [])];
      return objects
        .filter((record) => record.key.startsWith(prefix))
        .map(({ key, eTag, size, tags = {} }) => ({ key, eTag, size, tags }));
    },
    async tagObject(bucketName, key, eTag, tags) {
      const bucket = store.buckets.get(bucketName);
      const existing = bucket?.objects.get(key);
      if (bucket === undefined || existing === undefined) return false;
      const all = { ...existing.tags, ...tags };
      return (await tagObject(store, bucket, key, all, (record) => record.eTag === eTag)) !== undefined;
    },
    async deleteObject(bucketName, key) {
      const bucket = store.buckets.get(bucketName);
      const removed = bucket && (await removeObject(store, bucket, key));
      if (removed)
        handlerOptions.emit({
          bucket: bucketName,
          key,
          size: 0,
          eTag: '',
          eventName: 'ObjectRemoved:Delete',
        });
    },
    async serveObject({ bucket: bucketName, key, req, res, headers }) {
      const bucket = store.buckets.get(bucketName);
      if (bucket === undefined) return false;
      return sendObject({ req, res, store, bucket, key, headers, withChecksum: false });
    },
  };
};
