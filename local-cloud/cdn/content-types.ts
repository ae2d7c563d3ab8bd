/** Types players insist on, by extension; an object stored under one of these is served with it whatever was uploaded. */
const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.m3u8': 'application/vnd.apple.mpegurl',
  '.mpd': 'application/dash+xml',
  '.m4s': 'video/mp4',
  '.mp4': 'video/mp4',
  '.cmfv': 'video/mp4',
  '.cmfa': 'audio/mp4',
  '.cmft': 'application/mp4',
  '.m4a': 'audio/mp4',
  '.ts': 'video/mp2t',
  '.vtt': 'text/vtt; charset=utf-8',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.png': 'image/png',
  '.webp': 'image/webp',
  '.gif': 'image/gif',
};

const MANIFEST_CACHE = 'public, max-age=5';
const MEDIA_CACHE = 'public, max-age=31536000, immutable';
const OPEN_CACHE = 'public, max-age=3600';

const extensionOf = (key: string): string => /\.[a-z0-9]{1,5}$/i.exec(key)?.[0].toLowerCase() ?? '';

/** Media type for a key's extension, undefined when it says nothing. */
export const contentTypeOf = (key: string): string | undefined => CONTENT_TYPES[extensionOf(key)];

/**
 * `Cache-Control` for an object stored without one: a manifest may still gain a track, what is open to all may be taken back,
 * and everything else lies in a folder of its revision and never changes.
 */
export const defaultCacheControl = (key: string): string => {
  if (['.m3u8', '.mpd'].includes(extensionOf(key))) return MANIFEST_CACHE;
  return key.startsWith('open/') ? OPEN_CACHE : MEDIA_CACHE;
};
