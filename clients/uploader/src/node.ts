import { createReadStream } from 'node:fs';
import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { basename, join } from 'node:path';
import { pipeline, Transform } from 'node:stream';
import {
  type PartAnswer,
  type Transport,
  UploadError,
  type UploadSource,
  type UploadStore,
} from './types.ts';

export { memoryStore } from './stores.ts';
export * from './types.ts';
export { createUpload } from './upload.ts';

export interface FileSource extends UploadSource {
  readonly path: string;
}

/** A file on disk. `type` is its MIME type, which Node cannot know. */
export async function fromFile(path: string, type: string): Promise<FileSource> {
  const first = await stat(path);
  return {
    path,
    name: basename(path),
    size: first.size,
    type,
    lastModified: Math.floor(first.mtimeMs),
    async read(start, end) {
      const file = await open(path, 'r');
      try {
        const bytes = new Uint8Array(end - start);
        const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
        if (bytesRead !== bytes.length) throw changed();
        return bytes;
      } finally {
        await file.close();
      }
    },
    async verify() {
      const now = await stat(path).catch(() => undefined);
      if (now === undefined || now.size !== first.size || now.mtimeMs !== first.mtimeMs) throw changed();
    },
  };
}

const changed = (): UploadError =>
  new UploadError('file_changed', 'The file changed or is gone since the upload began.');

const idleMs = 60_000;
const readBytes = 262_144;

/** Streams a part from disk with its exact Content-Length: memory stays at the buffers of a file and a socket. */
export const nodeTransport: Transport<FileSource> = ({ url, headers, source, start, end, signal, onSent }) =>
  new Promise<PartAnswer>((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const send = url.startsWith('https:') ? httpsRequest : httpRequest;
    const outgoing: ClientRequest = send(
      url,
      { method: 'PUT', headers: { ...headers, 'content-length': end - start }, signal, timeout: idleMs },
      (response: IncomingMessage) => {
        response.resume();
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            etag: response.headers.etag ?? null,
            retryAfter: response.headers['retry-after'] ?? null,
          }),
        );
        response.on('error', reject);
      },
    );
    const fail = (cause: unknown) =>
      reject(signal.aborted ? signal.reason : new TypeError('the network failed', { cause }));
    outgoing.on('timeout', () => outgoing.destroy(new Error('nothing moved for a minute')));
    outgoing.on('error', fail);
    let sent = 0;
    const count = new Transform({
      highWaterMark: readBytes,
      transform(chunk: Uint8Array, _encoding, next) {
        sent += chunk.length;
        onSent(sent);
        next(null, chunk);
      },
    });
    pipeline(
      createReadStream(source.path, { start, end: end - 1, highWaterMark: readBytes }),
      count,
      outgoing,
      (error) => {
        if (error !== null && error !== undefined) fail(error);
      },
    );
  });

/** Keeps uploads as small files in a folder of the user's. */
export const fileStore = (folder: string): UploadStore => ({
  get: (key) => readFile(join(folder, `${key}.json`), 'utf8').catch(() => undefined),
  async set(key, value) {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const path = join(folder, `${key}.json`);
    await writeFile(`${path}.new`, value, { mode: 0o600 });
    await rename(`${path}.new`, path);
  },
  delete: (key) => rm(join(folder, `${key}.json`), { force: true }),
});
