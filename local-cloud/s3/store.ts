import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  bucketDir,
  objectPaths,
  objectsDir,
  randomName,
  readJson,
  tempPath,
  uploadsDir,
  writeJsonAtomically,
} from './disk.ts';
import { AwsError, noSuchBucket } from './errors.ts';
import { checkBucketName, compareKeys } from './keys.ts';
import { createLocks, type Locks } from './locks.ts';
import type { Bucket, CorsRule, ObjectRecord, PartRecord, Upload, UploadRecord } from './types.ts';

/** Everything the server knows; the disk is the truth and these maps its index, loaded at start. */
export type Store = { dataDir: string; buckets: Map<string, Bucket>; locks: Locks; now: () => Date };

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

const hasText = (value: unknown, ...names: readonly string[]): value is Record<string, unknown> =>
  isRecord(value) && names.every((name) => typeof value[name] === 'string');

const emptyBucket = (name: string, createdAtMs: number, cors: readonly CorsRule[] | undefined): Bucket => ({
  name,
  createdAtMs,
  cors,
  objects: new Map(),
  sortedKeys: [],
  uploads: new Map(),
  pendingCommits: 0,
});

/** Reads the sidecars of a directory, and deletes what no sidecar names: leftovers of a crash between two steps. */
const loadSidecars = async (directory: string): Promise<Record<string, unknown>[]> => {
  const names = await readdir(directory);
  const present = new Set(names);
  const values = await Promise.all(
    names
      .filter((name) => name.endsWith('.json'))
      .map(async (name) => ({ name, value: await readJson(join(directory, name)) })),
  );
  const kept: Record<string, unknown>[] = [];
  const used = new Set<string>();
  for (const { name, value } of values) {
    if (name === 'upload.json') {
      used.add(name);
    } else if (hasText(value, 'dataFile', 'eTag') && present.has(String(value.dataFile))) {
      used.add(name).add(String(value.dataFile));
      kept.push(value);
    }
  }
  await Promise.all(
    names.filter((name) => !used.has(name)).map((name) => rm(join(directory, name), { force: true })),
  );
  return kept;
};

const loadObjects = async (bucket: Bucket, directory: string): Promise<void> => {
  for (const prefix of await readdir(directory)) {
    for (const value of await loadSidecars(join(directory, prefix))) {
      const record = value as ObjectRecord;
      bucket.objects.set(record.key, record);
    }
  }
  bucket.sortedKeys = [...bucket.objects.keys()].sort(compareKeys);
};

const loadUploads = async (bucket: Bucket, directory: string): Promise<void> => {
  for (const uploadId of await readdir(directory)) {
    const record = await readJson(join(directory, uploadId, 'upload.json'));
    if (!hasText(record, 'uploadId', 'key')) {
      await rm(join(directory, uploadId), { recursive: true, force: true });
      continue;
    }
    const upload: Upload = { record: record as UploadRecord, parts: new Map() };
    for (const value of await loadSidecars(join(directory, uploadId))) {
      const part = value as PartRecord;
      upload.parts.set(part.partNumber, part);
    }
    bucket.uploads.set(uploadId, upload);
  }
};

const makeBucketDirs = async (dataDir: string, name: string): Promise<void> => {
  await rm(join(bucketDir(dataDir, name), 'tmp'), { recursive: true, force: true });
  await Promise.all(
    [objectsDir(dataDir, name), uploadsDir(dataDir, name), join(bucketDir(dataDir, name), 'tmp')].map(
      (directory) => mkdir(directory, { recursive: true }),
    ),
  );
};

