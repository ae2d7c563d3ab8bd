import type { RequestContext } from '../../../context.ts';
import type { MessageOf } from '../../../jobs/messages.ts';
import { encodeId } from '../../../shared/ids.ts';
import { pushToUser } from '../../realtime/index.ts';
import { findReplaced } from '../replacements.repository.ts';
import { findVideo } from '../videos.repository.ts';
import { presentVideo } from '../videos.views.ts';

type VideoNews =
  | MessageOf<'video.progressed'>
  | MessageOf<'video.published'>
  | MessageOf<'video.failed'>
  | MessageOf<'video.replaced'>;

/**
 * Tells the owner's open connections how a video stands now. The hub delivers an event id once. The end of a file that was to
 * replace another is told as news of the video they know.
 */
export async function notifyOwner(ctx: RequestContext, message: VideoNews): Promise<void> {
  const { video_id: videoId, owner_id: ownerId } = message.data;
  const { primary } = ctx.databases;
  const replacedId = message.type === 'video.failed' ? await findReplaced(primary, videoId) : undefined;
  const shownId = replacedId ?? videoId;
  const video = await findVideo(primary, shownId, ownerId);
  if (video === undefined) return;
  const { state, progress_percent, phase, failure, replacement } = presentVideo(video, {
    cdnBaseUrl: ctx.config.aws.cdnBaseUrl,
    isOwner: true,
    stills: new Map(),
  });
  await pushToUser(ctx, ownerId, {
    id: message.id,
    type: replacedId === undefined ? message.type : 'video.replacement_failed',
    data: {
      video_id: encodeId('video', shownId),
      title: video.title,
      state,
      progress_percent,
      phase,
      failure,
      replacement,
    },
  });
}
