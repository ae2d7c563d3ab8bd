import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { objectPaths, writeJsonAtomically } from './disk.ts';
import { compareKeys, lowerBound } from './keys.ts';
import { commit, dataPath, type Store } from './store.ts';
import type { Bucket, ObjectHeaders, ObjectRecord, StoredChecksum } from './types.ts';

/** Looks at what is there just before a write; throws to stop it. */
export type Precondition = (existing: ObjectRecord | undefined) => void;

export type NewObject = {
  key: string;
  /** Finished file to take over, in the bucket's file system. */
  tempFile: string;
  size: number;
  eTag: string;
  headers: ObjectHeaders;
  checksum: StoredChecksum | undefined;
  tags?: ObjectRecord['tags'];
  precondition?: Precondition | undefined;
};

const objectLock = (bucket: Bucket, key: string): string => `object ${bucket.name}/${key}`;

const addKey = (bucket: Bucket, key: string): void => {
  if (!bucket.objects.has(key)) bucket.sortedKeys.splice(lowerBound(bucket.sortedKeys, key), 0, key);
};

const removeKey = (bucket: Bucket, key: string): void => {
  const index = lowerBound(bucket.sortedKeys, key);
  if (compareKeys(bucket.sortedKeys[index] ?? '', key) === 0) bucket.sortedKeys.splice(index, 1);
  bucket.objects.delete(key);
};

/**
 * Makes a finished file the object's new content: data file, then sidecar, then index, then the old data file goes.
 * A crash leaves the old object or the new one. Writes to one key happen one after the other.
 */
export const commitObject = (store: Store, bucket: Bucket, input: NewObject): Promise<ObjectRecord> =>
  store.locks.run(objectLock(bucket, input.key), () =>
    commit(store, bucket, async () => {
      const existing = bucket.objects.get(input.key);
      input.precondition?.(existing);
      const { directory, sidecar, newDataFile } = objectPaths(store.dataDir, bucket.name, input.key);
      const record: ObjectRecord = {
        key: input.key,
        size: input.size,
        eTag: input.eTag,
        lastModifiedMs: store.now().getTime(),
        ...input.headers,
        ...(input.checksum && { checksum: input.checksum }),
        ...(input.tags && { tags: input.tags }),
        dataFile: newDataFile(),
      };
      await mkdir(directory, { recursive: true });
      const dataFile = join(directory, record.dataFile);
      await rename(input.tempFile, dataFile);
      try {
        await writeJsonAtomically(sidecar, record);
      } catch (error) {
        await rm(dataFile, { force: true });
        throw error;
      }
      addKey(bucket, input.key);
      bucket.objects.set(input.key, record);
      if (existing !== undefined) await rm(dataPath(store, bucket, existing), { force: true });
      return record;
    }),
  );

/** Removes an object. Returns what was there, undefined when nothing was. */
export const removeObject = (
  store: Store,
  bucket: Bucket,
  key: string,
  precondition?: Precondition,
): Promise<ObjectRecord | undefined> =>
  store.locks.run(objectLock(bucket, key), () =>
    commit(store, bucket, async () => {
      const existing = bucket.objects.get(key);
      precondition?.(existing);
      if (existing === undefined) return undefined;
      await rm(objectPaths(store.dataDir, bucket.name, key).sidecar, { force: true });
      removeKey(bucket, key);
      await rm(dataPath(store, bucket, existing), { force: true });
      return existing;
    }),
  );

/** Replaces the tags of an object, if `expected` says that it is still the one meant. Returns what is there now. */
export const tagObject = (
  store: Store,
  bucket: Bucket,
  key: string,
  tags: Readonly<Record<string, string>>,
  expected: (existing: ObjectRecord) => boolean = () => true,
): Promise<ObjectRecord | undefined> =>
  store.locks.run(objectLock(bucket, key), () =>
    commit(store, bucket, async () => {
      const existing = bucket.objects.get(key);
      if (existing === undefined || !expected(existing)) return undefined;
      const { tags: _old, ...untagged } = existing;
      const record: ObjectRecord = Object.keys(tags).length === 0 ? untagged : { ...untagged, tags };
      await writeJsonAtomically(objectPaths(store.dataDir, bucket.name, key).sidecar, record);
      bucket.objects.set(key, record);
      return record;
    }),
  );
