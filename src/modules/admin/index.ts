export { adminRoutes } from './admin.routes.ts';
export { adminProposals, suspensions } from './admin.table.ts';
export { liftEndedSuspensions } from './usecases/change-accounts.ts';
