import { describe, expect, it } from 'vitest';
import { createApp } from '../../../src/app.ts';
import { type CallOptions, call, callJson, seedUser, sqlRows } from '../../support/worker/client.ts';
import { freshUsername, password, problemOf, registration } from '../auth/accounts.ts';
import { seedRefreshToken } from '../auth/sessions.ts';

const page = 'http://localhost:3000';
const byPage = { origin: page, 'x-auth-mode': 'cookie', 'sec-fetch-site': 'same-site' };

/** The cookies an answer sets, by name, as a browser would keep them. */
const jarOf = (response: Response): Map<string, string> =>
  new Map(
    response.headers
      .getSetCookie()
      .map((line) => /^([^=]+)=([^;]*)/.exec(line))
      .map((match) => [match?.[1] ?? '', match?.[2] ?? '']),
  );

const cookieOf = (jar: ReadonlyMap<string, string>): string =>
  [...jar].map(([name, value]) => `${name}=${value}`).join('; ');

async function signedIn() {
  const body = registration();
  const response = await call('POST', '/v1/auth/register', { body, headers: byPage });
  expect(response.status).toBe(201);
  const jar = jarOf(response);
  return { response, jar, cookie: cookieOf(jar), username: body.username };
}

/** A seeded session in cookie mode. */
async function session() {
  const user = await seedUser();
  const refreshToken = await seedRefreshToken(user.sessionUuid);
  return {
    ...user,
    refreshToken,
    cookie: `__Host-sf_access=${user.token}; __Host-sf_refresh=${refreshToken}`,
  };
}

const postsOf = async (uuid: string): Promise<number> =>
  (await sqlRows('SELECT id FROM posts WHERE author_id = $1', [uuid])).length;

