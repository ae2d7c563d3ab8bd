import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { authorize, decide } from './authorize.ts';
import { readForm, sendJson } from './http.ts';
import { jwksOf, makeIdTokenKeys } from './id-token.ts';
import { answerProfile } from './profile.ts';
import type { State } from './state.ts';
import { exchangeCode, revoke } from './token.ts';
import { type StandInClients, type StandInProvider, standInProviders } from './types.ts';

export interface OAuthServerOptions {
  readonly port: number;
  readonly clients: StandInClients;
  /** Address of the API; redirect URIs are below it. */
  readonly workerUrl: string;
  /** Lets a consent ask for a fault, and tells which tokens were revoked. */
  readonly testControls?: boolean;
}

export interface OAuthServer {
  readonly url: string;
  close(): Promise<void>;
}

const paths: Readonly<
  Record<StandInProvider, { readonly authorize: string; readonly token: string; readonly keys?: string }>
> = {
  google: { authorize: '/o/oauth2/v2/auth', token: '/token', keys: '/oauth2/v3/certs' },
  facebook: { authorize: '/v23.0/dialog/oauth', token: '/v23.0/oauth/access_token' },
  x: { authorize: '/i/oauth2/authorize', token: '/2/oauth2/token' },
  github: { authorize: '/login/oauth/authorize', token: '/login/oauth/access_token' },
  apple: { authorize: '/auth/authorize', token: '/auth/token', keys: '/auth/keys' },
};

/**
 * Stand-ins for Google, Facebook, X, GitHub and Apple on loopback, each below a path of its name with the paths of the real
 * one. They check what the real ones check; anybody may be anyone there.
 */
export async function startOAuthServer(options: OAuthServerOptions): Promise<OAuthServer> {
  let url = '';
  const state: State = {
    clients: options.clients,
    keys: makeIdTokenKeys(),
    testControls: options.testControls === true,
    url: () => url,
    redirectUri: (provider) => `${options.workerUrl}/v1/auth/oauth/${provider}/callback`,
    requests: new Map(),
    codes: new Map(),
    accessTokens: new Map(),
    refreshTokens: new Set(),
    revokedTokens: new Set(),
    appleSeen: new Set(),
  };
  const server = createServer((request, response) => {
    handle(state, request, response).catch(() => {
      if (!response.headersSent) sendJson(response, 400, { error: 'invalid_request' });
    });
  });
  server.keepAliveTimeout = 65_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', resolve);
  });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function handle(state: State, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', state.url());
  if (state.testControls && pathname === '/test/revoked') {
    sendJson(response, 200, [...state.revokedTokens]);
    return;
  }
  const [, name = '', ...rest] = pathname.split('/');
  const provider = standInProviders.find((candidate) => candidate === name);
  const path = `/${rest.join('/')}`;
  if (provider === undefined) return sendJson(response, 404, { error: 'not_found' });
  const { authorize: authorizePath, token, keys } = paths[provider];
  const { method } = request;
  if (method === 'GET' && path === authorizePath) return authorize(state, provider, searchParams, response);
  if (method === 'POST' && path === '/consent')
    return decide(state, provider, await readForm(request), response);
  if (method === 'POST' && path === token)
    return exchangeCode(state, provider, request, await readForm(request), response);
  if (method === 'GET' && keys !== undefined && path === keys)
    return sendJson(response, 200, jwksOf(state.keys));
  if (method === 'GET' && keys !== undefined && path === '/.well-known/openid-configuration')
    return sendJson(response, 200, discoveryOf(`${state.url()}/${provider}`, provider));
  if (method === 'POST' && provider === 'apple' && path === '/auth/revoke')
    return revoke(state, request, await readForm(request), response);
  if (method === 'GET') return answerProfile(state, provider, path, searchParams, request, response);
  return sendJson(response, 404, { error: 'not_found' });
}

const discoveryOf = (issuer: string, provider: StandInProvider) => ({
  issuer,
  authorization_endpoint: `${issuer}${paths[provider].authorize}`,
  token_endpoint: `${issuer}${paths[provider].token}`,
  jwks_uri: `${issuer}${paths[provider].keys}`,
  ...(provider === 'apple' ? { revocation_endpoint: `${issuer}/auth/revoke` } : {}),
  response_types_supported: ['code'],
  subject_types_supported: ['public'],
  id_token_signing_alg_values_supported: ['RS256'],
  code_challenge_methods_supported: ['S256'],
  authorization_response_iss_parameter_supported: provider === 'google',
  token_endpoint_auth_methods_supported: ['client_secret_post'],
});
