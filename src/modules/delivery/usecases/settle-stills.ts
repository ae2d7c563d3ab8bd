import type { RequestContext } from '../../../context.ts';
import { copyObject, deletePrefix, isAwsError, listObjects } from '../../../integrations/aws/index.ts';
import { withLock } from '../../../jobs/with-lock.ts';
import { forgetVideoPage } from '../../videos/index.ts';
import { requestInvalidations } from '../invalidations.repository.ts';
import { openCopyOf } from '../policy/open-stills.ts';
import {
  beginOpening,
  finishClosing,
  finishOpening,
  listUnsettledStills,
  prefixToClose,
  type StillsToOpen,
} from '../stills.repository.ts';

const videosAtOnce = 20;
const objectsAtOnce = 5_000;
const lockMs = 60_000;

/**
 * Brings the copies of a video's stills in line with who may see it: made where everybody may look, gone where not. Works from
 * the state it finds, so it may be run again at any time, and be cut off anywhere.
 */
export async function settleStills(ctx: RequestContext, videoId: string): Promise<void> {
  await withLock(ctx.bindings.LOCK, `stills:${videoId}`, { ttlMs: lockMs }, async () => {
    const { primary } = ctx.databases;
    const closed = await prefixToClose(primary, videoId);
    if (closed !== undefined) return close(ctx, videoId, closed);
    const stills = await beginOpening(primary, videoId);
    if (stills === undefined) return;
    if (stills.replacedPrefix !== null) await forget(ctx, `${stills.replacedPrefix.replace(/\/$/, '')}/`);
    await copyAll(ctx, stills);
    if (await finishOpening(primary, videoId, stills)) await forgetVideoPage(ctx, videoId);
  });
}

/** Settles videos whose message was lost, or whose time to be published has come. One that fails stops no other. */
export async function settleWaitingStills(ctx: RequestContext): Promise<void> {
  for (const videoId of await listUnsettledStills(ctx.databases.primary, videosAtOnce))
    try {
      await settleStills(ctx, videoId);
    } catch (error) {
      ctx.log.log('warn', 'stills.not_settled', {
        video_id: videoId,
        error_name: error instanceof Error ? error.name : 'unknown',
      });
    }
}

/** Copies of pictures its owner gave lie in the video's own folder, those of stills beside the file that is played. */
async function close(ctx: RequestContext, videoId: string, prefix: string): Promise<void> {
  const own = `open/${videoId}/`;
  for (const folder of prefix.startsWith(own) ? [own] : [own, prefix])
    if (!(await forget(ctx, folder))) return;
  await finishClosing(ctx.databases.primary, videoId);
  await forgetVideoPage(ctx, videoId);
}

/**
 * Removes copies, and has the CDN forget them and what they were made of.
 * @returns false when some copies are left for the next time.
 */
async function forget(ctx: RequestContext, prefix: string): Promise<boolean> {
  const { aws } = ctx.config;
  if (!(await deletePrefix(aws, { bucket: aws.mediaBucket, prefix }, objectsAtOnce))) return false;
  const paths = [`/${prefix.replace(/^open\//, 'media/')}*`, `/${prefix}*`];
  await requestInvalidations(ctx.databases.primary, paths);
  return true;
}

async function copyAll(ctx: RequestContext, stills: StillsToOpen): Promise<void> {
  const { aws } = ctx.config;
  const bucket = aws.mediaBucket;
  for (const key of [...stills.keys, ...(await sheetsOf(ctx, stills))]) {
    const copy = openCopyOf(key);
    if (copy === undefined) continue;
    try {
      await copyObject(aws, { bucket, key }, { bucket, key: copy.key }, copy);
    } catch (error) {
      // What was never made, or is gone with its video, needs no copy.
      if (!isAwsError(error, 'NoSuchKey')) throw error;
    }
  }
}

/** The sheets of pictures a storyboard names lie beside it. */
async function sheetsOf(ctx: RequestContext, { storyboardKey }: StillsToOpen): Promise<readonly string[]> {
  if (storyboardKey === null) return [];
  const { aws } = ctx.config;
  const prefix = storyboardKey.replace(/\.vtt$/, '');
  const { keys } = await listObjects(aws, { bucket: aws.mediaBucket, prefix });
  return keys.filter((key) => key !== storyboardKey);
}