describe('cookie mode', () => {
  it('puts tokens into cookies no script can read, and nowhere else', async () => {
    const { response, jar, cookie, username } = await signedIn();
    const body = (await response.json()) as Record<string, unknown>;
    expect(Object.keys(body).sort()).toEqual(['expires_in', 'refresh_expires_in', 'token_type', 'user']);
    expect(body.token_type).toBe('Cookie');
    for (const name of ['__Host-sf_access', '__Host-sf_refresh']) {
      expect(JSON.stringify(body)).not.toContain(jar.get(name));
      const line = response.headers.getSetCookie().find((text) => text.startsWith(`${name}=`));
      expect(line).toMatch(/; Max-Age=[1-9]\d*; Path=\/; HttpOnly; Secure; SameSite=Strict$/);
      expect(line).not.toMatch(/domain/i);
    }
    const login = await call('POST', '/v1/auth/login', {
      body: { identifier: username, password },
      headers: byPage,
    });
    expect(login.status).toBe(200);
    expect(await login.text()).not.toContain(jarOf(login).get('__Host-sf_access') ?? '');
    expect(await callJson(200, 'GET', '/v1/me', { headers: { cookie } })).toMatchObject({ username });
  });

  it('refreshes by cookie, and steps up by cookie', async () => {
    const { cookie, username } = await signedIn();
    const refreshed = await call('POST', '/v1/auth/refresh', { headers: { ...byPage, cookie } });
    expect(refreshed.status).toBe(200);
    expect(Object.keys((await refreshed.json()) as object).sort()).toEqual([
      'expires_in',
      'refresh_expires_in',
      'token_type',
    ]);
    const next = cookieOf(jarOf(refreshed));
    expect(next).not.toBe(cookie);
    const stepped = await call('POST', '/v1/auth/step-up', {
      headers: { ...byPage, cookie: next },
      body: { password },
    });
    expect(await stepped.json()).toEqual({ token_type: 'Cookie', expires_in: expect.any(Number) });
    expect([...jarOf(stepped).keys()]).toContain('__Host-sf_access');
    expect(
      await callJson(200, 'GET', '/v1/me', { headers: { cookie: cookieOf(jarOf(stepped)) } }),
    ).toMatchObject({ username });
  });

  it('gives no cookies to clients that did not ask', async () => {
    const response = await call('POST', '/v1/auth/register', {
      body: registration(),
      headers: { origin: page },
    });
    expect([...jarOf(response).keys()].filter((name) => /access|refresh/.test(name))).toEqual([]);
    expect(await response.json()).toHaveProperty('access_token');
  });

  it.each([
    ['without the header', { origin: page }, 'csrf.header_missing'],
    ['with the header of another mode', { origin: page, 'x-auth-mode': 'bearer' }, 'csrf.header_missing'],
    ['from another origin', { ...byPage, origin: 'https://evil.example' }, 'csrf.origin_refused'],
    [
      'from an origin that begins alike',
      { ...byPage, origin: `${page}.evil.example` },
      'csrf.origin_refused',
    ],
    ['from a sandboxed frame', { ...byPage, origin: 'null' }, 'csrf.origin_refused'],
    ['without an origin', { 'x-auth-mode': 'cookie' }, 'csrf.origin_missing'],
    [
      'without an origin, from a sibling site',
      { 'x-auth-mode': 'cookie', 'sec-fetch-site': 'same-site' },
      'csrf.origin_missing',
    ],
    ['from another site', { ...byPage, 'sec-fetch-site': 'cross-site' }, 'csrf.cross_site'],
  ])('refuses a write %s and writes nothing', async (_, headers, code) => {
    const { cookie, uuid } = await session();
    const given = headers as Record<string, string>;
    const attempts: [string, string, CallOptions][] = [
      ['POST', '/v1/posts', { body: { text: 'forged' } }],
      ['PATCH', '/v1/me', { body: { display_name: 'forged' } }],
      ['DELETE', '/v1/me/sessions/ses_00000000000000000000000000', {}],
      ['POST', '/v1/auth/logout', {}],
      ['POST', '/v1/auth/refresh', {}],
    ];
    for (const [method, path, options] of attempts) {
      const response = await call(method, path, { ...options, headers: { ...given, cookie } });
      expect(await problemOf(response), path).toMatchObject({ status: 403, code });
      expect([...jarOf(response).keys()].filter((name) => /access|refresh/.test(name))).toEqual([]);
    }
    expect(await postsOf(uuid)).toBe(0);
    const [row] = await sqlRows(
      `SELECT users.display_name LIKE 'forged' AS forged, sessions.revoked_at, refresh_tokens.rotated_at
       FROM users JOIN sessions ON sessions.user_id = users.id JOIN refresh_tokens ON refresh_tokens.session_id = sessions.id
       WHERE users.id = $1`,
      [uuid],
    );
    expect(row).toEqual({ forged: false, revoked_at: null, rotated_at: null });
  });

  it('refuses the bodies a form can send, whatever the page', async () => {
    const { cookie, uuid } = await session();
    for (const type of [
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'text/plain',
    ]) {
      const response = await call('POST', '/v1/posts', {
        body: '{"text":"forged"}',
        headers: { ...byPage, cookie, 'content-type': type },
      });
      expect(response.status, type).toBe(415);
    }
    expect(await postsOf(uuid)).toBe(0);
  });

  it('refuses logging a visitor into an attacker’s account, and registers nobody', async () => {
    const { username } = await signedIn();
    const evil = { ...byPage, origin: 'https://evil.example' };
    const login = await call('POST', '/v1/auth/login', {
      headers: evil,
      body: { identifier: username, password },
    });
    expect(await problemOf(login)).toMatchObject({ status: 403, code: 'csrf.origin_refused' });
    const nobody = freshUsername();
    const register = await call('POST', '/v1/auth/register', {
      headers: { 'x-auth-mode': 'cookie' },
      body: registration({ username: nobody, email: `${nobody}@example.com` }),
    });
    expect(await problemOf(register)).toMatchObject({ status: 403, code: 'csrf.origin_missing' });
    for (const response of [login, register]) expect(response.headers.getSetCookie()).toEqual([]);
    expect(await sqlRows('SELECT id FROM users WHERE username = $1', [nobody])).toEqual([]);
  });

  it('lets pages of the API’s own origin write, and listed ones', async () => {
    const { cookie, uuid } = await session();
    for (const headers of [
      byPage,
      { 'x-auth-mode': 'cookie', origin: 'https://api.test' },
      { 'x-auth-mode': 'cookie', 'sec-fetch-site': 'same-origin' },
    ] as Record<string, string>[])
      await callJson(201, 'POST', '/v1/posts', { body: { text: 'mine' }, headers: { ...headers, cookie } });
    expect(await postsOf(uuid)).toBe(3);
  });

  it('reads the header before the cookie, and takes no other secret in the cookie', async () => {
    const [one, other] = [await session(), await session()];
    const headers = { cookie: one.cookie };
    expect(await callJson(200, 'GET', '/v1/me', { token: other.token, headers })).toMatchObject({
      username: other.username,
    });
    await callJson(201, 'POST', '/v1/posts', { token: other.token, headers, body: { text: 'by token' } });
    for (const value of ['', 'nonsense', one.refreshToken, `${one.token}; __Host-sf_access=${other.token}`]) {
      const response = await call('GET', '/v1/me', { headers: { cookie: `__Host-sf_access=${value}` } });
      expect(response.status, value.slice(0, 8)).toBe(401);
    }
    const forged = await call('GET', '/v1/me', {
      headers: { cookie: `__Host-sf_access=${one.token.slice(0, -4)}AAAA` },
    });
    expect(forged.status).toBe(401);
  });

  it('forgets everything at logout', async () => {
    for (const path of ['/v1/auth/logout', '/v1/auth/logout-all']) {
      const { cookie } = await session();
      const response = await call('POST', path, { headers: { ...byPage, cookie } });
      expect(response.status).toBe(204);
      expect(response.headers.get('clear-site-data')).toBe('"cache", "cookies", "storage"');
      for (const name of ['__Host-sf_access', '__Host-sf_refresh'])
        expect(response.headers.getSetCookie()).toContain(
          `${name}=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Strict`,
        );
      expect((await call('POST', '/v1/auth/refresh', { headers: { ...byPage, cookie } })).status).toBe(401);
    }
  });

  it('lets reads change nothing: no GET of the API is a write', () => {
    const writes =
      /^(create|update|delete|remove|add|set|start|confirm|end|log|register|like|follow|block|abort)/;
    const reads = createApp().openAPIRegistry.definitions.flatMap((definition) =>
      definition.type === 'route' && definition.route.method === 'get' ? [definition.route.operationId] : [],
    );
    expect(reads.filter((operation) => writes.test(operation ?? ''))).toEqual([]);
  });
});

