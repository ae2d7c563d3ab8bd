export { disconnectUser, pushToUser } from './push.ts';
export { realtimeRoutes } from './realtime.routes.ts';
