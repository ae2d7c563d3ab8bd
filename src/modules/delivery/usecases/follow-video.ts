import type { RequestContext } from '../../../context.ts';
import { insertEvents, newEvent } from '../../../db/outbox.ts';
import type { MessageOf } from '../../../jobs/messages.ts';
import { publishEvents } from '../../../jobs/publish.ts';
import { requestInvalidations } from '../invalidations.repository.ts';
import { settleStills } from './settle-stills.ts';

/** Opens or closes the stills of a video to everybody. */
export const followAccess = (
  ctx: RequestContext,
  { data }: MessageOf<'video.access_changed'>,
): Promise<void> => settleStills(ctx, data.video_id);

/** Has the CDN forget everything of a video that is gone; its files are removed by the video's own module. */
export const followDeletion = (ctx: RequestContext, { data }: MessageOf<'video.deleted'>): Promise<void> =>
  requestInvalidations(ctx.databases.primary, [`/media/${data.video_id}/*`, `/open/${data.video_id}/*`]);

/** Hands the copying of stills to the queue for media, so that it delays no feed. */
export async function followPublication(
  ctx: RequestContext,
  { data: { video_id, owner_id } }: MessageOf<'video.published'> | MessageOf<'video.replaced'>,
): Promise<void> {
  const changed = newEvent(ctx, 'video.access_changed', { video_id, owner_id });
  await insertEvents(ctx.databases.primary, [changed]);
  await publishEvents(ctx, { ids: [changed.id], limit: 1 });
}
