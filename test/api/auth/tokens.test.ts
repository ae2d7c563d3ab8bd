import { createExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { createLocalJWKSet, exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import worker from '../../../src/index.ts';
import { call, origin, roundTripsOf, seedUser, signToken, sqlRows } from '../../support/worker/client.ts';
import { testEnv } from '../../support/worker/env.ts';
import { logIn, problemOf, refresh, registerAccount, type SignedInBody } from './accounts.ts';
import { seedRefreshToken } from './sessions.ts';

const me = (token: string) => call('GET', '/v1/me', { token });
const nowSeconds = () => Math.floor(Date.now() / 1000);

describe('the access token of a request', () => {
  it('is checked without a database trip', async () => {
    const user = await seedUser();
    // A public profile is one trip with or without a viewer, and a bad token ends before it.
    const refused = await me(`${user.token}x`);
    expect(refused.status).toBe(401);
    expect(await roundTripsOf(refused)).toMatchObject({ roundTrips: 0 });
    const accepted = await me(user.token);
    expect(accepted.status).toBe(200);
    expect(await roundTripsOf(accepted)).toMatchObject({ roundTrips: 1 });
  });

  it('is asked for when it is missing', async () => {
    const response = await call('GET', '/v1/me');
    expect(response.headers.get('www-authenticate')).toBe('Bearer realm="social-flow"');
    expect(await problemOf(response)).toMatchObject({ status: 401, code: 'auth.unauthenticated' });
  });

  it.each([
    ['the type of id tokens', {}, { typ: 'JWT' }],
    ['another audience', { aud: 'another-api' }, {}],
    ['another issuer', { iss: 'https://evil.example' }, {}],
    ['an unknown key id', {}, { kid: 'test-9' }],
    ['a key id that is a path', {}, { kid: '../../../../dev/null' }],
    ['a key id that is SQL', {}, { kid: "test-1' UNION SELECT 'x" }],
    ['an address of keys', {}, { kid: 'evil-1', jku: 'https://evil.example/jwks.json' }],
    ['an address of certificates', {}, { kid: 'evil-1', x5u: 'https://evil.example/x.pem' }],
    ['a key of its own', {}, { kid: 'evil-1', jwk: { kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(43) } }],
    ['a time of issue in the future', { iat: nowSeconds() + 600 }, {}],
    ['a start in the future', { nbf: nowSeconds() + 600 }, {}],
    ['an expiry in the past', { exp: nowSeconds() - 60 }, {}],
    ['a subject of another kind', { sub: 'vid_00000000000000000000000000' }, {}],
    ['more than 4 KB', { scope: 'x'.repeat(4_096) }, {}],
  ])('is refused with %s', async (_, claims, header) => {
    const user = await seedUser();
    const token = await signToken({ userUuid: user.uuid, sessionUuid: user.sessionUuid, claims, header });
    const response = await me(token);
    expect(response.headers.get('www-authenticate')).toContain('error="invalid_token"');
    expect(await problemOf(response)).toMatchObject({ status: 401, code: 'auth.unauthenticated' });
  });

  it('is refused when a foreign key signed it under our key id', async () => {
    const user = await seedUser();
    const { privateKey } = await generateKeyPair('EdDSA');
    const [header = '', payload = ''] = user.token
      .split('.')
      .map((part) => part.replaceAll('-', '+').replaceAll('_', '/'));
    const forged = await new SignJWT(JSON.parse(atob(payload)))
      .setProtectedHeader(JSON.parse(atob(header)))
      .sign(privateKey);
    expect((await me(forged)).status).toBe(401);
  });

  it.each(['Basic YWRhOnBhc3M=', 'Bearer', 'Bearer ', 'Bearer a b', 'bearer x', 'Bearer null', 'Token x'])(
    'is refused in the header %j',
    async (authorization) => {
      expect((await call('GET', '/v1/me', { headers: { authorization } })).status).toBe(401);
    },
  );

  it('is refused when bad even where none is needed', async () => {
    const user = await seedUser();
    const response = await call('GET', `/v1/users/${user.username}`, { token: 'not.a.token' });
    expect(response.status).toBe(401);
  });

  it('is refused when a refresh token is sent in its place', async () => {
    const user = await seedUser();
    expect((await me(await seedRefreshToken(user.sessionUuid))).status).toBe(401);
  });
});

describe('the published keys', () => {
  it('verify the tokens given out, without a trip to the database', async () => {
    const response = await call('GET', '/.well-known/jwks.json');
    expect(response.headers.get('cache-control')).toBe('public, max-age=300');
    expect(await roundTripsOf(response)).toMatchObject({ roundTrips: 0 });
    const jwks = (await response.json()) as Parameters<typeof createLocalJWKSet>[0];
    expect(JSON.stringify(jwks)).not.toContain('"d"');
    const { access_token, user } = await registerAccount();
    const { payload } = await jwtVerify(access_token, createLocalJWKSet(jwks), {
      algorithms: ['EdDSA'],
      typ: 'at+jwt',
      issuer: 'https://api.test',
      audience: 'social-flow',
    });
    expect(payload.sub).toBe(user.id);
  });

  it('rotate without logging anyone out', async () => {
    const { privateKey } = await generateKeyPair('EdDSA', { extractable: true });
    const [oldKey] = JSON.parse(String(testEnv(env).ACCESS_TOKEN_KEYS)) as [object];
    const bindings = {
      ...testEnv(env),
      ACCESS_TOKEN_KEYS: JSON.stringify([{ ...(await exportJWK(privateKey)), kid: 'test-2' }, oldKey]),
    };
    const rotated = (method: string, path: string, headers: Record<string, string>, body?: string) =>
      worker.fetch(
        new Request(`${origin}${path}`, {
          method,
          headers: { ...headers, 'cf-connecting-ip': '10.99.0.1' },
          body: body ?? null,
        }) as Parameters<typeof worker.fetch>[0],
        bindings,
        createExecutionContext(),
      );
    const user = await seedUser();
    expect((await rotated('GET', '/v1/me', { authorization: `Bearer ${user.token}` })).status).toBe(200);
    const refreshed = await rotated(
      'POST',
      '/v1/auth/refresh',
      { 'content-type': 'application/json' },
      JSON.stringify({ refresh_token: await seedRefreshToken(user.sessionUuid) }),
    );
    const { access_token } = (await refreshed.json()) as { access_token: string };
    expect(atob(access_token.split('.')[0] ?? '')).toContain('"test-2"');
    expect((await rotated('GET', '/v1/me', { authorization: `Bearer ${access_token}` })).status).toBe(200);
    expect((await me(access_token)).status).toBe(401);
    const jwks = (await (await rotated('GET', '/.well-known/jwks.json', {})).json()) as {
      keys: { kid: string }[];
    };
    expect(jwks.keys.map((key) => key.kid)).toEqual(['test-2', 'test-1']);
  });
});

describe('logging out', () => {
  it('ends the refresh tokens of this session at once, in one round trip, and of no other', async () => {
    const first = await registerAccount();
    const second = (await (await logIn(first.user.username)).json()) as SignedInBody;
    const response = await call('POST', '/v1/auth/logout', { token: first.access_token });
    expect(response.status).toBe(204);
    expect(await roundTripsOf(response)).toMatchObject({ roundTrips: 1 });
    expect(await problemOf(await refresh(first.refresh_token))).toMatchObject({
      code: 'auth.refresh_invalid',
    });
    expect((await refresh(second.refresh_token)).status).toBe(200);
    const sessions = await sqlRows<{ revoked_reason: string | null }>(
      'SELECT revoked_reason FROM sessions JOIN users ON users.id = user_id WHERE username = $1 ORDER BY sessions.id',
      [first.user.username],
    );
    expect(sessions.map((session) => session.revoked_reason)).toEqual(['logout', null]);
  });

  it('ends the access token with it, and is audited once', async () => {
    const user = await seedUser();
    expect((await me(user.token)).status).toBe(200);
    expect((await call('POST', '/v1/auth/logout', { token: user.token })).status).toBe(204);
    const refused = await me(user.token);
    expect(refused.headers.get('www-authenticate')).toContain('error="invalid_token"');
    expect(await problemOf(refused)).toMatchObject({ status: 401, code: 'auth.unauthenticated' });
    expect(await roundTripsOf(refused)).toMatchObject({ roundTrips: 0 });
    expect((await call('POST', '/v1/auth/logout', { token: user.token })).status).toBe(401);
    const audit = await sqlRows<{ actor_id: string }>(
      "SELECT actor_id FROM audit_log WHERE action = 'auth.logout' AND target_id = $1",
      [user.uuid],
    );
    expect(audit).toEqual([{ actor_id: user.uuid }]);
  });

  it("cannot end a session of somebody else by a token that mixes two people's ids", async () => {
    const [victim, attacker] = [await seedUser(), await seedUser()];
    const token = await signToken({ userUuid: attacker.uuid, sessionUuid: victim.sessionUuid });
    await call('POST', '/v1/auth/logout', { token });
    const [session] = await sqlRows('SELECT revoked_at FROM sessions WHERE id = $1', [victim.sessionUuid]);
    expect(session).toEqual({ revoked_at: null });
  });

  it('needs a token', async () => {
    expect((await call('POST', '/v1/auth/logout')).status).toBe(401);
  });
});
