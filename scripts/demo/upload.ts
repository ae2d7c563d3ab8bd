import { type FileHandle, open } from 'node:fs/promises';
import type { ApiClient } from './api.ts';

interface UploadPart {
  readonly part_number: number;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly size_bytes: number;
}

export interface Upload {
  readonly id: string;
  readonly video_id: string;
  readonly state: string;
  readonly part_size_bytes: number;
  readonly part_count: number;
  readonly parts: readonly UploadPart[];
}

interface HeldPart {
  readonly part_number: number;
  readonly size_bytes: number;
  readonly etag: string;
}

export interface UploadOptions {
  readonly api: ApiClient;
  readonly file: string;
  readonly sizeBytes: number;
  readonly uploadId: string;
  /** Stop as if the connection broke once this many parts are held. */
  readonly stopAfterParts?: number;
  readonly onProgress: (share: number, heldParts: number, allParts: number) => void;
}

/**
 * Sends the parts the server does not hold yet, each straight to the object store. Starting and resuming are the same:
 * what is held is asked first.
 * @returns whether every part is held now.
 */
export async function sendMissingParts(options: UploadOptions): Promise<boolean> {
  const { api, uploadId } = options;
  const { upload, held } = await uploadState(api, uploadId);
  const heldNumbers = new Set(held.map((part) => part.part_number));
  const file = await open(options.file, 'r');
  try {
    for (let number = 1; number <= upload.part_count; number += 1) {
      if (heldNumbers.has(number)) continue;
      if (options.stopAfterParts !== undefined && heldNumbers.size >= options.stopAfterParts) return false;
      await sendPart(api, file, uploadId, number, upload.part_size_bytes);
      heldNumbers.add(number);
      options.onProgress(heldNumbers.size / upload.part_count, heldNumbers.size, upload.part_count);
    }
  } finally {
    await file.close();
  }
  return true;
}

/** Tells the server that every part is there. */
export async function completeUpload(api: ApiClient, uploadId: string): Promise<void> {
  const { held } = await uploadState(api, uploadId);
  const parts = held.map(({ part_number, etag }) => ({ part_number, etag }));
  await api.send('POST', `/v1/videos/uploads/${uploadId}/complete`, { parts });
}

async function uploadState(
  api: ApiClient,
  uploadId: string,
): Promise<{ upload: Upload; held: readonly HeldPart[] }> {
  const upload = await api.get<Upload & { held_parts: readonly HeldPart[] }>(
    `/v1/videos/uploads/${uploadId}`,
  );
  return { upload, held: upload.held_parts };
}

async function sendPart(
  api: ApiClient,
  file: FileHandle,
  uploadId: string,
  number: number,
  partSize: number,
): Promise<void> {
  const { parts } = await api.send<{ parts: UploadPart[] }>('POST', `/v1/videos/uploads/${uploadId}/parts`, {
    part_numbers: [number],
  });
  const [part] = parts;
  if (part === undefined) throw new Error(`the API signed no URL for part ${number}`);
  const bytes = new Uint8Array(part.size_bytes);
  await file.read(bytes, 0, part.size_bytes, (number - 1) * partSize);
  const response = await fetch(part.url, { method: 'PUT', headers: { ...part.headers }, body: bytes });
  if (!response.ok)
    throw new Error(`part ${number} was refused: ${response.status} ${await response.text()}`);
}
