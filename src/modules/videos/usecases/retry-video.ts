import type { RequestContext } from '../../../context.ts';
import { newEvent } from '../../../db/outbox.ts';
import { requireViewerId } from '../../../http/viewer.ts';
import { publishAfterResponse } from '../../../jobs/publish.ts';
import { isRetryable, isScanFailure } from '../policy/failures.ts';
import { findOwnReplacement } from '../replacements.repository.ts';
import { restartScan } from '../scans.repository.ts';
import { notReplacing, videoNotFound, videoNotRetryable } from '../videos.errors.ts';
import { findOwnVideoState, findVideo, restartEncode } from '../videos.repository.ts';
import type { VideoState } from '../videos.schemas.ts';
import type { VideoRow } from '../videos.views.ts';
import { startQueuedJobs } from './start-queued-jobs.ts';

/**
 * Tries the conversion, or the virus scan, of the caller's failed video again.
 * @throws videos.not_found; videos.not_retryable when it did not fail, or its file is the reason.
 */
export async function retryVideo(ctx: RequestContext, videoId: string): Promise<VideoRow> {
  const ownerId = requireViewerId(ctx);
  const jobId = ctx.ids.next();
  const found = await findOwnVideoState(ctx.databases.primary, videoId, ownerId, jobId);
  if (found === undefined) throw videoNotFound();
  // The same id again: this request was made before, and only its answer was lost.
  if (!found.hasJob) await restart(ctx, { ...found, videoId, ownerId, jobId });
  return ownVideo(ctx, videoId, ownerId);
}

/**
 * Tries the file again that was to replace that of the caller's video and failed. The video is played from the old one
 * meanwhile.
 * @throws videos.not_found; videos.not_replacing; videos.not_retryable when it did not fail, or the file is the reason.
 */
export async function retryReplacement(ctx: RequestContext, videoId: string): Promise<VideoRow> {
  const ownerId = requireViewerId(ctx);
  const jobId = ctx.ids.next();
  const found = await findOwnReplacement(ctx.databases.primary, videoId, ownerId, jobId);
  if (found === undefined) throw videoNotFound();
  if (!found.hasJob) {
    if (found.next === null) throw notReplacing();
    await restart(ctx, { ...found.next, videoId: found.next.id, ownerId, jobId });
  }
  return ownVideo(ctx, videoId, ownerId);
}

async function ownVideo(ctx: RequestContext, videoId: string, ownerId: string): Promise<VideoRow> {
  const video = await findVideo(ctx.databases.primary, videoId, ownerId);
  if (video === undefined) throw videoNotFound();
  return video;
}

async function restart(
  ctx: RequestContext,
  failed: {
    readonly videoId: string;
    readonly ownerId: string;
    readonly jobId: string;
    readonly state: VideoState;
    readonly revision: number;
    readonly failureCode: string | null;
  },
): Promise<void> {
  const { videoId, ownerId, jobId, state, revision, failureCode } = failed;
  if (state !== 'failed' || failureCode === null || !isRetryable(failureCode)) throw videoNotRetryable();
  if (isScanFailure(failureCode)) {
    const uploaded = newEvent(ctx, 'video.uploaded', { video_id: videoId, revision });
    if (!(await restartScan(ctx.databases.primary, { videoId, ownerId, failureCode, uploaded })))
      throw videoNotRetryable();
    publishAfterResponse(ctx, [uploaded.id]);
    return;
  }
  const retry = { videoId, ownerId, failureCode, jobId };
  if (!(await restartEncode(ctx.databases.primary, retry))) throw videoNotRetryable();
  await startQueuedJobs(ctx);
}
