import type { RequestContext } from '../../../context.ts';
import { insertEvents, newEvent } from '../../../db/outbox.ts';
import { cancelJob, deletePrefix } from '../../../integrations/aws/index.ts';
import type { ScanReport } from '../../../integrations/scanner/index.ts';
import type { MessageOf } from '../../../jobs/messages.ts';
import { publishEvents } from '../../../jobs/publish.ts';
import type { ScanRow } from '../scans.repository.ts';
import { findJobsWriting, withdrawFile } from '../withdrawals.repository.ts';
import { forgetVideoPage } from './view-video.ts';

const objectsPerMessage = 5_000;

/** Whether a file has left quarantine, or was refused. */
export const isSettled = (scan: ScanRow): boolean =>
  scan.settled || (scan.videoState !== 'uploading' && scan.videoState !== 'scanning');

/** Takes every video back that is made of a file which was found harmful after its release. Safe to repeat. */
export async function withdrawVideos(ctx: RequestContext, scan: ScanRow, report: ScanReport): Promise<void> {
  for (;;) {
    const { videoIds, eventIds } = await withdrawFile(ctx, scan, report);
    for (const videoId of videoIds) {
      ctx.log.log('warn', 'video.withdrawn', { video_id: videoId, upload_id: scan.uploadId });
      await forgetVideoPage(ctx, videoId);
    }
    if (eventIds.length > 0) await publishEvents(ctx, { ids: eventIds, limit: eventIds.length });
    // A clip of one of them may have been made in the same moment.
    if (videoIds.length === 0) return;
  }
}

/**
 * Stops what is being made of a harmful file for a video, and removes what was made. A long film takes several messages.
 * @throws AwsError when S3 or MediaConvert did not answer: the message is tried again.
 */
export async function removeWithdrawn(
  ctx: RequestContext,
  message: MessageOf<'video.withdrawn'>,
): Promise<void> {
  const { video_id: videoId, prefix } = message.data;
  const { aws } = ctx.config;
  const { primary } = ctx.databases;
  for (const jobId of await findJobsWriting(primary, videoId, prefix)) await cancelJob(aws, jobId);
  if (await deletePrefix(aws, { bucket: aws.mediaBucket, prefix }, objectsPerMessage)) return;
  const rest = newEvent(ctx, 'video.withdrawn', message.data);
  await insertEvents(primary, [rest]);
  await publishEvents(ctx, { ids: [rest.id], limit: 1 });
}
