export { countLiveKeys, revokeKeysOf } from './api-keys.repository.ts';
export { apiKeysRoutes } from './api-keys.routes.ts';
export { apiKeys } from './api-keys.table.ts';
export { createApiKeys } from './usecases/verify-key.ts';
