import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Layout under the data directory. No name on disk comes from a key, so keys may hold anything.
 *
 *   <bucket>/bucket.json                        name, creation time, CORS
 *   <bucket>/objects/<hh>/<sha256 of key>.json  sidecar; names the data file beside it
 *   <bucket>/uploads/<uploadId>/upload.json     and <part>.json with its data file
 *   <bucket>/tmp/                               bytes on their way in; emptied at start
 */
export const bucketDir = (dataDir: string, bucket: string): string => join(dataDir, bucket);
export const objectsDir = (dataDir: string, bucket: string): string => join(dataDir, bucket, 'objects');
export const uploadsDir = (dataDir: string, bucket: string): string => join(dataDir, bucket, 'uploads');
export const uploadDir = (dataDir: string, bucket: string, uploadId: string): string =>
  join(dataDir, bucket, 'uploads', uploadId);

const keyHash = (key: string): string => createHash('sha256').update(key).digest('hex');

/** Directory and sidecar path of an object. */
export const objectPaths = (dataDir: string, bucket: string, key: string) => {
  const hash = keyHash(key);
  const directory = join(objectsDir(dataDir, bucket), hash.slice(0, 2));
  return {
    directory,
    sidecar: join(directory, `${hash}.json`),
    newDataFile: () => `${hash}-${randomName()}.data`,
  };
};

export const partSidecar = (directory: string, partNumber: number): string =>
  join(directory, `${String(partNumber).padStart(5, '0')}.json`);

export const partDataFile = (partNumber: number): string =>
  `${String(partNumber).padStart(5, '0')}-${randomName()}.data`;

export const randomName = (): string => randomBytes(12).toString('hex');

export const tempPath = (dataDir: string, bucket: string): string =>
  join(dataDir, bucket, 'tmp', randomName());

/** Replaces a JSON file in one step: a reader or a restart sees the old text or the new, never half. */
export const writeJsonAtomically = async (path: string, value: unknown): Promise<void> => {
  const temporary = `${path}.${randomName()}.tmp`;
  try {
    await writeFile(temporary, JSON.stringify(value));
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
};

/** Parsed JSON, or undefined when the file is missing or not JSON. */
export const readJson = async (path: string): Promise<unknown> => {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as unknown;
  } catch {
    return undefined;
  }
};

const COPY_BUFFER_BYTES = 1024 * 1024;

/** Appends `length` bytes of an open file, from `start`, to another; `onChunk` sees each slice before it is written. */
export const appendFileRange = async (
  source: FileHandle,
  target: FileHandle,
  start: number,
  length: number,
  onChunk: (slice: Buffer) => void,
): Promise<void> => {
  const buffer = Buffer.allocUnsafe(Math.min(COPY_BUFFER_BYTES, Math.max(length, 1)));
  let position = start;
  while (position < start + length) {
    const wanted = Math.min(buffer.length, start + length - position);
    const { bytesRead } = await source.read(buffer, 0, wanted, position);
    if (bytesRead === 0) throw new Error('A stored file is shorter than its record says');
    const slice = buffer.subarray(0, bytesRead);
    onChunk(slice);
    await writeFully(target, slice);
    position += bytesRead;
  }
};

/** Writes all of a slice at the current end; a single `write` may write less. */
export const writeFully = async (handle: FileHandle, data: Buffer): Promise<void> => {
  let offset = 0;
  while (offset < data.length) {
    const { bytesWritten } = await handle.write(data, offset, data.length - offset, null);
    offset += bytesWritten;
  }
};
