export { eraseFollows } from './erasure.repository.ts';
export { notBlocked } from './graph.repository.ts';
export { graphRoutes } from './graph.routes.ts';
export { blocks, follows } from './graph.table.ts';
export { blockUser, followUser, graphHandlers, unblockUser, unfollowUser } from './graph.usecases.ts';
