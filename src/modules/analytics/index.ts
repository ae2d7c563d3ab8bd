export { csvOf, ratio } from './analytics.policy.ts';
export { channelAnalyticsRoutes, videoAnalyticsRoutes } from './analytics.routes.ts';
export { refreshChannels } from './refresh-channels.usecases.ts';
