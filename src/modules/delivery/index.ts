import type { Handlers } from '../../jobs/handlers.ts';
import {
  followAccess,
  followDeletion,
  followPublication,
  followWithdrawal,
} from './usecases/follow-video.ts';

export { cdnInvalidations } from './invalidations.table.ts';
export { pagesRoutes } from './pages.routes.ts';
export { settleWaitingStills } from './usecases/settle-stills.ts';
export { sweepInvalidations } from './usecases/sweep-invalidations.ts';

export const deliveryHandlers: Handlers = {
  'video.published': followPublication,
  'video.replaced': followPublication,
  'video.access_changed': followAccess,
  'video.deleted': followDeletion,
  'video.withdrawn': followWithdrawal,
};
