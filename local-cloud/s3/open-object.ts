import { type FileHandle, open } from 'node:fs/promises';
import { dataPath, type Store } from './store.ts';
import type { Bucket, ObjectRecord } from './types.ts';

export type OpenObject = { record: ObjectRecord; handle: FileHandle };

/**
 * Opens an object's bytes; the reader keeps this version even when the object is overwritten or deleted meanwhile.
 * An overwrite may remove the file between look-up and open; the record is then looked up again.
 * Undefined when there is no such object. The caller closes the handle.
 */
export const openObject = async (
  store: Store,
  bucket: Bucket,
  key: string,
): Promise<OpenObject | undefined> => {
  let previous: ObjectRecord | undefined;
  for (;;) {
    const record = bucket.objects.get(key);
    if (record === undefined) return undefined;
    try {
      return { record, handle: await open(dataPath(store, bucket, record), 'r') };
    } catch (error) {
      if (record === previous) throw error;
      previous = record;
    }
  }
};
