import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { checksumElement, compositeChecksum, createChecksum } from './checksums.ts';
import { appendFileRange, partDataFile, partSidecar, uploadDir, writeJsonAtomically } from './disk.ts';
import { AwsError, invalidRequest, malformedXml, noSuchUpload } from './errors.ts';
import { commitObject, type Precondition } from './objects.ts';
import { commit, type Store, withTempFile } from './store.ts';
import type { Bucket, ObjectRecord, PartRecord, StoredChecksum, Upload, UploadRecord } from './types.ts';

export const MIN_PART_BYTES = 5 * 1024 * 1024;

/** A line of a CompleteMultipartUpload request. */
export type ListedPart = { partNumber: number; eTag: string; checksums: ReadonlyMap<string, string> };

const uploadLock = (uploadId: string): string => `upload ${uploadId}`;

/** The unfinished upload of that id and key; throws `NoSuchUpload`. */
export const getUpload = (bucket: Bucket, key: string, uploadId: string): Upload => {
  const upload = bucket.uploads.get(uploadId);
  if (upload === undefined || upload.record.key !== key) throw noSuchUpload(uploadId);
  return upload;
};

/** Begins with the time, so that ids of one key sort in the order the uploads began, as listings page by them. */
const newUploadId = (initiatedMs: number): string =>
  initiatedMs.toString(16).padStart(12, '0') + randomBytes(26).toString('hex');

export const createUpload = (
  store: Store,
  bucket: Bucket,
  input: Omit<UploadRecord, 'uploadId' | 'initiatedMs'>,
): Promise<UploadRecord> =>
  commit(store, bucket, async () => {
    const initiatedMs = store.now().getTime();
    const record = { ...input, uploadId: newUploadId(initiatedMs), initiatedMs };
    const directory = uploadDir(store.dataDir, bucket.name, record.uploadId);
    await mkdir(directory, { recursive: true });
    await writeJsonAtomically(join(directory, 'upload.json'), record);
    bucket.uploads.set(record.uploadId, { record, parts: new Map() });
    return record;
  });

/** Makes a finished file the content of a part, in place of an earlier one. Throws `NoSuchUpload`. */
export const commitPart = (
  store: Store,
  bucket: Bucket,
  upload: Upload,
  input: Omit<PartRecord, 'dataFile' | 'lastModifiedMs'> & { tempFile: string },
): Promise<PartRecord> =>
  store.locks.run(uploadLock(upload.record.uploadId), () =>
    commit(store, bucket, async () => {
      const { key, uploadId } = upload.record;
      getUpload(bucket, key, uploadId);
      const { tempFile, ...rest } = input;
      const part = {
        ...rest,
        dataFile: partDataFile(input.partNumber),
        lastModifiedMs: store.now().getTime(),
      };
      const directory = uploadDir(store.dataDir, bucket.name, uploadId);
      const dataFile = join(directory, part.dataFile);
      await rename(tempFile, dataFile);
      try {
        await writeJsonAtomically(partSidecar(directory, part.partNumber), part);
      } catch (error) {
        await rm(dataFile, { force: true });
        throw error;
      }
      const replaced = upload.parts.get(part.partNumber);
      upload.parts.set(part.partNumber, part);
      if (replaced !== undefined) await rm(join(directory, replaced.dataFile), { force: true });
      return part;
    }),
  );

const invalidPart = (partNumber: number, eTag: string): AwsError =>
  new AwsError(
    400,
    'InvalidPart',
    "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
    { PartNumber: String(partNumber), ETag: eTag },
  );

/** Checks the list a client completes with against the parts held, and returns those in order. */
const selectParts = (upload: Upload, listed: readonly ListedPart[]): PartRecord[] => {
  if (listed.length === 0) throw malformedXml('You must specify at least one part');
  const declared = upload.record.checksum;
  const selected = listed.map(({ partNumber, eTag, checksums }, index) => {
    if (index > 0 && (listed[index - 1]?.partNumber ?? 0) >= partNumber) {
      throw new AwsError(
        400,
        'InvalidPartOrder',
        'The list of parts was not in ascending order. Parts must be ordered by part number.',
      );
    }
    const part = upload.parts.get(partNumber);
    if (part === undefined || part.eTag !== eTag) throw invalidPart(partNumber, eTag);
    const claimed = part.checksum && checksums.get(checksumElement(part.checksum.algorithm));
    if (claimed !== undefined && claimed !== part.checksum?.value) throw invalidPart(partNumber, eTag);
    if (declared?.type === 'COMPOSITE' && claimed === undefined) {
      throw invalidRequest(
        `The upload was created using a ${declared.algorithm.toLowerCase()} checksum. The complete request must include the checksum for each part. It was missing for part ${partNumber} in the request.`,
      );
    }
    return part;
  });
  for (const part of selected.slice(0, -1)) {
    if (part.size >= MIN_PART_BYTES) continue;
    throw new AwsError(
      400,
      'EntityTooSmall',
      'Your proposed upload is smaller than the minimum allowed size',
      {
        ETag: part.eTag,
        MinSizeAllowed: String(MIN_PART_BYTES),
        PartNumber: String(part.partNumber),
        ProposedSize: String(part.size),
      },
    );
  }
  return selected;
};

