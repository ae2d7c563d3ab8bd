import type { RequestContext } from '../../../context.ts';
import { newEvent } from '../../../db/outbox.ts';
import {
  abortMultipartUpload,
  deleteObjects,
  headObject,
  listMultipartUploads,
} from '../../../integrations/aws/index.ts';
import { publishEvents } from '../../../jobs/publish.ts';
import { failUpload, findOverdueUploads, finishUpload, type UploadRow } from '../uploads.repository.ts';
import { quarterEvents } from './quarter-events.ts';

const batchSize = 25;
/** An upload begins a video. */
const firstRevision = 1;

/**
 * Ends an upload by what S3 holds: the whole object completes it; an object of another size is removed and fails the video;
 * without one it ends as `otherwise`. Safe to repeat and to race.
 * @returns what it came to.
 * @throws AwsError
 */
export async function settleUpload(
  ctx: RequestContext,
  upload: UploadRow,
  otherwise: 'expired' | 'leave',
): Promise<'completed' | 'size_mismatch' | 'ended' | 'left'> {
  const { aws } = ctx.config;
  const { primary } = ctx.databases;
  const target = { bucket: aws.uploadsBucket, key: upload.objectKey };
  const object = await headObject(aws, target);
  if (object !== undefined && object.sizeBytes === upload.sizeBytes) {
    const uploaded = newEvent(ctx, 'video.uploaded', { video_id: upload.videoId, revision: firstRevision });
    const waived = ctx.config.scanning.scanner === 'off';
    const quarters = quarterEvents(ctx, upload);
    if (await finishUpload(primary, upload.id, { waived, uploaded, quarters })) {
      const events = [uploaded, ...quarters];
      await publishOrLeave(
        ctx,
        events.map(({ id }) => id),
      );
    }
    return 'completed';
  }
  if (object === undefined && otherwise === 'leave') return 'left';
  const failed = newEvent(ctx, 'video.failed', { video_id: upload.videoId, owner_id: upload.ownerId });
  const end =
    object === undefined
      ? ({ state: 'expired', code: 'upload_expired', failed } as const)
      : ({ state: 'aborted', code: 'size_mismatch', failed } as const);
  if (await failUpload(primary, upload.id, end)) await publishOrLeave(ctx, [failed.id]);
  if (object === undefined) return 'ended';
  await deleteObjects(aws, target.bucket, [target.key]);
  return 'size_mismatch';
}

/** Frees every multipart upload S3 holds under an upload's key, also those whose id never reached our row. */
export async function freeParts(ctx: RequestContext, upload: UploadRow): Promise<void> {
  const { aws } = ctx.config;
  const held = await listMultipartUploads(aws, { bucket: aws.uploadsBucket, prefix: upload.objectKey });
  for (const part of held) await abortMultipartUpload(aws, part);
}

/** Ends uploads nobody completed in time and frees their parts. One that fails is left for the next run. */
export async function expireUploads(ctx: RequestContext): Promise<void> {
  const overdue = await findOverdueUploads(ctx.databases.primary, ctx.clock.now(), batchSize);
  for (const upload of overdue) {
    try {
      await freeParts(ctx, upload);
      await settleUpload(ctx, upload, 'expired');
    } catch (error) {
      ctx.log.log('warn', 'upload.expiry_failed', {
        upload_id: upload.id,
        error_name: error instanceof Error ? error.name : 'unknown',
        reason: error instanceof Error ? error.message : undefined,
      });
    }
  }
}

/** The upload has ended whether or not the queue takes the news; what it does not take is left to the sweeper. */
async function publishOrLeave(ctx: RequestContext, ids: readonly string[]): Promise<void> {
  try {
    await publishEvents(ctx, { ids, limit: ids.length });
  } catch (error) {
    ctx.log.log('warn', 'upload.news_delayed', {
      error_name: error instanceof Error ? error.name : 'unknown',
    });
  }
}
