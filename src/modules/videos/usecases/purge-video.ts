import type { RequestContext } from '../../../context.ts';
import { insertEvents, newEvent } from '../../../db/outbox.ts';
import { cancelJob, deletePrefix } from '../../../integrations/aws/index.ts';
import type { MessageOf } from '../../../jobs/messages.ts';
import { publishEvents } from '../../../jobs/publish.ts';
import { findProviderJobIds } from '../encode-jobs.repository.ts';
import { findUploadsOfVideo } from '../uploads.repository.ts';
import { findVideoEnd } from '../videos.repository.ts';
import { freeParts } from './settle-upload.ts';

const objectsPerMessage = 5_000;

/**
 * Removes what a deleted video left outside the database: running jobs, unfinished uploads, the original, and everything that
 * was made of it, so that addresses handed out earlier play nothing any more. A long film takes several messages.
 * @throws AwsError when S3 or MediaConvert did not answer: the message is tried again.
 */
export async function purgeVideo(ctx: RequestContext, message: MessageOf<'video.deleted'>): Promise<void> {
  const { video_id: videoId } = message.data;
  const { primary } = ctx.databases;
  if ((await findVideoEnd(primary, videoId))?.deleted !== true) return;
  if (await purgeFiles(ctx, videoId)) return;
  const rest = newEvent(ctx, 'video.deleted', message.data);
  await insertEvents(primary, [rest]);
  await publishEvents(ctx, { ids: [rest.id], limit: 1 });
}

/**
 * Stops the jobs of a deleted video and removes its files, up to some thousand.
 * @returns whether none is left.
 * @throws AwsError.
 */
export async function purgeFiles(ctx: RequestContext, videoId: string): Promise<boolean> {
  const { primary } = ctx.databases;
  const { aws } = ctx.config;
  for (const providerJobId of await findProviderJobIds(primary, videoId)) await cancelJob(aws, providerJobId);
  for (const upload of await findUploadsOfVideo(primary, videoId)) await freeParts(ctx, upload);
  return (
    (await deletePrefix(
      aws,
      { bucket: aws.uploadsBucket, prefix: `originals/${videoId}/` },
      objectsPerMessage,
    )) &&
    (await deletePrefix(aws, { bucket: aws.mediaBucket, prefix: `open/${videoId}/` }, objectsPerMessage)) &&
    (await deletePrefix(aws, { bucket: aws.mediaBucket, prefix: `media/${videoId}/` }, objectsPerMessage))
  );
}
