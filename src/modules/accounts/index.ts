import type { Handlers } from '../../jobs/handlers.ts';
import { buildExport } from './usecases/build-export.ts';
import { finishClosing } from './usecases/close-account.ts';

export { accountsRoutes } from './accounts.routes.ts';
export { exportsRoutes } from './exports.routes.ts';
export { eraseDueAccounts } from './usecases/erase-accounts.ts';
export { remindOfDeletions } from './usecases/remind-of-deletions.ts';
export { sweepExports } from './usecases/sweep-exports.ts';

export const accountHandlers: Handlers = {
  'account.closed': finishClosing,
  'account.export_requested': buildExport,
};
