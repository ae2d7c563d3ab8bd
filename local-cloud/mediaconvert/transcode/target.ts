import { basename } from 'node:path';
import { splitS3Url } from '../settings/primitives.ts';

/** Where a group's files go: `prefix` ends in `/` or is empty, `base` starts every file name. */
export type Target = { bucket: string; prefix: string; base: string };

/** A destination that ends in `/` takes its file names from the input; otherwise its last part is the base name. */
export function targetOf(destination: string, fileInput: string): Target {
  const { bucket, key } = splitS3Url(destination);
  const slash = key.lastIndexOf('/') + 1;
  const prefix = key.slice(0, slash);
  const base = key.slice(slash);
  return { bucket, prefix, base: base === '' ? stem(splitS3Url(fileInput).key) : base };
}

function stem(key: string): string {
  const name = basename(key);
  const dot = name.lastIndexOf('.');
  return dot > 0 ? name.slice(0, dot) : name;
}
