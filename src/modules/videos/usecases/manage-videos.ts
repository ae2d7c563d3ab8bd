import type { RequestContext } from '../../../context.ts';
import { newEvent } from '../../../db/outbox.ts';
import { requireViewerId, viewerIdOf } from '../../../http/viewer.ts';
import { publishAfterResponse } from '../../../jobs/publish.ts';
import { userNotFound } from '../../users/index.ts';
import { chaptersNeedMs } from '../policy/chapters.ts';
import { endScreensNeedMs } from '../policy/end-screens.ts';
import { alreadyOut, detailsTooLong, videoNotFound } from '../videos.errors.ts';
import {
  deleteVideo as deleteVideoRow,
  listVideos as listVideoRows,
  updateVideo as updateVideoRow,
} from '../videos.repository.ts';
import type { UpdateVideoInput } from '../videos.schemas.ts';
import type { VideoRow } from '../videos.views.ts';
import { checkSchedule } from './schedule-video.ts';
import { hashVideoPassword } from './video-password.ts';
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
 * Changes what is given of the caller's video. A schedule can be set, moved and cleared while others cannot see it; clearing
 * that of a finished video shows it at once.
 * @throws videos.not_found, videos.already_out, videos.details_beyond_end, request.invalid
 */
export async function updateVideo(
  ctx: RequestContext,
  videoId: string,
  changes: UpdateVideoInput,
): Promise<VideoRow> {
  const ownerId = requireViewerId(ctx);
  checkSchedule(ctx, changes.publish_at ?? undefined);
  const needsMs = Math.max(
    chaptersNeedMs(changes.chapters ?? []),
    endScreensNeedMs(changes.end_screens ?? []),
  );
  const { password } = changes;
  const passwordHash = typeof password === 'string' ? await hashVideoPassword(password) : password;
  const told = { video_id: videoId, owner_id: ownerId };
  const published = newEvent(ctx, 'video.published', told);
  const accessChanged = changesAccess(changes) ? newEvent(ctx, 'video.access_changed', told) : undefined;
  const needs = { needsMs, published, passwordHash, accessChanged };
  const video = await updateVideoRow(ctx.databases.primary, videoId, ownerId, changes, needs);
  if (video === undefined) throw videoNotFound();
  if (video === 'too_short') throw detailsTooLong();
  if (video === 'already_out') throw alreadyOut();
  await forgetVideoPage(ctx, videoId);
  if (accessChanged !== undefined) publishAfterResponse(ctx, [accessChanged.id]);
  if (changes.publish_at === null) publishAfterResponse(ctx, [published.id]);
  return video;
}

/** Whether a change may open files to all or close them, which somebody then has to see to. */
const changesAccess = (changes: UpdateVideoInput): boolean =>
  changes.visibility !== undefined || changes.password !== undefined || changes.age_restricted !== undefined;

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
