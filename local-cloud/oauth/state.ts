import type { IdTokenKeys } from './id-token.ts';
import type { AuthorizationRequest, Consent, StandInClients, StandInProvider } from './types.ts';

/** Everything the stand-ins remember; gone when they stop. */
export interface State {
  readonly clients: StandInClients;
  readonly keys: IdTokenKeys;
  readonly testControls: boolean;
  /** Where this server answers. */
  readonly url: () => string;
  /** The one redirect URI registered for a provider. */
  readonly redirectUri: (provider: StandInProvider) => string;
  readonly requests: Map<string, AuthorizationRequest>;
  readonly codes: Map<string, Consent>;
  readonly accessTokens: Map<string, Consent>;
  readonly refreshTokens: Set<string>;
  readonly revokedTokens: Set<string>;
  readonly appleSeen: Set<string>;
}
