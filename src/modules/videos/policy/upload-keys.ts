// Files are uploaded into quarantine and moved among the originals once a scan has found them clean. Nothing but the scanner and
// the copy reads what lies in quarantine; the bucket's policy says the same to every other role.
const quarantine = 'quarantine/';
const originals = 'originals/';
const pictures = 'thumbnails/';

const uuid = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
const uploadKey = new RegExp(`^(?:${quarantine}|${originals})(${uuid})/(${uuid})\\.[a-z0-9]{1,8}$`);

/** Where the bytes of an upload go. */
export const quarantineKey = (videoId: string, uploadId: string, extension: string): string =>
  `${quarantine}${videoId}/${uploadId}.${extension}`;

/** Where a file lies once it is released. Uploads begun before there was a quarantine lie there already. */
export const originalKeyOf = (objectKey: string): string =>
  isQuarantined(objectKey) ? `${originals}${objectKey.slice(quarantine.length)}` : objectKey;

export const isQuarantined = (objectKey: string): boolean => objectKey.startsWith(quarantine);

/** The upload an object belongs to; undefined for any other object. */
export const uploadIdOf = (objectKey: string): string | undefined => uploadKey.exec(objectKey)?.[2];

/** Everything released of a video. */
export const originalsPrefix = (videoId: string): string => `${originals}${videoId}/`;

/** Everything in the uploads bucket that belongs to a video. */
export const uploadPrefixes = (videoId: string): readonly string[] => [
  `${quarantine}${videoId}/`,
  originalsPrefix(videoId),
  `${pictures}${videoId}/`,
];

/** The video whose folder, of any of our roots, a key or folder lies in. */
export const idInFolder = (key: string): string | undefined =>
  new RegExp(`^[a-z]+/(${uuid})/`).exec(key)?.[1];

/** Unix milliseconds at which a UUIDv7 was made (RFC 9562 §5.7). */
export const msOfUuid = (id: string): number => Number.parseInt(id.replace('-', '').slice(0, 12), 16);
