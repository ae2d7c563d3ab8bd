import type { RequestContext } from '../../../context.ts';
import { newEvent } from '../../../db/outbox.ts';
import { requireViewerId } from '../../../http/viewer.ts';
import { deletePrefix } from '../../../integrations/aws/index.ts';
import { publishAfterResponse } from '../../../jobs/publish.ts';
import { mediaPrefix } from '../policy/encode-plan.ts';
import { originalsPrefix } from '../policy/upload-keys.ts';
import {
  endReplacement,
  listSuperseded,
  type Superseded,
  settleSuperseded,
} from '../replacements.repository.ts';
import { notReplacing, videoNotFound } from '../videos.errors.ts';
import { findVideo } from '../videos.repository.ts';

const batchSize = 10;
const objectsPerPrefix = 5_000;
/** A row's own files are always of its first revision; later ones of a video are those of rows that moved. */
const ownRevision = 1;

/**
 * Gives up what was to replace the file of the caller's video. What replaced it already stays.
 * @throws videos.not_found, videos.not_replacing
 */
export async function giveUpReplacement(ctx: RequestContext, videoId: string): Promise<void> {
  const ownerId = requireViewerId(ctx);
  const { primary } = ctx.databases;
  const deleted = newEvent(ctx, 'video.deleted', {});
  if (await endReplacement(primary, videoId, ownerId, deleted))
    return publishAfterResponse(ctx, [deleted.id]);
  const video = await findVideo(primary, videoId, ownerId);
  throw video?.owner.id === ownerId ? notReplacing() : videoNotFound();
}

/**
 * Removes the files of videos that were replaced a while ago: who was watching has gone on to the new ones. One that fails is
 * left for the next run.
 */
export async function dropSuperseded(ctx: RequestContext): Promise<void> {
  const { primary } = ctx.databases;
  const beforeMs = ctx.clock.now() - ctx.config.videos.supersededTtlSeconds * 1_000;
  for (const video of await listSuperseded(primary, { beforeMs, limit: batchSize }))
    try {
      if (await removeOldFiles(ctx, video)) await settleSuperseded(primary, video);
    } catch (error) {
      ctx.log.log('warn', 'videos.superseded_left', {
        video_id: video.id,
        reason: error instanceof Error ? error.message : undefined,
      });
    }
}

async function removeOldFiles(ctx: RequestContext, video: Superseded): Promise<boolean> {
  const { aws } = ctx.config;
  for (const id of video.familyIds) {
    const original = originalsPrefix(id);
    const media = mediaPrefix(id, ownRevision);
    const old = [
      ...(video.sourceKey?.startsWith(original) ? [] : [{ bucket: aws.uploadsBucket, prefix: original }]),
      ...(video.mediaPrefix === media ? [] : [{ bucket: aws.mediaBucket, prefix: media }]),
    ];
    for (const target of old) if (!(await deletePrefix(aws, target, objectsPerPrefix))) return false;
  }
  return true;
}
