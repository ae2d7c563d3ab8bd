import { createHash, createHmac, generateKeyPairSync, randomBytes } from 'node:crypto';
import { importPKCS8, SignJWT } from 'jose';
import * as oauth from 'oauth4webapi';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OAuthServer, startOAuthServer } from '../../../local-cloud/oauth/server.ts';
import { oauthSettings } from '../../../local-cloud/oauth/settings.ts';
import type { StandInProvider } from '../../../local-cloud/oauth/types.ts';

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const appleKey = String(privateKey.export({ type: 'pkcs8', format: 'pem' }));
const secret = randomBytes(33).toString('base64url');
const { clients } = oauthSettings({ secret, appleKey });
const workerUrl = 'http://127.0.0.1:8787';
const insecure = { [oauth.allowInsecureRequests]: true } as const;
let server: OAuthServer;

beforeAll(async () => {
  server = await startOAuthServer({ port: 0, clients, workerUrl });
});
afterAll(() => server.close());

const redirectUri = (provider: StandInProvider) => `${workerUrl}/v1/auth/oauth/${provider}/callback`;
const scopes: Record<StandInProvider, string> = {
  google: 'openid email',
  facebook: 'email',
  x: 'users.read users.email',
  github: 'user:email',
  apple: 'name email',
};
const paths: Record<StandInProvider, readonly [authorize: string, token: string]> = {
  google: ['/o/oauth2/v2/auth', '/token'],
  facebook: ['/v23.0/dialog/oauth', '/v23.0/oauth/access_token'],
  x: ['/i/oauth2/authorize', '/2/oauth2/token'],
  github: ['/login/oauth/authorize', '/login/oauth/access_token'],
  apple: ['/auth/authorize', '/auth/token'],
};
const verifier = randomBytes(32).toString('base64url');
const challenge = createHash('sha256').update(verifier).digest('base64url');
const state = 'a-state-that-is-long-enough';
const nonce = 'a-nonce-that-is-long-enough';

const authorizeQuery = (provider: StandInProvider, changes: Record<string, string> = {}) =>
  new URLSearchParams({
    client_id: clients[provider].id,
    redirect_uri: redirectUri(provider),
    response_type: 'code',
    scope: scopes[provider],
    state,
    nonce,
    code_challenge: challenge,
    code_challenge_method: 'S256',
    ...(provider === 'apple' ? { response_mode: 'form_post' } : {}),
    ...changes,
  });

const authorizePage = (provider: StandInProvider, changes: Record<string, string> = {}) =>
  fetch(`${server.url}/${provider}${paths[provider][0]}?${authorizeQuery(provider, changes)}`);

let nextSubject = 1_000;

/** The fields the browser is sent back with. */
async function consent(
  provider: StandInProvider,
  person: Record<string, string> = {},
): Promise<URLSearchParams> {
  const html = await (await authorizePage(provider)).text();
  const request = /name="request" value="([^"]+)"/.exec(html)?.[1] ?? '';
  nextSubject += 1;
  const answer = await fetch(`${server.url}/${provider}/consent`, {
    method: 'POST',
    redirect: 'manual',
    body: new URLSearchParams({
      request,
      decision: 'allow',
      subject: String(nextSubject),
      name: 'Ada Lovelace',
      email: 'ada@gmail.com',
      email_verified: 'true',
      ...person,
    }),
  });
  if (provider !== 'apple') return new URL(answer.headers.get('location') ?? '').searchParams;
  const page = await answer.text();
  expect(page).toContain(`action="${redirectUri('apple')}"`);
  return new URLSearchParams(
    [...page.matchAll(/name="([^"]+)" value="([^"]*)"/g)].map(([, name = '', value = '']) => [
      name,
      value.replaceAll('&#34;', '"'),
    ]),
  );
}

