export { type BlobSource, fromBlob, xhrTransport } from './browser.ts';
export { localStorageStore, memoryStore } from './stores.ts';
export * from './types.ts';
export { createUpload, type Upload } from './upload.ts';