describe('CORS', () => {
  it('lets listed origins send cookies and read answers, and no others', async () => {
    for (const path of ['/livez', '/v1/me', '/nowhere']) {
      const listed = await call('GET', path, { headers: { origin: page } });
      expect(listed.headers.get('access-control-allow-origin')).toBe(page);
      expect(listed.headers.get('access-control-allow-credentials')).toBe('true');
      expect(listed.headers.get('vary')).toMatch(/\borigin\b/i);
      for (const origin of [
        'https://evil.example',
        'null',
        `${page}.evil.example`,
        'http://localhost:30000',
      ]) {
        const other = await call('GET', path, { headers: { origin } });
        expect(other.headers.get('access-control-allow-origin'), origin).toBeNull();
        expect(other.headers.get('access-control-allow-credentials'), origin).toBeNull();
        expect(other.headers.get('vary')).toMatch(/\borigin\b/i);
      }
    }
  });

  it('answers the preflight of the mode header for listed origins only', async () => {
    const ask = (origin: string) =>
      call('OPTIONS', '/v1/posts', {
        headers: {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'content-type,x-auth-mode',
        },
      });
    const listed = await ask(page);
    expect(listed.headers.get('access-control-allow-headers')).toMatch(/x-auth-mode/i);
    expect(listed.headers.get('access-control-allow-credentials')).toBe('true');
    const other = await ask('https://evil.example');
    expect(other.headers.get('access-control-allow-origin')).toBeNull();
    expect(other.headers.get('access-control-allow-credentials')).toBeNull();
  });
});
