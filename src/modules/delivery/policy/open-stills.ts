const contentTypes: Readonly<Record<string, string>> = {
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  png: 'image/png',
  webp: 'image/webp',
  gif: 'image/gif',
  vtt: 'text/vtt; charset=utf-8',
};

// It may be taken back, and then browsers that have it keep it no longer than this.
const cacheControl = 'public, max-age=3600';

/** Where and how a copy of a still lies that anybody may fetch; undefined for what is no still. */
export function openCopyOf(
  key: string,
): { readonly key: string; readonly contentType: string; readonly cacheControl: string } | undefined {
  const contentType = contentTypes[/\.([a-z]{3,4})$/.exec(key)?.[1] ?? ''];
  if (!key.startsWith('media/') || contentType === undefined) return undefined;
  return { key: `open/${key.slice('media/'.length)}`, contentType, cacheControl };
}
