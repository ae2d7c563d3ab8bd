export { channelAnalyticsRoutes, videoAnalyticsRoutes } from './analytics.routes.ts';
export { refreshChannels } from './analytics.usecases.ts';
