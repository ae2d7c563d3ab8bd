export { streamNotFound, streamNotLive } from './streams.errors.ts';
export { findStream, findStreamOwner, memberOfStream, streamVisibleTo } from './streams.repository.ts';
export { streamsRoutes } from './streams.routes.ts';
export { streamParams } from './streams.schemas.ts';
export { streams } from './streams.table.ts';
export { tellAccessChanged } from './streams.usecases.ts';
export { presentStream } from './streams.views.ts';
