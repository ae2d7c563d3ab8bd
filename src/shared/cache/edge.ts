/** A copy in this data centre's Cache API, or the note that there is nothing. */
export interface EdgeEntry {
  /** Undefined: the loader found nothing. */
  readonly value: unknown;
  readonly endsAtMs: number;
}

const endHeader = 'x-cache-ends-at';
const missingHeader = 'x-cache-missing';

// Under the API's own origin, at a path no route serves, so that no outside answer can end up under the same key.
const keyOf = (origin: string, name: string, key: string): string =>
  `${origin}/.cache/${encodeURIComponent(name)}/${encodeURIComponent(key)}`;

/** Reads a copy. Undefined when there is none, or it cannot be read: the loader is always right. */
export async function readEdge(
  origin: string,
  name: string,
  key: string,
  nowMs: number,
): Promise<EdgeEntry | undefined> {
  try {
    const response = await caches.default.match(keyOf(origin, name, key));
    if (response === undefined) return undefined;
    const endsAtMs = Number(response.headers.get(endHeader));
    const value: unknown = response.headers.has(missingHeader) ? undefined : await response.json();
    return endsAtMs > nowMs ? { value, endsAtMs } : undefined;
  } catch {
    return undefined;
  }
}

/** Leaves a copy. `text` is JSON; undefined notes that there is nothing. */
export async function writeEdge(
  origin: string,
  name: string,
  key: string,
  text: string | undefined,
  ttlSeconds: number,
  endsAtMs: number,
): Promise<void> {
  const headers = new Headers({
    'content-type': 'application/json',
    'cache-control': `max-age=${Math.max(1, Math.ceil(ttlSeconds))}`,
    [endHeader]: String(endsAtMs),
  });
  if (text === undefined) headers.set(missingHeader, '1');
  await caches.default.put(keyOf(origin, name, key), new Response(text ?? 'null', { headers }));
}

export const deleteEdge = (origin: string, name: string, key: string): Promise<boolean> =>
  caches.default.delete(keyOf(origin, name, key));
