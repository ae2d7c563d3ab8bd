import type { RequestContext } from '../../../context.ts';
import { insertEvents, newEvent } from '../../../db/outbox.ts';
import {
  abortMultipartUpload,
  cancelJob,
  deleteObjects,
  deletePrefix,
  listMultipartUploads,
} from '../../../integrations/aws/index.ts';
import type { MessageOf } from '../../../jobs/messages.ts';
import { publishEvents } from '../../../jobs/publish.ts';
import { findProviderJobIds } from '../encode-jobs.repository.ts';
import { recordingOf } from '../policy/recordings.ts';
import { uploadPrefixes } from '../policy/upload-keys.ts';
import { listFamily } from '../replacements.repository.ts';
import { findVideoEnd } from '../videos.repository.ts';

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
 * Stops the jobs of a deleted video and removes its files, up to some thousand, with those of the files that replaced its own
 * or were to.
 * @returns whether none is left.
 * @throws AwsError.
 */
export async function purgeFiles(ctx: RequestContext, videoId: string): Promise<boolean> {
  for (const id of await listFamily(ctx.databases.primary, videoId))
    if (!(await purgeFilesOf(ctx, id))) return false;
  return true;
}

async function purgeFilesOf(ctx: RequestContext, videoId: string): Promise<boolean> {
  const { primary } = ctx.databases;
  const { aws } = ctx.config;
  for (const providerJobId of await findProviderJobIds(primary, videoId)) await cancelJob(aws, providerJobId);
  const bucket = aws.uploadsBucket;
  for (const prefix of uploadPrefixes(videoId)) {
    for (const copy of await listMultipartUploads(aws, { bucket, prefix }))
      await abortMultipartUpload(aws, copy);
    if (!(await deletePrefix(aws, { bucket, prefix }, objectsPerMessage))) return false;
  }
  for (const prefix of [`open/${videoId}/`, `media/${videoId}/`])
    if (!(await deletePrefix(aws, { bucket: aws.mediaBucket, prefix }, objectsPerMessage))) return false;
  return purgeRecording(ctx, videoId);
}

/** A video made of a whole recording goes with it; one that was cut out of it leaves it to the others. */
async function purgeRecording(ctx: RequestContext, videoId: string): Promise<boolean> {
  const { aws } = ctx.config;
  const { sourceKey = null } = (await findVideoEnd(ctx.databases.primary, videoId)) ?? {};
  const recording = sourceKey === null ? undefined : recordingOf(sourceKey);
  if (sourceKey === null || recording === undefined) return true;
  const bucket = aws.recordingsBucket;
  if (recording.rendition === undefined)
    return await deletePrefix(aws, { bucket, prefix: recording.prefix }, objectsPerMessage);
  await deleteObjects(aws, bucket, [sourceKey]);
  return true;
}
