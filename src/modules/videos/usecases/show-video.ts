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
  return presentVideo(video, { cdnBaseUrl, isOwner, thumbnails: await stillsOf(ctx, video, isOwner) });
}

async function stillsOf(ctx: RequestContext, video: VideoRow, isOwner: boolean): Promise<string[]> {
  const { cdnBaseUrl } = ctx.config.aws;
  const { access, thumbnailKeys } = video;
  if (access.stillsOpen) return thumbnailKeys.map((key) => mediaUrl(openKey(key), cdnBaseUrl));
  if (thumbnailKeys.length === 0 || (!isOwner && (access.passwordProtected || access.ageRestricted)))
    return [];
  const { restrictedPlaybackTtlSeconds: ttlSeconds } = ctx.config.delivery;
  return Promise.all(
    thumbnailKeys.map(async (key) => {
      const url = mediaUrl(key, cdnBaseUrl);
      // One folder, so one signature for all of them.
      const grant = await signFolder(ctx, { prefix: key.slice(0, key.lastIndexOf('/') + 1), ttlSeconds });
      return grant === undefined ? url : signedUrl(url, grant);
    }),
  );
}
