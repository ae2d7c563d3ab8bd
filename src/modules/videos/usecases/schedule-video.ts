import type { RequestContext } from '../../../context.ts';
import { newEvent } from '../../../db/outbox.ts';
import { invalidRequest } from '../../../http/errors.ts';
import { publishEvents } from '../../../jobs/publish.ts';
import { scheduleProblem } from '../policy/schedule.ts';
import { announceVideos, findDueVideos } from '../schedule.repository.ts';
import { forgetVideoPage } from './view-video.ts';

const batchSize = 100;

/**
 * The moment a video is to be shown, in Unix milliseconds.
 * @throws request.invalid when it does not lie ahead, or too far.
 */
export function checkSchedule(ctx: RequestContext, publishAt: string | undefined): number | undefined {
  if (publishAt === undefined) return undefined;
  const publishAtMs = Date.parse(publishAt);
  const message = scheduleProblem(publishAtMs, ctx.clock.now());
  if (message !== undefined)
    throw invalidRequest({ errors: [{ pointer: '/publish_at', code: 'out_of_range', message }] });
  return publishAtMs;
}

/**
 * Tells of finished videos whose time has come, each once. They are shown by the time itself; this is only the news of it, and
 * drops the copies of pages that say there is no such video.
 */
export async function announceDueVideos(ctx: RequestContext): Promise<void> {
  const { primary } = ctx.databases;
  const due = await findDueVideos(primary, ctx.clock.now(), batchSize);
  if (due.length === 0) return;
  const events = due.map(({ id, ownerId }) => ({
    videoId: id,
    ...newEvent(ctx, 'video.published', { video_id: id, owner_id: ownerId }),
  }));
  await announceVideos(primary, ctx.clock.now(), events);
  await Promise.all(due.map(({ id }) => forgetVideoPage(ctx, id)));
  await publishEvents(ctx, { ids: events.map(({ id }) => id), limit: events.length });
}
