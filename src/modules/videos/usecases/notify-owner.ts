import type { RequestContext } from '../../../context.ts';
import type { MessageOf } from '../../../jobs/messages.ts';
import { encodeId } from '../../../shared/ids.ts';
import { pushToUser } from '../../realtime/index.ts';
import { findVideo } from '../videos.repository.ts';
import { presentVideo } from '../videos.views.ts';

type VideoNews = MessageOf<'video.progressed'> | MessageOf<'video.published'> | MessageOf<'video.failed'>;

/** How a video stands now, as its owner is told; undefined when it was deleted. */
export async function findVideoNews(ctx: RequestContext, videoId: string, ownerId: string) {
  const video = await findVideo(ctx.databases.primary, videoId, ownerId);
  if (video === undefined) return undefined;
  const { state, progress_percent, phase, failure } = presentVideo(video, ctx.config.aws.cdnBaseUrl);
  return {
    video_id: encodeId('video', videoId),
    title: video.title,
    state,
    progress_percent,
    phase,
    failure,
  };
}

/** Tells the owner's open connections how a video stands now. The hub delivers an event id once. */
export async function notifyOwner(ctx: RequestContext, message: VideoNews): Promise<void> {
  const { video_id: videoId, owner_id: ownerId } = message.data;
  const data = await findVideoNews(ctx, videoId, ownerId);
  if (data !== undefined) await pushToUser(ctx, ownerId, { id: message.id, type: message.type, data });
}