/** S3's ETag of a multipart object: MD5 of the parts' binary MD5s, then `-` and their number. */
const multipartETag = (parts: readonly PartRecord[]): string => {
  const hash = createHash('md5');
  for (const part of parts) hash.update(part.eTag, 'hex');
  return `${hash.digest('hex')}-${parts.length}`;
};

const concatenate = async (
  directory: string,
  parts: readonly PartRecord[],
  target: string,
  onChunk: (slice: Buffer) => void,
): Promise<void> => {
  const handle = await open(target, 'wx');
  try {
    for (const part of parts) {
      const source = await open(join(directory, part.dataFile), 'r');
      try {
        await appendFileRange(source, handle, 0, part.size, onChunk);
      } finally {
        await source.close();
      }
    }
  } finally {
    await handle.close();
  }
};

/**
 * Joins the listed parts into the object and forgets the upload; parts not listed are dropped.
 * Of two simultaneous completions one wins, the other gets `NoSuchUpload`.
 * Throws `InvalidPart`, `InvalidPartOrder`, `EntityTooSmall`, `MalformedXML`, `BadDigest`, `PreconditionFailed`.
 */
export const completeUpload = (
  store: Store,
  bucket: Bucket,
  input: {
    key: string;
    uploadId: string;
    listed: readonly ListedPart[];
    /** Total the client expects (`x-amz-mp-object-size`). */
    expectedSize: number | undefined;
    /** Full-object or composite value the client expects (`x-amz-checksum-*`). */
    expectedChecksum: string | undefined;
    precondition: Precondition | undefined;
  },
): Promise<ObjectRecord> =>
  store.locks.run(uploadLock(input.uploadId), () =>
    commit(store, bucket, async () => {
      const upload = getUpload(bucket, input.key, input.uploadId);
      const parts = selectParts(upload, input.listed);
      input.precondition?.(bucket.objects.get(input.key));
      const size = parts.reduce((total, part) => total + part.size, 0);
      if (input.expectedSize !== undefined && input.expectedSize !== size) {
        throw invalidRequest(
          `The provided 'x-amz-mp-object-size' header value ${input.expectedSize} does not match what was computed: ${size}`,
        );
      }
      const directory = uploadDir(store.dataDir, bucket.name, input.uploadId);
      const { checksum: declared, system, user } = upload.record;
      const running = declared?.type === 'FULL_OBJECT' ? createChecksum(declared.algorithm) : undefined;
      const record = await withTempFile(store, bucket, async (tempFile) => {
        await concatenate(directory, parts, tempFile, (slice) => running?.update(slice));
        const checksum: StoredChecksum | undefined = declared && {
          ...declared,
          value:
            running?.digest().toString('base64') ??
            compositeChecksum(
              declared.algorithm,
              parts.map((part) => part.checksum?.value ?? ''),
            ),
        };
        if (input.expectedChecksum !== undefined && checksum?.value !== input.expectedChecksum) {
          throw new AwsError(
            400,
            'BadDigest',
            'The checksum you specified did not match the calculated checksum.',
          );
        }
        return commitObject(store, bucket, {
          key: input.key,
          tempFile,
          size,
          eTag: multipartETag(parts),
          headers: { system, user },
          checksum,
          precondition: input.precondition,
        });
      });
      await forgetUpload(store, bucket, input.uploadId);
      return record;
    }),
  );

/** The record goes first, so that a crash half-way leaves a directory that the next start sweeps. */
const forgetUpload = async (store: Store, bucket: Bucket, uploadId: string): Promise<void> => {
  bucket.uploads.delete(uploadId);
  const directory = uploadDir(store.dataDir, bucket.name, uploadId);
  await rm(join(directory, 'upload.json'), { force: true });
  await rm(directory, { recursive: true, force: true });
};

/** Throws `NoSuchUpload`. */
export const abortUpload = (store: Store, bucket: Bucket, key: string, uploadId: string): Promise<void> =>
  store.locks.run(uploadLock(uploadId), async () => {
    getUpload(bucket, key, uploadId);
    await forgetUpload(store, bucket, uploadId);
  });
