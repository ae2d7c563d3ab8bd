export { retireLiveChannel } from './channels.repository.ts';
export { sentAway } from './live.errors.ts';
export { liveChannelRoutes } from './live.routes.ts';
export { livePlaybackRoutes } from './playback.routes.ts';
export { cleanUpChannels } from './usecases/end-broadcasts.ts';
export { endPlaybackOfLost, sweepViewers } from './usecases/end-playback.ts';
export { fillPool } from './usecases/fill-pool.ts';
export { liveHandlers } from './usecases/hear-of-access.ts';
export { isSentAway } from './viewers.repository.ts';
