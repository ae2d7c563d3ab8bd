import { Zip, ZipDeflate } from 'fflate';
import {
  type AwsConfig,
  abortMultipartUpload,
  completeMultipartUpload,
  createMultipartUpload,
  listMultipartUploads,
  uploadPart,
} from '../../../integrations/aws/index.ts';
import { utf8 } from '../../../shared/encoding.ts';

/** S3 takes parts from 5 MiB. */
const partBytes = 6 * 1_024 * 1_024;

export interface ZipUpload {
  /** Begins a file; the one before is complete. */
  begin(name: string): void;
  write(text: string): Promise<void>;
  /** @returns size of the object in bytes. */
  finish(): Promise<number>;
  abort(): Promise<void>;
}

/**
 * Writes a ZIP archive to S3 as it comes, in parts, so that memory stays the same whatever its size. It replaces the object
 * all at once when it is finished. What an earlier run left unfinished at this key is freed first: only one run may write.
 * @throws AwsError
 */
export async function openZipUpload(
  config: AwsConfig,
  target: {
    readonly bucket: string;
    readonly key: string;
    readonly contentDisposition: string;
    readonly nowMs: number;
  },
): Promise<ZipUpload> {
  const { bucket, key, nowMs } = target;
  for (const left of await listMultipartUploads(config, { bucket, prefix: key }))
    await abortMultipartUpload(config, left);
  const { contentDisposition } = target;
  const uploadId = await createMultipartUpload(config, {
    bucket,
    key,
    contentType: 'application/zip',
    contentDisposition,
  });
  const upload = { bucket, key, uploadId };
  const parts: { partNumber: number; etag: string }[] = [];
  let chunks: Uint8Array[] = [];
  let waitingBytes = 0;
  let totalBytes = 0;
  const zip = new Zip((error, chunk) => {
    if (error !== null) throw error;
    chunks.push(chunk);
    waitingBytes += chunk.length;
  });
  let file: ZipDeflate | undefined;

  const send = async (): Promise<void> => {
    const bytes = new Uint8Array(waitingBytes);
    let offset = 0;
    for (const chunk of chunks) {
      bytes.set(chunk, offset);
      offset += chunk.length;
    }
    chunks = [];
    waitingBytes = 0;
    totalBytes += bytes.length;
    const partNumber = parts.length + 1;
    parts.push({ partNumber, etag: await uploadPart(config, { ...upload, partNumber }, bytes) });
  };

  return {
    begin(name) {
      file?.push(new Uint8Array(0), true);
      file = new ZipDeflate(name, { level: 6 });
      file.mtime = nowMs;
      zip.add(file);
    },
    async write(text) {
      file?.push(utf8(text));
      if (waitingBytes >= partBytes) await send();
    },
    async finish() {
      file?.push(new Uint8Array(0), true);
      zip.end();
      await send();
      await completeMultipartUpload(config, upload, parts);
      return totalBytes;
    },
    abort: () => abortMultipartUpload(config, upload),
  };
}