const appleSecret = async (changes: Record<string, unknown> = {}): Promise<string> => {
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT({
    iss: clients.apple.teamId,
    sub: clients.apple.id,
    aud: `${server.url}/apple`,
    iat: now,
    exp: now + 300,
    ...changes,
  })
    .setProtectedHeader({ alg: 'ES256', kid: clients.apple.keyId })
    .sign(await importPKCS8(appleKey, 'ES256'));
};

async function authenticationOf(provider: StandInProvider): Promise<oauth.ClientAuth> {
  if (provider === 'x') return oauth.ClientSecretBasic(secret);
  return oauth.ClientSecretPost(provider === 'apple' ? await appleSecret() : secret);
}

async function serverOf(provider: StandInProvider): Promise<oauth.AuthorizationServer> {
  const issuer = new URL(`${server.url}/${provider}`);
  if (provider !== 'google' && provider !== 'apple')
    return { issuer: issuer.href, token_endpoint: `${issuer.href}${paths[provider][1]}` };
  const response = await oauth.discoveryRequest(issuer, insecure);
  return oauth.processDiscoveryResponse(issuer, response);
}

async function exchange(
  provider: StandInProvider,
  fields: URLSearchParams,
  codeVerifier = verifier,
  uri = redirectUri(provider),
): Promise<Response> {
  const as = await serverOf(provider);
  const client = { client_id: clients[provider].id };
  const parameters = oauth.validateAuthResponse(as, client, fields, state);
  return oauth.authorizationCodeGrantRequest(
    as,
    client,
    await authenticationOf(provider),
    parameters,
    uri,
    codeVerifier,
    insecure,
  );
}

const providers = Object.keys(paths) as StandInProvider[];

describe.each(providers)('%s', (provider) => {
  it('lets oauth4webapi exchange a code, once', async () => {
    const fields = await consent(provider);
    const response = await exchange(provider, fields);
    const as = await serverOf(provider);
    const openId = provider === 'google' || provider === 'apple';
    const tokens = await oauth.processAuthorizationCodeResponse(
      as,
      { client_id: clients[provider].id },
      response,
      openId ? { expectedNonce: nonce, requireIdToken: true } : {},
    );
    expect(tokens.access_token).toBeTruthy();
    if (openId) expect(oauth.getValidatedIdTokenClaims(tokens)).toMatchObject({ email: 'ada@gmail.com' });
    const again = await exchange(provider, fields);
    expect(await again.json()).toHaveProperty('error');
  });

  it('refuses another verifier, and burns the code', async () => {
    const fields = await consent(provider);
    const other = randomBytes(32).toString('base64url');
    expect(await (await exchange(provider, fields, other)).json()).toHaveProperty('error');
    expect(await (await exchange(provider, fields)).json()).toHaveProperty('error');
  });

  it('refuses another redirect URI at the token endpoint', async () => {
    const fields = await consent(provider);
    expect(
      await (await exchange(provider, fields, verifier, `${workerUrl}/elsewhere`)).json(),
    ).toHaveProperty('error');
  });

  it.each([
    ['an unknown client', { client_id: 'someone' }],
    ['another redirect URI', { redirect_uri: `${workerUrl}/v1/auth/oauth/${provider}/callback/` }],
    ['no PKCE', { code_challenge: '' }],
    ['plain PKCE', { code_challenge_method: 'plain' }],
    ['the implicit flow', { response_type: 'token' }],
    ['a short state', { state: 'abc' }],
    ['too little scope', { scope: 'nothing' }],
  ])('shows no consent page for %s', async (_, changes) => {
    const response = await authorizePage(provider, changes);
    expect(response.status).toBe(400);
    expect(await response.text()).not.toContain('name="request"');
  });

  it('refuses a wrong client secret', async () => {
    const fields = await consent(provider);
    const basic = Buffer.from(`${clients[provider].id}:wrong`).toString('base64');
    const response = await fetch(`${server.url}/${provider}${paths[provider][1]}`, {
      method: 'POST',
      headers: { accept: 'application/json', authorization: `Basic ${basic}` },
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        code: fields.get('code') ?? '',
        redirect_uri: redirectUri(provider),
        code_verifier: verifier,
        client_id: clients[provider].id,
        client_secret: 'wrong',
      }),
    });
    expect(await response.json()).toHaveProperty('error');
  });
});

