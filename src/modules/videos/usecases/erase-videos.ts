import type { RequestContext } from '../../../context.ts';
import { newEvent } from '../../../db/outbox.ts';
import { deletePrefix } from '../../../integrations/aws/index.ts';
import { eraseVideo, listVideosToErase } from '../owned-videos.repository.ts';
import { deleteVideo } from '../videos.repository.ts';
import { watermarkPrefix } from './manage-watermark.ts';
import { purgeFiles } from './purge-video.ts';
import { sideFilePrefix } from './side-files.ts';
import { forgetVideoPage } from './view-video.ts';

const maxSideObjects = 5_000;

/**
 * Erases up to `limit` videos of an owner for good: deletes each as its owner would, then what it left outside the database,
 * then its rows. May be repeated at any point.
 * @returns whether none is left.
 * @throws AwsError when S3 or MediaConvert did not answer.
 */
export async function eraseVideos(ctx: RequestContext, ownerId: string, limit: number): Promise<boolean> {
  const { primary } = ctx.databases;
  const videos = await listVideosToErase(primary, ownerId, limit);
  for (const { id, deleted } of videos) {
    if (!deleted) {
      const event = newEvent(ctx, 'video.deleted', { video_id: id, owner_id: ownerId });
      await deleteVideo(ctx, id, ownerId, event);
      await forgetVideoPage(ctx, id);
    }
    if (await purgeFiles(ctx, id)) await eraseVideo(primary, id, ownerId);
  }
  if (videos.length > 0) return false;
  const { aws } = ctx.config;
  for (const prefix of [watermarkPrefix(ownerId), sideFilePrefix(ownerId)])
    if (!(await deletePrefix(aws, { bucket: aws.uploadsBucket, prefix }, maxSideObjects))) return false;
  return true;
}
