import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { ObjectStore } from '../../../local-cloud/mediaconvert/index.ts';

export const REGION = 'us-east-1';
export const ACCOUNT = '111122223333';
export const CREDENTIALS = { accessKeyId: 'AKIALOCALCLOUD', secretAccessKey: 'local-cloud-secret' };

export type FolderStore = ObjectStore & {
  root: string;
  types: Map<string, string>;
  keys(bucket: string): string[];
  path(bucket: string, key: string): string;
  put(bucket: string, key: string, content: string | Buffer): void;
  text(bucket: string, key: string): string;
};

/** Buckets as plain folders under `root`. */
export function openFolderStore(root: string): FolderStore {
  const types = new Map<string, string>();
  const path = (bucket: string, key: string): string => join(root, bucket, key);
  for (const bucket of ['raw', 'vod', 'assets']) mkdirSync(join(root, bucket), { recursive: true });
  return {
    root,
    types,
    path,
    objectPath: (bucket, key) => (existsSync(path(bucket, key)) ? path(bucket, key) : undefined),
    async putFile(bucket, key, sourcePath, { contentType }) {
      if (!existsSync(join(root, bucket))) throw new Error('NoSuchBucket');
      mkdirSync(dirname(path(bucket, key)), { recursive: true });
      copyFileSync(sourcePath, path(bucket, key));
      types.set(key, contentType);
    },
    async deleteObject(bucket, key) {
      rmSync(path(bucket, key), { force: true });
    },
    keys: (bucket) =>
      readdirSync(join(root, bucket), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(join(root, bucket).length + 1))
        .sort(),
    put: (bucket, key, content) => {
      mkdirSync(dirname(path(bucket, key)), { recursive: true });
      writeFileSync(path(bucket, key), content);
    },
    text: (bucket, key) => readFileSync(path(bucket, key), 'utf8'),
  };
}
