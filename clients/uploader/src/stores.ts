import type { UploadStore } from './types.ts';

/** Forgets with the page. */
export function memoryStore(): UploadStore {
  const values = new Map<string, string>();
  return {
    get: async (key) => values.get(key),
    set: async (key, value) => void values.set(key, value),
    delete: async (key) => void values.delete(key),
  };
}

const prefix = 'social-flow-upload:';

/** Keeps uploads in `localStorage`: a few hundred bytes each, no parts of the file. A full or forbidden one is as none. */
export const localStorageStore = (storage: Storage = localStorage): UploadStore => ({
  get: async (key) => storage.getItem(prefix + key) ?? undefined,
  set: async (key, value) => {
    try {
      storage.setItem(prefix + key, value);
    } catch {
      // The upload goes on; only a reload would begin it anew.
    }
  },
  delete: async (key) => storage.removeItem(prefix + key),
});
