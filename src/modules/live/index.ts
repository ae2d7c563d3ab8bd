export { retireLiveChannel } from './channels.repository.ts';
export { liveChannelRoutes } from './live.routes.ts';
export { cleanUpChannels } from './usecases/end-broadcasts.ts';
export { fillPool } from './usecases/fill-pool.ts';
