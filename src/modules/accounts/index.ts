import type { Handlers } from '../../jobs/handlers.ts';
import { finishClosing } from './usecases/close-account.ts';

export { accountsRoutes } from './accounts.routes.ts';

export const accountHandlers: Handlers = { 'account.closed': finishClosing };
