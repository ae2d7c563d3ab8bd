export { historyRoutes } from './history.routes.ts';
export { watchHistory, watchHistorySettings } from './history.table.ts';
export { historyHandlers, trimHistories } from './usecases/keep-history.ts';
