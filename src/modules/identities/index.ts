export { hasIdentity } from './identities.repository.ts';
export { facebookRoutes, identitiesRoutes } from './identities.routes.ts';
export { identities, oauthFlows } from './identities.table.ts';
export { oauthRoutes } from './oauth.routes.ts';
export { revokeProviderTokens } from './usecases/manage-identities.ts';
