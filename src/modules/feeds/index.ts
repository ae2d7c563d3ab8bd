import type { Handlers } from '../../jobs/handlers.ts';
import { fanOutPage, startFanOut } from './usecases/fan-out.ts';
import { syncTimeline } from './usecases/sync-timeline.ts';

export { feedsRoutes } from './feeds.routes.ts';
export { timelineEntries } from './feeds.table.ts';
export { trimTimelines } from './usecases/trim-timelines.ts';

/** Keeps home timelines. */
export const feedHandlers: Handlers = {
  'post.created': startFanOut,
  'feed.fan_out': fanOutPage,
  'user.followed': (ctx, { data }) => syncTimeline(ctx, data.follower_id, data.followee_id),
  'user.unfollowed': (ctx, { data }) => syncTimeline(ctx, data.follower_id, data.followee_id),
  'user.blocked': async (ctx, { data }) => {
    await syncTimeline(ctx, data.blocker_id, data.blocked_id);
    await syncTimeline(ctx, data.blocked_id, data.blocker_id);
  },
};
