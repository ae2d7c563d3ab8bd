import type { RequestContext } from '../../../context.ts';
import { newEvent } from '../../../db/outbox.ts';
import { requireViewerId, viewerIdOf } from '../../../http/viewer.ts';
import { publishAfterResponse } from '../../../jobs/publish.ts';
import { userNotFound } from '../../users/index.ts';
import { chaptersNeedMs } from '../policy/chapters.ts';
import { endScreensNeedMs } from '../policy/end-screens.ts';
import { isRetryable, isScanFailure } from '../policy/failures.ts';
import { restartScan } from '../scans.repository.ts';
import { detailsTooLong, videoNotFound, videoNotRetryable } from '../videos.errors.ts';
import {
  deleteVideo as deleteVideoRow,
  findOwnVideoState,
  findVideo,
  listVideos as listVideoRows,
  type OwnVideoState,
  restartEncode,
  updateVideo as updateVideoRow,
} from '../videos.repository.ts';
import type { UpdateVideoInput } from '../videos.schemas.ts';
import type { VideoRow } from '../videos.views.ts';
import { startQueuedJobs } from './start-queued-jobs.ts';
import { forgetVideoPage } from './view-video.ts';

/**
 * Videos of an owner, newest first, as the caller may see them; one more than `limit` when there are more.
 * @throws users.not_found when the owner is not active or blocks the caller.
 */
export async function listVideos(
  ctx: RequestContext,
  query: { readonly ownerId: string; readonly beforeId: string | undefined; readonly limit: number },
): Promise<VideoRow[]> {
  const viewerId = viewerIdOf(ctx);
  const videos = await listVideoRows(ctx.readDb, { ...query, viewerId, limit: query.limit + 1 });
  if (videos === undefined) throw userNotFound();
  return videos;
}

/**
 * Changes what is given of the caller's video.
 * @throws videos.not_found, videos.details_beyond_end.
 */
export async function updateVideo(
  ctx: RequestContext,
  videoId: string,
  changes: UpdateVideoInput,
): Promise<VideoRow> {
  const ownerId = requireViewerId(ctx);
  const needsMs = Math.max(
    chaptersNeedMs(changes.chapters ?? []),
    endScreensNeedMs(changes.end_screens ?? []),
  );
  const video = await updateVideoRow(ctx.databases.primary, videoId, ownerId, changes, needsMs);
  if (video === undefined) throw videoNotFound();
  if (video === 'too_short') throw detailsTooLong();
  await forgetVideoPage(ctx, videoId);
  return video;
}

/**
 * Deletes the caller's video. Its files and jobs are removed right after.
 * @throws videos.not_found
 */
export async function deleteVideo(ctx: RequestContext, videoId: string): Promise<void> {
  const ownerId = requireViewerId(ctx);
  const deleted = newEvent(ctx, 'video.deleted', { video_id: videoId, owner_id: ownerId });
  if (!(await deleteVideoRow(ctx, videoId, ownerId, deleted))) throw videoNotFound();
  await forgetVideoPage(ctx, videoId);
  publishAfterResponse(ctx, [deleted.id]);
}

/**
 * Tries the conversion, or the virus scan, of the caller's failed video again.
 * @throws videos.not_found; videos.not_retryable when it did not fail, or its file is the reason.
 */
export async function retryVideo(ctx: RequestContext, videoId: string): Promise<VideoRow> {
  const ownerId = requireViewerId(ctx);
  const { primary } = ctx.databases;
  const jobId = ctx.ids.next();
  const found = await findOwnVideoState(primary, videoId, ownerId, jobId);
  if (found === undefined) throw videoNotFound();
  // The same id again: this request was made before, and only its answer was lost.
  if (!found.hasJob) await restart(ctx, { videoId, ownerId, jobId, ...found });
  const video = await findVideo(primary, videoId, ownerId);
  if (video === undefined) throw videoNotFound();
  return video;
}

async function restart(
  ctx: RequestContext,
  failed: OwnVideoState & { readonly videoId: string; readonly ownerId: string; readonly jobId: string },
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
