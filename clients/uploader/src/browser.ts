import { type PartAnswer, type Transport, UploadError, type UploadSource } from './types.ts';

export interface BlobSource extends UploadSource {
  readonly blob: Blob;
}

/** A file the user chose. The browser reads it from disk part by part. */
export const fromBlob = (
  blob: Blob,
  name: string = blob instanceof File ? blob.name : 'video',
): BlobSource => ({
  blob,
  name,
  size: blob.size,
  type: blob.type,
  lastModified: blob instanceof File ? blob.lastModified : 0,
  read: async (start, end) => {
    try {
      return new Uint8Array(await blob.slice(start, end).arrayBuffer());
    } catch (cause) {
      throw changed(cause);
    }
  },
  // A browser refuses to read a file that changed since it was chosen.
  verify: async () => {
    try {
      await blob.slice(0, 1).arrayBuffer();
    } catch (cause) {
      throw changed(cause);
    }
  },
});

const changed = (cause: unknown): UploadError =>
  new UploadError('file_changed', 'The file changed or is gone since it was chosen.', { cause });

/** Sends by `XMLHttpRequest`, the only way browsers tell how much of a body has gone out. */
export const xhrTransport: Transport<BlobSource> = ({ url, headers, source, start, end, signal, onSent }) =>
  new Promise<PartAnswer>((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const request = new XMLHttpRequest();
    const stop = () => request.abort();
    const done = (settle: () => void) => {
      signal.removeEventListener('abort', stop);
      settle();
    };
    request.open('PUT', url);
    // Browsers set it themselves, from the part's size, and let nobody else.
    for (const [name, value] of Object.entries(headers))
      if (name.toLowerCase() !== 'content-length') request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded }) => onSent(loaded);
    request.onload = () =>
      done(() =>
        resolve({
          status: request.status,
          etag: request.getResponseHeader('etag'),
          retryAfter: request.getResponseHeader('retry-after'),
        }),
      );
    request.onerror = () => done(() => reject(new TypeError('the network failed')));
    request.onabort = () => done(() => reject(signal.reason));
    request.ontimeout = request.onerror;
    signal.addEventListener('abort', stop, { once: true });
    request.send(source.blob.slice(start, end));
  });
