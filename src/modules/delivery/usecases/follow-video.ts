import type { RequestContext } from '../../../context.ts';
import { insertEvents, newEvent } from '../../../db/outbox.ts';
import type { MessageOf } from '../../../jobs/messages.ts';
import { publishEvents } from '../../../jobs/publish.ts';
import { listFamily } from '../../videos/index.ts';
import { requestInvalidations } from '../invalidations.repository.ts';
import { settleStills } from './settle-stills.ts';

/** Opens or closes the stills of a video to everybody. */
export const followAccess = (
  ctx: RequestContext,
  { data }: MessageOf<'video.access_changed'>,
): Promise<void> => settleStills(ctx, data.video_id);

/**
 * Has the CDN forget everything of a video that is gone, and of the files that replaced its own; they are removed by the video's
 * own module.
 */
export async function followDeletion(
  ctx: RequestContext,
  { data: { video_id } }: MessageOf<'video.deleted'>,
): Promise<void> {
  const { primary } = ctx.databases;
  const ids = new Set([video_id, ...(await listFamily(primary, video_id))]);
  await requestInvalidations(
    primary,
    [...ids].flatMap((id) => [`/media/${id}/*`, `/open/${id}/*`]),
  );
}

/** Takes the open stills of a video away that was withdrawn, and has the CDN forget what was made of its file. */
export async function followWithdrawal(
  ctx: RequestContext,
  { data: { video_id, prefix } }: MessageOf<'video.withdrawn'>,
): Promise<void> {
  await settleStills(ctx, video_id);
  await requestInvalidations(ctx.databases.primary, [`/${prefix}*`]);
}

/** Hands the copying of stills to the queue for media, so that it delays no feed. */
export async function followPublication(
  ctx: RequestContext,
  { data: { video_id, owner_id } }: MessageOf<'video.published'> | MessageOf<'video.replaced'>,
): Promise<void> {
  const changed = newEvent(ctx, 'video.access_changed', { video_id, owner_id });
  await insertEvents(ctx.databases.primary, [changed]);
  await publishEvents(ctx, { ids: [changed.id], limit: 1 });
}
