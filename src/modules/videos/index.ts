import type { Handlers } from '../../jobs/handlers.ts';
import { dropUselessOriginal } from './usecases/drop-original.ts';
import { notifyOwner } from './usecases/notify-owner.ts';
import { probeVideo } from './usecases/probe-video.ts';
import { purgeVideo } from './usecases/purge-video.ts';
import { ratingHandlers } from './usecases/rate-video.ts';
import { takeJobEvent } from './usecases/report-job.ts';
import { screenUpload, takeScanReport } from './usecases/screen-upload.ts';
import { requestEncode } from './usecases/submit-encode.ts';

export { videoDetailsRoutes } from './details.routes.ts';
export type { CommentPolicy } from './details.schemas.ts';
export { eraseRatings, moveVideoCounter } from './ratings.repository.ts';
export { videoRatings } from './ratings.table.ts';
export { uploadsRoutes } from './uploads.routes.ts';
export { eraseVideos } from './usecases/erase-videos.ts';
export { findVideoNews } from './usecases/notify-owner.ts';
export { reconcileEncodeJobs } from './usecases/reconcile-jobs.ts';
export { reconcileScans } from './usecases/reconcile-scans.ts';
export { expireUploads } from './usecases/settle-upload.ts';
export { forgetVideoPages } from './usecases/view-video.ts';
export { videoNotFound } from './videos.errors.ts';
export { videoListsRoutes, videosRoutes } from './videos.routes.ts';
export { type VideoState, type VideoSummary, videoSummarySchema } from './videos.schemas.ts';
export { renditions, thumbnails, uploads, videoCounters, videoSummaryJson, videos } from './videos.table.ts';
export { presentVideoSummary, type VideoSummaryRow } from './videos.views.ts';
export { videoListedFor, videoVisibleTo } from './visibility.repository.ts';

export const videoHandlers: Handlers = {
  ...ratingHandlers,
  'video.uploaded': screenUpload,
  'guardduty.object_scanned': takeScanReport,
  'video.released': probeVideo,
  'video.encode_requested': requestEncode,
  'mediaconvert.job_changed': takeJobEvent,
  'video.progressed': notifyOwner,
  'video.published': notifyOwner,
  'video.failed': async (ctx, message) => {
    await notifyOwner(ctx, message);
    await dropUselessOriginal(ctx, message);
  },
  'video.deleted': purgeVideo,
};
