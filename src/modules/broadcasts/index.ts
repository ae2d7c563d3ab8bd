import type { Handlers } from '../../jobs/handlers.ts';
import { takeStreamEvent } from './usecases/follow-broadcast.ts';
import { reconcileRecordings, takeRecordingEvent } from './usecases/keep-recording.ts';
import { tellFollowers, tellOfStream } from './usecases/tell-of-stream.ts';

export { broadcastsRoutes } from './broadcasts.routes.ts';
export { cutClips } from './usecases/clip-stream.ts';
export { reconcileBroadcasts } from './usecases/reconcile-broadcasts.ts';
export { findStreamNews } from './usecases/tell-of-stream.ts';
export { reconcileRecordings };

export const broadcastHandlers: Handlers = {
  'ivs.stream_changed': takeStreamEvent,
  'ivs.recording_changed': takeRecordingEvent,
  'stream.started': tellOfStream,
  'stream.ended': tellOfStream,
  'stream.tell_followers': tellFollowers,
};
