export {
  type AuthorizationGrant,
  authorizationUrl,
  type FlowSecrets,
  issuedBy,
  type ProvenIdentity,
  redeemCode,
  revokeToken,
} from './client.ts';
export { ProviderError } from './errors.ts';
export { readSignedRequest } from './facebook-request.ts';
export type { ProviderProfile } from './profile.ts';
export {
  configuredProviders,
  type ProviderClient,
  type ProviderName,
  providerClientOf,
  providerNames,
} from './providers.ts';
