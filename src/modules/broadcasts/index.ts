import type { Handlers } from '../../jobs/handlers.ts';
import { takeStreamEvent } from './usecases/follow-broadcast.ts';
import { tellFollowers, tellOfStream } from './usecases/tell-of-stream.ts';

export { broadcastsRoutes } from './broadcasts.routes.ts';
export { reconcileBroadcasts } from './usecases/reconcile-broadcasts.ts';
export { findStreamNews } from './usecases/tell-of-stream.ts';

export const broadcastHandlers: Handlers = {
  'ivs.stream_changed': takeStreamEvent,
  'stream.started': tellOfStream,
  'stream.ended': tellOfStream,
  'stream.tell_followers': tellFollowers,
};
