import type { RequestContext } from '../../../context.ts';
import type { MessageOf } from '../../../jobs/messages.ts';
import { encodeId } from '../../../shared/ids.ts';
import { pushToUser } from '../../realtime/index.ts';
import { findFailedReplacement, findReplaced } from '../replacements.repository.ts';
import { findVideo } from '../videos.repository.ts';
import { presentReason, presentVideo } from '../videos.views.ts';

type VideoNews =
  | MessageOf<'video.progressed'>
  | MessageOf<'video.published'>
  | MessageOf<'video.failed'>
  | MessageOf<'video.replaced'>;

/** How a video stands now, as its owner is told; undefined when it was deleted, or only carries the file of another. */
export async function findVideoNews(ctx: RequestContext, videoId: string, ownerId: string) {
  const video = await findVideo(ctx.databases.primary, videoId, ownerId);
  if (video === undefined) return undefined;
  const { state, progress_percent, phase, failure, replacement } = presentVideo(video, {
    cdnBaseUrl: ctx.config.aws.cdnBaseUrl,
    isOwner: true,
    stills: new Map(),
  });
  return {
    video_id: encodeId('video', videoId),
    title: video.title,
    state,
    progress_percent,
    phase,
    failure,
    replacement,
  };
}

/** Why the file that was to replace a video's could not; undefined when `id` is no such file, or its owner has gone on since. */
export async function findReplacementFailure(ctx: RequestContext, id: string) {
  const failed = await findFailedReplacement(ctx.databases.primary, id);
  if (failed === undefined) return undefined;
  return {
    video_id: encodeId('video', failed.videoId),
    title: failed.title,
    upload_id: failed.uploadId === null ? null : encodeId('upload', failed.uploadId),
    failure: presentReason(failed.failureCode, failed.failureMessage),
  };
}

/**
 * Tells the owner's open connections how a video stands now. The hub delivers an event id once. The end of a file that was to
 * replace another is told as news of the video they know.
 */
export async function notifyOwner(ctx: RequestContext, message: VideoNews): Promise<void> {
  const { video_id: videoId, owner_id: ownerId } = message.data;
  const replacedId =
    message.type === 'video.failed' ? await findReplaced(ctx.databases.primary, videoId) : undefined;
  const data = await findVideoNews(ctx, replacedId ?? videoId, ownerId);
  if (data === undefined) return;
  const type = replacedId === undefined ? message.type : 'video.replacement_failed';
  await pushToUser(ctx, ownerId, { id: message.id, type, data });
}
