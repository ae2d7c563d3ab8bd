import * as oauth from 'oauth4webapi';
import { appleClientSecret } from './apple-secret.ts';
import { ProviderError } from './errors.ts';
import { fetchProvider, type ProviderCall } from './fetch.ts';
import { verifyIdToken } from './id-token.ts';
import { appleProfile, fetchProfile, googleProfile, type ProviderProfile } from './profile.ts';
import type { OAuthConfig, ProviderClient } from './providers.ts';

/** What binds an authorization response to the request that asked for it. */
export interface FlowSecrets {
  readonly state: string;
  /** PKCE (RFC 7636). */
  readonly codeVerifier: string;
  readonly nonce: string;
}

/** The address of a provider's consent page. */
export async function authorizationUrl(
  { provider, clientId, redirectUri }: ProviderClient,
  { state, codeVerifier, nonce }: FlowSecrets,
  options: { readonly reauthenticate: boolean },
): Promise<string> {
  const url = new URL(provider.authorizationEndpoint);
  const parameters = {
    client_id: clientId,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: provider.scope,
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(codeVerifier),
    code_challenge_method: 'S256',
    ...(provider.jwksUri === undefined ? {} : { nonce }),
    ...provider.parameters,
    ...(options.reauthenticate ? provider.reauthenticate : {}),
  };
  for (const [key, value] of Object.entries(parameters)) url.searchParams.set(key, value);
  return url.href;
}

/**
 * Whether an authorization response may be this provider's: its `iss`, where it sends one, is the provider's (RFC 9207). Each
 * provider also has a redirect URI of its own.
 */
export const issuedBy = ({ provider }: ProviderClient, iss: string | undefined): boolean =>
  iss === undefined || iss === provider.issuer;

/** An answer of the provider to the browser, as it came. */
export interface AuthorizationGrant {
  readonly code: string;
  /** JSON of Apple, the first time only. */
  readonly user: string | undefined;
}

export interface ProvenIdentity {
  readonly profile: ProviderProfile;
  /** Only of providers that can be asked to revoke it; others’ tokens are dropped here. */
  readonly refreshToken: string | undefined;
  /** When the person last proved themselves there, in Unix seconds, if the provider says. */
  readonly authTime: number | undefined;
}

/**
 * Exchanges an authorization code and reads who it stands for.
 * @throws ProviderError.
 */
export async function redeemCode(
  config: OAuthConfig,
  client: ProviderClient,
  secrets: FlowSecrets,
  grant: AuthorizationGrant,
  nowMs: number,
): Promise<ProvenIdentity> {
  const { provider } = client;
  const call: ProviderCall = { provider: provider.name, timeoutMs: config.timeoutMs };
  const tokens = await exchange(config, client, secrets, grant.code, nowMs);
  if (provider.jwksUri === undefined) {
    const profile = await fetchProfile(call, client, tokens.access_token);
    return { profile, refreshToken: undefined, authTime: undefined };
  }
  const claims = await verifyIdToken(call, client, tokens.id_token ?? '', { nonce: secrets.nonce, nowMs });
  const profile = provider.name === 'apple' ? appleProfile(claims, grant.user) : googleProfile(claims);
  const refreshToken = provider.revocationEndpoint === undefined ? undefined : tokens.refresh_token;
  const authTime = typeof claims.auth_time === 'number' ? claims.auth_time : undefined;
  return { profile, refreshToken, authTime };
}

/**
 * Takes a refresh token back (RFC 7009). Apple asks for it when an account is deleted.
 * @throws ProviderError.
 */
export async function revokeToken(
  config: OAuthConfig,
  client: ProviderClient,
  refreshToken: string,
  nowMs: number,
): Promise<void> {
  const { provider, clientId } = client;
  if (provider.revocationEndpoint === undefined) return;
  const body = new URLSearchParams({
    client_id: clientId,
    token: refreshToken,
    token_type_hint: 'refresh_token',
    client_secret: await secretOf(config, client, nowMs),
  });
  const call: ProviderCall = { provider: provider.name, timeoutMs: config.timeoutMs };
  const response = await fetchProvider(call, provider.revocationEndpoint, { method: 'POST', body });
  if (response.status !== 200)
    throw new ProviderError(provider.name, 'answer_invalid', `revocation answered ${response.status}`);
}

const secretOf = (config: OAuthConfig, { provider, clientSecret }: ProviderClient, nowMs: number) =>
  provider.clientAuth === 'apple'
    ? appleClientSecret(config, provider.issuer, Math.floor(nowMs / 1000))
    : Promise.resolve(clientSecret);

async function exchange(
  config: OAuthConfig,
  client: ProviderClient,
  { state, codeVerifier, nonce }: FlowSecrets,
  code: string,
  nowMs: number,
): Promise<oauth.TokenEndpointResponse> {
  const { provider, clientId, redirectUri } = client;
  const server: oauth.AuthorizationServer = {
    issuer: provider.issuer,
    token_endpoint: provider.tokenEndpoint,
  };
  const party: oauth.Client = {
    client_id: clientId,
    [oauth.clockSkew]: Math.round((nowMs - Date.now()) / 1000),
    [oauth.clockTolerance]: 30,
  };
  const secret = await secretOf(config, client, nowMs);
  const authentication =
    provider.clientAuth === 'basic' ? oauth.ClientSecretBasic(secret) : oauth.ClientSecretPost(secret);
  const call: ProviderCall = { provider: provider.name, timeoutMs: config.timeoutMs };
  try {
    const parameters = oauth.validateAuthResponse(server, party, new URLSearchParams({ code, state }), state);
    const response = await oauth.authorizationCodeGrantRequest(
      server,
      party,
      authentication,
      parameters,
      redirectUri,
      codeVerifier,
      {
        [oauth.customFetch]: async (url, init) =>
          refusalSeen(call, await fetchProvider(call, url, init as RequestInit)),
        // Only stand-ins are spoken to without TLS, and those are refused in production.
        [oauth.allowInsecureRequests]: config.standInUrl !== '',
      },
    );
    return await oauth.processAuthorizationCodeResponse(
      server,
      party,
      response,
      provider.jwksUri === undefined ? {} : { expectedNonce: nonce, requireIdToken: true },
    );
  } catch (cause) {
    if (cause instanceof ProviderError) throw cause;
    throw new ProviderError(provider.name, 'answer_invalid', 'token endpoint', cause);
  }
}

// Facebook's errors are not those of RFC 6749, and GitHub's come with a 200.
async function refusalSeen(call: ProviderCall, response: Response): Promise<Response> {
  const { status } = response;
  const text = await response.text();
  if (status === 400 || status === 401 || (status === 200 && /^\s*\{\s*"error"/.test(text)))
    throw new ProviderError(call.provider, 'code_refused', `status ${status}`);
  return new Response(text, { status, headers: response.headers });
}
