export { streamAnalyticsRoutes } from './stream-analytics.routes.ts';
