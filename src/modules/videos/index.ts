import type { Handlers } from '../../jobs/handlers.ts';

export { type VideoState, type VideoSummary, videoSummarySchema } from './videos.schemas.ts';
export { renditions, thumbnails, videoSummaryJson, videos } from './videos.table.ts';
export { presentVideoSummary, type VideoSummaryRow } from './videos.views.ts';

export const videoHandlers: Handlers = {};
export const reconcileEncodeJobs = async (): Promise<void> => {};
export const expireUploads = async (): Promise<void> => {};