/** Opens a data directory, making it when missing, and brings it back to a state in which every write is whole. */
export const openStore = async (dataDir: string, now: () => Date): Promise<Store> => {
  await mkdir(dataDir, { recursive: true });
  const store: Store = { dataDir, buckets: new Map(), locks: createLocks(), now };
  for (const name of await readdir(dataDir)) {
    const saved = await readJson(join(dataDir, name, 'bucket.json'));
    if (name.startsWith('.deleted-')) await rm(join(dataDir, name), { recursive: true, force: true });
    if (!isRecord(saved) || saved.name !== name || typeof saved.createdAtMs !== 'number') continue;
    const cors = Array.isArray(saved.cors) ? (saved.cors as CorsRule[]) : undefined;
    const bucket = emptyBucket(name, saved.createdAtMs, cors);
    await makeBucketDirs(dataDir, name);
    await loadObjects(bucket, objectsDir(dataDir, name));
    await loadUploads(bucket, uploadsDir(dataDir, name));
    store.buckets.set(name, bucket);
  }
  return store;
};

const saveBucket = (store: Store, bucket: Bucket): Promise<void> =>
  writeJsonAtomically(join(bucketDir(store.dataDir, bucket.name), 'bucket.json'), {
    name: bucket.name,
    createdAtMs: bucket.createdAtMs,
    ...(bucket.cors && { cors: bucket.cors }),
  });

/** The bucket of that name; throws `NoSuchBucket`. */
export const getBucket = (store: Store, name: string): Bucket => {
  const bucket = store.buckets.get(name);
  if (bucket === undefined) throw noSuchBucket(name);
  return bucket;
};

/** Makes a bucket. Returns false when it was there already. Throws `InvalidBucketName`. */
export const createBucket = (store: Store, name: string): Promise<boolean> =>
  store.locks.run(`bucket ${name}`, async () => {
    checkBucketName(name);
    if (store.buckets.has(name)) return false;
    const bucket = emptyBucket(name, store.now().getTime(), undefined);
    await makeBucketDirs(store.dataDir, name);
    await saveBucket(store, bucket);
    store.buckets.set(name, bucket);
    return true;
  });

/** Deletes an empty bucket with its unfinished uploads. Throws `BucketNotEmpty`, `OperationAborted`. */
export const deleteBucket = (store: Store, name: string): Promise<void> =>
  store.locks.run(`bucket ${name}`, async () => {
    const bucket = getBucket(store, name);
    if (bucket.objects.size > 0) {
      throw new AwsError(409, 'BucketNotEmpty', 'The bucket you tried to delete is not empty', {
        BucketName: name,
      });
    }
    if (bucket.pendingCommits > 0) {
      throw new AwsError(
        409,
        'OperationAborted',
        'A conflicting operation is in progress against this bucket.',
      );
    }
    store.buckets.delete(name);
    const grave = join(store.dataDir, `.deleted-${randomName()}`);
    await rename(bucketDir(store.dataDir, name), grave);
    await rm(grave, { recursive: true, force: true });
  });

export const setBucketCors = (
  store: Store,
  name: string,
  cors: readonly CorsRule[] | undefined,
): Promise<void> =>
  store.locks.run(`bucket ${name}`, async () => {
    const bucket = getBucket(store, name);
    bucket.cors = cors;
    await saveBucket(store, bucket);
  });

/**
 * Gives `task` a fresh path to write into, in the bucket's own file system, and removes whatever is left there.
 * A task that succeeds has renamed its file away.
 */
export const withTempFile = async <T>(
  store: Store,
  bucket: Bucket,
  task: (path: string) => Promise<T>,
): Promise<T> => {
  const path = tempPath(store.dataDir, bucket.name);
  try {
    return await task(path);
  } finally {
    await rm(path, { force: true });
  }
};

/** Runs the last step of a write, during which the bucket cannot be deleted. Throws `NoSuchBucket` if it was before. */
export const commit = async <T>(store: Store, bucket: Bucket, task: () => Promise<T>): Promise<T> => {
  if (store.buckets.get(bucket.name) !== bucket) throw noSuchBucket(bucket.name);
  bucket.pendingCommits += 1;
  try {
    return await task();
  } finally {
    bucket.pendingCommits -= 1;
  }
};

/** Path of an object's bytes. */
export const dataPath = (store: Store, bucket: Bucket, record: ObjectRecord): string =>
  join(objectPaths(store.dataDir, bucket.name, record.key).directory, record.dataFile);
