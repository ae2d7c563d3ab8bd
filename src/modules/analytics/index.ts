export { channelAnalyticsRoutes, videoAnalyticsRoutes } from './analytics.routes.ts';
