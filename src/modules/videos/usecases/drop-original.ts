import type { RequestContext } from '../../../context.ts';
import { deletePrefix } from '../../../integrations/aws/index.ts';
import type { MessageOf } from '../../../jobs/messages.ts';
import { isRetryable } from '../policy/failures.ts';
import { originalsPrefix } from '../policy/upload-keys.ts';
import { forgetOriginal, listFailedOriginals } from '../sweeps.repository.ts';
import { findVideoEnd } from '../videos.repository.ts';

const maxObjects = 1_000;
const batchSize = 50;

/**
 * Removes the uploaded file of a video that can never be published from it: nobody can see it or try it again, and it may
 * be large.
 * @throws AwsError when S3 did not answer: the message is tried again.
 */
export async function dropUselessOriginal(
  ctx: RequestContext,
  message: MessageOf<'video.failed'>,
): Promise<void> {
  const { video_id: videoId } = message.data;
  const code = (await findVideoEnd(ctx.databases.primary, videoId))?.failureCode ?? null;
  if (code === null || isRetryable(code)) return;
  const { aws } = ctx.config;
  // What lies in quarantine is the scan's to remove or to hold.
  await deletePrefix(aws, { bucket: aws.uploadsBucket, prefix: originalsPrefix(videoId) }, maxObjects);
  await forgetOriginal(ctx.databases.primary, videoId, code);
}

/** Removes the originals of films that failed a while ago and were not tried again. One that fails is left for the next run. */
export async function dropFailedOriginals(ctx: RequestContext): Promise<void> {
  const { aws, videos } = ctx.config;
  const { primary } = ctx.databases;
  const beforeMs = ctx.clock.now() - videos.failedOriginalTtlSeconds * 1_000;
  for (const { id, failureCode } of await listFailedOriginals(primary, beforeMs, batchSize))
    try {
      const target = { bucket: aws.uploadsBucket, prefix: originalsPrefix(id) };
      if (!(await deletePrefix(aws, target, maxObjects))) continue;
      await forgetOriginal(primary, id, isRetryable(failureCode) ? 'original_dropped' : failureCode);
    } catch (error) {
      ctx.log.log('warn', 'videos.original_left', {
        video_id: id,
        reason: error instanceof Error ? error.message : undefined,
      });
    }
}
