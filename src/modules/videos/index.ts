import type { Handlers } from '../../jobs/handlers.ts';
import { dropUselessOriginal } from './usecases/drop-original.ts';
import { fetchImport } from './usecases/fetch-import.ts';
import { makeExtras } from './usecases/make-extras.ts';
import { notifyOwner } from './usecases/notify-owner.ts';
import { probeVideo } from './usecases/probe-video.ts';
import { purgeVideo } from './usecases/purge-video.ts';
import { ratingHandlers } from './usecases/rate-video.ts';
import { takeJobEvent } from './usecases/report-job.ts';
import { screenUpload, takeScanReport } from './usecases/screen-upload.ts';
import { requestEncode } from './usecases/submit-encode.ts';
import { notifyUploader } from './usecases/upload-progress.ts';
import { removeWithdrawn } from './usecases/withdraw-file.ts';

export { openPrefix, playedPrefix } from './access.repository.ts';
export { videoDetailsRoutes } from './details.routes.ts';
export type { CommentPolicy } from './details.schemas.ts';

export { encodingRoutes } from './encoding.routes.ts';
export { renditions, thumbnails } from './encoding.table.ts';
export { importsRoutes } from './imports.routes.ts';
export { type DecisionRow, decisionColumns, toDecisionFacts } from './playback.repository.ts';
export { playbackRoutes } from './playback.routes.ts';
export { playerFields } from './playback.schemas.ts';
export { type Chapter, maxChapters, maxChapterTitle, minChapterMs } from './policy/chapters.ts';
export { frameAncestors, hostOf } from './policy/embed-domains.ts';
export { mayEmbed } from './policy/playback-policy.ts';
export { masterKey, variantsOf } from './policy/recordings.ts';
export { eraseRatings, moveVideoCounter } from './ratings.repository.ts';
export { videoRatings } from './ratings.table.ts';
export { insertRecordedVideos } from './recordings.repository.ts';
export { listFamily } from './replacements.repository.ts';
export { replacementsRoutes } from './replacements.routes.ts';
export { videoSummaryJson } from './summary.repository.ts';
export { thumbnailsRoutes } from './thumbnails.routes.ts';
export { uploadLimitsRoutes } from './upload-limits.routes.ts';
export { uploadsRoutes } from './uploads.routes.ts';
export { uploads } from './uploads.table.ts';
export { assertMayPlay } from './usecases/decide-playback.ts';
export { dropFailedOriginals } from './usecases/drop-original.ts';
export { eraseVideos } from './usecases/erase-videos.ts';
export { resumeImports } from './usecases/fetch-import.ts';
export { findReplacementFailure, findVideoNews } from './usecases/notify-owner.ts';
export { readPlaylist } from './usecases/probe-recording.ts';
export { reconcileEncodeJobs } from './usecases/reconcile-jobs.ts';
export { reconcileScans } from './usecases/reconcile-scans.ts';
export { refuseRecorded } from './usecases/refuse-recorded.ts';
export { dropSuperseded } from './usecases/replace-file.ts';
export { announceDueVideos } from './usecases/schedule-video.ts';
export { expireUploads } from './usecases/settle-upload.ts';
export { dropSideFile, readSideFile } from './usecases/side-files.ts';
export { signFolder } from './usecases/sign-media.ts';
export { sweepBuckets } from './usecases/sweep-buckets.ts';
export { forgetVideoPage, forgetVideoPages } from './usecases/view-video.ts';
export { orUnavailable, playbackRefusals, videoNotFound } from './videos.errors.ts';
export { findVideo, listVideos as listVideoRows } from './videos.repository.ts';
export { videoListsRoutes, videosRoutes } from './videos.routes.ts';
export { type VideoState, type VideoSummary, videoSummarySchema } from './videos.schemas.ts';
export { videoCounters, videos } from './videos.table.ts';
export {
  mediaUrl,
  openKey,
  presentVideoSummary,
  type VideoRow,
  type VideoSummaryRow,
} from './videos.views.ts';
export { videoListedFor, videoVisibleTo } from './visibility.repository.ts';

export const videoHandlers: Handlers = {
  'upload.progressed': notifyUploader,
  ...ratingHandlers,
  'video.uploaded': screenUpload,
  'guardduty.object_scanned': takeScanReport,
  'video.released': probeVideo,
  'video.import_requested': fetchImport,
  'video.encode_requested': requestEncode,
  'video.extras_requested': (ctx, message) => makeExtras(ctx, message.data.video_id),
  'mediaconvert.job_changed': takeJobEvent,
  'video.progressed': notifyOwner,
  'video.published': notifyOwner,
  'video.replaced': notifyOwner,
  'video.failed': async (ctx, message) => {
    await notifyOwner(ctx, message);
    await dropUselessOriginal(ctx, message);
  },
  'video.deleted': purgeVideo,
  'video.withdrawn': removeWithdrawn,
};