describe('what is particular', () => {
  it('Apple: the form post, the name only the first time, and revocation with a signed secret', async () => {
    const first = await consent('apple', { subject: '555' });
    expect(JSON.parse(first.get('user') ?? '')).toMatchObject({
      name: { firstName: 'Ada', lastName: 'Lovelace' },
    });
    expect((await consent('apple', { subject: '555' })).has('user')).toBe(false);
    expect((await authorizePage('apple', { response_mode: 'query' })).status).toBe(400);

    const as = await serverOf('apple');
    const client = { client_id: clients.apple.id };
    const response = await exchange('apple', first);
    const tokens = await oauth.processAuthorizationCodeResponse(as, client, response, {
      expectedNonce: nonce,
    });
    expect(oauth.getValidatedIdTokenClaims(tokens)).toMatchObject({ sub: '555', email_verified: 'true' });
    const revoke = async (clientSecret: string) =>
      (
        await fetch(as.revocation_endpoint ?? '', {
          method: 'POST',
          body: new URLSearchParams({
            client_id: client.client_id,
            client_secret: clientSecret,
            token: tokens.refresh_token ?? '',
          }),
        })
      ).status;
    const now = Math.floor(Date.now() / 1000);
    expect(await revoke(await appleSecret({ exp: now + 15_777_100 }))).toBe(400);
    expect(await revoke(await appleSecret({ iss: 'OTHERTEAM0' }))).toBe(400);
    expect(await revoke(await appleSecret({ exp: now - 10 }))).toBe(400);
    expect(await revoke(await appleSecret())).toBe(200);
  });

  it('GitHub: a form unless JSON is asked for', async () => {
    const fields = await consent('github');
    const response = await fetch(`${server.url}/github/login/oauth/access_token`, {
      method: 'POST',
      body: new URLSearchParams({
        client_id: clients.github.id,
        client_secret: secret,
        grant_type: 'authorization_code',
        code: fields.get('code') ?? '',
        redirect_uri: redirectUri('github'),
        code_verifier: verifier,
      }),
    });
    expect(response.headers.get('content-type')).toContain('application/x-www-form-urlencoded');
    expect(new URLSearchParams(await response.text()).get('access_token')).toBeTruthy();
  });

  it('Facebook: nothing is read without the proof of the app secret', async () => {
    const response = await exchange('facebook', await consent('facebook'));
    const { access_token } = (await response.json()) as { access_token: string };
    const me = (proof: string) =>
      fetch(`${server.url}/facebook/v23.0/me?fields=id,email&appsecret_proof=${proof}`, {
        headers: { authorization: `Bearer ${access_token}` },
      });
    expect((await me('')).status).toBe(400);
    expect((await me(createHmac('sha256', 'other').update(access_token).digest('hex'))).status).toBe(400);
    const right = await me(createHmac('sha256', secret).update(access_token).digest('hex'));
    expect(await right.json()).toMatchObject({ email: 'ada@gmail.com' });
  });

  it('a person may deny', async () => {
    const html = await (await authorizePage('google')).text();
    const request = /name="request" value="([^"]+)"/.exec(html)?.[1] ?? '';
    const answer = await fetch(`${server.url}/google/consent`, {
      method: 'POST',
      redirect: 'manual',
      body: new URLSearchParams({ request, decision: 'deny' }),
    });
    const fields = new URL(answer.headers.get('location') ?? '').searchParams;
    expect(Object.fromEntries(fields)).toEqual({ error: 'access_denied', state });
  });

  it('does not take faults, nor tell of revocations, without test controls', async () => {
    expect((await fetch(`${server.url}/test/revoked`)).status).toBe(404);
    const response = await exchange('google', await consent('google', { fault: 'token_down' }));
    expect(response.status).toBe(200);
  });
});
