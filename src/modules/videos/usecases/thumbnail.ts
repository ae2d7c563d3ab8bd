import type { RequestContext } from '../../../context.ts';
import { requireViewerId } from '../../../http/viewer.ts';
import {
  deleteObjects,
  getRange,
  headObject,
  presignPut,
  putObject,
} from '../../../integrations/aws/index.ts';
import { imageProblem, inspectImage, maxImageBytes } from '../policy/images.ts';
import { chooseStill, findThumbnail, setCustomThumbnail } from '../thumbnails.repository.ts';
import { orUnavailable, thumbnailMissing, thumbnailRefused, videoNotFound } from '../videos.errors.ts';
import { findVideo } from '../videos.repository.ts';
import type { VideoRow } from '../videos.views.ts';
import { forgetVideoPage } from './view-video.ts';

export interface ThumbnailUpload {
  readonly thumbnailId: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly expiresAtMs: number;
}

/** Where a picture waits until it was looked at. A new key each time, so that what was looked at is what is shown. */
const sentKey = (videoId: string, thumbnailId: string): string => `thumbnails/${videoId}/${thumbnailId}`;
const shownPrefix = (videoId: string, thumbnailId: string): string =>
  `media/${videoId}/thumbnails/${thumbnailId}.`;

const immutable = 'public, max-age=31536000, immutable';

/**
 * A URL for a picture the caller's video is to be shown by, bound to its size and type.
 * @throws videos.not_found
 */
export async function startThumbnail(
  ctx: RequestContext,
  videoId: string,
  picture: { readonly contentType: string; readonly sizeBytes: number },
): Promise<ThumbnailUpload> {
  const { aws, videos } = ctx.config;
  if ((await findThumbnail(ctx.databases.primary, videoId, requireViewerId(ctx))) === undefined)
    throw videoNotFound();
  const thumbnailId = ctx.ids.next();
  const target = { bucket: aws.uploadsBucket, key: sentKey(videoId, thumbnailId), ...picture };
  const nowMs = ctx.clock.now();
  const ttlSeconds = videos.partUrlTtlSeconds;
  const signed = await presignPut(aws, target, { ttlSeconds, nowMs });
  return { thumbnailId, ...signed, expiresAtMs: nowMs + ttlSeconds * 1_000 };
}

/**
 * Shows the caller's video by the picture they sent, if it is one by its bytes. May be repeated.
 * @throws videos.not_found, videos.thumbnail_missing, videos.thumbnail_refused, service.unavailable
 */
export async function useThumbnail(
  ctx: RequestContext,
  videoId: string,
  thumbnailId: string,
): Promise<VideoRow> {
  const ownerId = requireViewerId(ctx);
  const { aws } = ctx.config;
  const { primary } = ctx.databases;
  const known = await findThumbnail(primary, videoId, ownerId);
  if (known === undefined) throw videoNotFound();
  const prefix = shownPrefix(videoId, thumbnailId);
  if (known.customKey?.startsWith(prefix) !== true) {
    const { bytes, image, source } = await sentPicture(ctx, videoId, thumbnailId);
    const key = `${prefix}${image.extension}`;
    const target = { bucket: aws.mediaBucket, key, contentType: image.type, cacheControl: immutable };
    await orUnavailable(putObject(aws, target, bytes));
    const changed = await setCustomThumbnail(primary, videoId, ownerId, key);
    if (changed === undefined) {
      await orUnavailable(deleteObjects(aws, aws.mediaBucket, [key]));
      throw videoNotFound();
    }
    ctx.background(() => deleteObjects(aws, aws.uploadsBucket, [source]));
    if (changed.formerKey !== null && changed.formerKey !== key) removeLater(ctx, changed.formerKey);
  }
  return shown(ctx, videoId, ownerId);
}

async function sentPicture(ctx: RequestContext, videoId: string, thumbnailId: string) {
  const { aws } = ctx.config;
  const target = { bucket: aws.uploadsBucket, key: sentKey(videoId, thumbnailId) };
  const object = await orUnavailable(headObject(aws, target));
  if (object === undefined) throw thumbnailMissing();
  const fits = object.sizeBytes > 0 && object.sizeBytes <= maxImageBytes;
  const bytes = fits
    ? await orUnavailable(getRange(aws, target, { start: 0, end: object.sizeBytes }))
    : new Uint8Array();
  const image = inspectImage(bytes);
  const problem = imageProblem(image);
  if (image === undefined || problem !== undefined) {
    const code = problem ?? 'not_an_image';
    throw thumbnailRefused({ errors: [{ pointer: '/thumbnail_id', code, message: messages[code] }] });
  }
  return { bytes: Uint8Array.from(bytes), image, source: target.key };
}

const messages = {
  not_an_image: 'must be a whole JPEG, PNG or WebP file',
  too_small: 'must be at least 160 pixels long and 90 wide',
  too_large: 'must be at most 4096 pixels on a side',
  unsupported_shape: 'must be at most four times as long as wide',
} as const;

/**
 * Shows the caller's video by one of its stills, or (null) by the picture they gave or the still we choose.
 * @throws videos.not_found; videos.thumbnail_missing when it has no such still.
 */
export async function chooseThumbnail(
  ctx: RequestContext,
  videoId: string,
  position: number | null,
): Promise<VideoRow> {
  const ownerId = requireViewerId(ctx);
  const { primary } = ctx.databases;
  if (!(await chooseStill(primary, videoId, ownerId, position))) {
    if ((await findThumbnail(primary, videoId, ownerId)) === undefined) throw videoNotFound();
    throw thumbnailMissing();
  }
  return shown(ctx, videoId, ownerId);
}

/**
 * Removes the picture the caller gave.
 * @throws videos.not_found
 */
export async function removeThumbnail(ctx: RequestContext, videoId: string): Promise<void> {
  const changed = await setCustomThumbnail(ctx.databases.primary, videoId, requireViewerId(ctx), null);
  if (changed === undefined) throw videoNotFound();
  await forgetVideoPage(ctx, videoId);
  if (changed.formerKey !== null) removeLater(ctx, changed.formerKey);
}

async function shown(ctx: RequestContext, videoId: string, ownerId: string): Promise<VideoRow> {
  await forgetVideoPage(ctx, videoId);
  const video = await findVideo(ctx.databases.primary, videoId, ownerId);
  if (video === undefined) throw videoNotFound();
  return video;
}

// What is left when this fails goes with the video.
function removeLater(ctx: RequestContext, key: string): void {
  const { aws } = ctx.config;
  ctx.background(() => deleteObjects(aws, aws.mediaBucket, [key, key.replace(/^media\//, 'open/')]));
}
