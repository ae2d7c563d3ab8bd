export { disconnectUser, pushToUser } from './push.ts';
export { originNotAllowed, upgradeRequired } from './realtime.errors.ts';
export { isOriginAllowed } from './realtime.policy.ts';
export { realtimeRoutes } from './realtime.routes.ts';
