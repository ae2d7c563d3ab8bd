import type { RequestContext } from '../../../context.ts';
import { viewerIdOf } from '../../../http/viewer.ts';
import { signedUrl } from '../../../integrations/aws/index.ts';
import type { VideoView } from '../videos.schemas.ts';
import { mediaUrl, openKey, presentVideo, type VideoRow } from '../videos.views.ts';
import { signFolder } from './sign-media.ts';

/**
 * The page of a video for somebody who may see it. Its stills need no signature where everybody may look; elsewhere they are
 * signed for who may, which costs no trip.
 */
export async function showVideo(ctx: RequestContext, video: VideoRow): Promise<VideoView> {
  const { cdnBaseUrl } = ctx.config.aws;
  const isOwner = viewerIdOf(ctx) === video.owner.id;
  return presentVideo(video, { cdnBaseUrl, isOwner, stills: await stillsOf(ctx, video, isOwner) });
}

async function stillsOf(
  ctx: RequestContext,
  { access, thumbnailKeys, thumbnailKey, customThumbnailKey }: VideoRow,
  isOwner: boolean,
): Promise<ReadonlyMap<string, string>> {
  const { cdnBaseUrl } = ctx.config.aws;
  const keys = new Set([...thumbnailKeys, thumbnailKey, customThumbnailKey].filter((key) => key !== null));
  if (access.stillsOpen) return new Map([...keys].map((key) => [key, mediaUrl(openKey(key), cdnBaseUrl)]));
  if (!isOwner && (access.passwordProtected || access.ageRestricted)) return new Map();
  const { restrictedPlaybackTtlSeconds: ttlSeconds } = ctx.config.delivery;
  const urls = new Map<string, string>();
  for (const key of keys) {
    const url = mediaUrl(key, cdnBaseUrl);
    // Stills lie in one folder, so one signature does for all of them.
    const grant = await signFolder(ctx, { prefix: key.slice(0, key.lastIndexOf('/') + 1), ttlSeconds });
    urls.set(key, grant === undefined ? url : signedUrl(url, grant));
  }
  return urls;
}
