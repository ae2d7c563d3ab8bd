import { afterEach, describe, expect, it, vi } from 'vitest';
import { call, callJson, seedUser, sqlRows } from '../../support/worker/client.ts';
import { type ProblemBody, problemOf } from '../auth/accounts.ts';
import {
  challengeOf,
  comeBack,
  complete,
  decide,
  depart,
  fragmentOf,
  freshPerson,
  newVerifier,
  offer,
  registerBy,
  returnTo,
  start,
  startPath,
  travel,
} from './flow.ts';

afterEach(() => {
  vi.useRealTimers();
});

const counts = async (): Promise<unknown> =>
  sqlRows(
    `SELECT (SELECT count(*)::int FROM users) AS users, (SELECT count(*)::int FROM identities) AS identities,
       (SELECT count(*)::int FROM sessions) AS sessions,
       (SELECT count(*)::int FROM oauth_flows WHERE registration_hash IS NOT NULL) AS offers`,
  );

/** The problem of a refused call, which must have written nothing. */
async function refusal(work: () => Promise<Response>): Promise<ProblemBody> {
  const before = await counts();
  const problem = await problemOf(await work());
  expect(await counts()).toEqual(before);
  return problem;
}

describe('beginning', () => {
  it.each([
    'https://evil.test/',
    'https://app.test/signed-in/',
    'https://app.test/signed-in?next=https://evil.test',
    'https://app.test@evil.test/signed-in',
    '//evil.test',
    'javascript:alert(1)',
    'HTTPS://APP.TEST/signed-in',
  ])('does not lead to %s', async (target) => {
    const body = { return_to: target, code_challenge: await challengeOf(newVerifier()) };
    expect(await problemOf(await call('POST', startPath('google'), { body }))).toMatchObject({
      status: 422,
      code: 'identities.return_url_refused',
    });
  });

  it('knows no other provider, and no challenge that is none', async () => {
    const body = { return_to: returnTo, code_challenge: await challengeOf(newVerifier()) };
    expect((await call('POST', '/v1/auth/oauth/myspace/start', { body })).status).toBe(404);
    const plain = { return_to: returnTo, code_challenge: 'short' };
    expect((await call('POST', startPath('google'), { body: plain })).status).toBe(422);
    expect((await call('POST', startPath('google'), { body: { ...body, scope: 'x' } })).status).toBe(422);
  });

  it('sends the browser on with PKCE, state, nonce and a cookie only this host gets', async () => {
    const { authorizationUrl } = await start(startPath('google'));
    const response = await call('GET', authorizationUrl.slice('https://api.test'.length));
    const query = new URL(response.headers.get('location') ?? '').searchParams;
    expect(query.get('code_challenge_method')).toBe('S256');
    expect(query.get('redirect_uri')).toBe('https://api.test/v1/auth/oauth/google/callback');
    expect(query.get('nonce')).not.toBe(query.get('state'));
    expect(response.headers.get('set-cookie')).toMatch(
      /^__Host-oauth-[0-9a-f]{16}=[\w-]{43}; Max-Age=600; Path=\/; HttpOnly; Secure; SameSite=None$/,
    );
    expect((await call('GET', '/v1/auth/oauth/google/authorize?state=nobody')).status).toBe(400);
    const unknown = `/v1/auth/oauth/google/authorize?state=${newVerifier()}`;
    expect(await problemOf(await call('GET', unknown))).toMatchObject({ code: 'identities.flow_invalid' });
  });

  it('stores no secret in clear', async () => {
    const { authorizationUrl } = await start(startPath('google'));
    const state = new URL(authorizationUrl).searchParams.get('state') ?? '';
    const { consentUrl, cookie } = await depart({ authorizationUrl });
    const back = await decide('google', consentUrl, freshPerson());
    const handoff = (await fragmentOf(await comeBack(back, cookie))).get('handoff') ?? '';
    const [row] = await sqlRows<{ text: string }>(
      `SELECT string_agg(oauth_flows::text || encode(coalesce(sealed_grant, ''), 'escape'), '') AS text FROM oauth_flows`,
    );
    for (const secret of [state, back.fields.get('code') ?? '', handoff, cookie.split('=')[1] ?? '']) {
      expect(secret.length).toBeGreaterThan(20);
      expect(row?.text).not.toContain(secret);
    }
  });
});

describe('coming back', () => {
  const set = async (provider: 'google' | 'apple' = 'google') => {
    const started = await start(startPath(provider));
    const departed = await depart(started);
    const back = await decide(provider, departed.consentUrl, freshPerson());
    return { ...started, ...departed, back };
  };
  const invalid = { status: 400, code: 'identities.flow_invalid' };

  it.each(['google', 'apple'] as const)('from %s is refused in another browser', async (provider) => {
    const { back, cookie } = await set(provider);
    const other = await set(provider);
    expect(await refusal(() => comeBack(back, ''))).toMatchObject(invalid);
    expect(await refusal(() => comeBack(back, other.cookie))).toMatchObject(invalid);
    const name = cookie.split('=')[0] ?? '';
    expect(await refusal(() => comeBack(back, `${name}=${other.cookie.split('=')[1]}`))).toMatchObject(
      invalid,
    );
    // The flow is still good for the browser that began it.
    expect((await fragmentOf(await comeBack(back, cookie))).get('handoff')).toBeTruthy();
  });

  it('is refused without state, with a foreign one, and the second time', async () => {
    const { back, cookie } = await set();
    const code = back.fields.get('code') ?? '';
    const without = { ...back, fields: new URLSearchParams({ code }) };
    expect(await refusal(() => comeBack(without, cookie))).toMatchObject(invalid);
    const foreign = { ...back, fields: new URLSearchParams({ code, state: newVerifier() }) };
    expect(await refusal(() => comeBack(foreign, cookie))).toMatchObject(invalid);
    const answers = await Promise.all(Array.from({ length: 6 }, () => comeBack(back, cookie)));
    expect(answers.filter(({ status }) => status === 303)).toHaveLength(1);
    expect(await refusal(() => comeBack(back, cookie))).toMatchObject(invalid);
  });

  it('is refused after ten minutes', async () => {
    const { back, cookie } = await set();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 601_000 });
    expect(await refusal(() => comeBack(back, cookie))).toMatchObject(invalid);
  });

  it('to the callback of another provider is refused', async () => {
    const { back, cookie } = await set();
    expect(await refusal(() => comeBack(back, cookie, 'github'))).toMatchObject(invalid);
    expect(await refusal(() => comeBack(back, cookie, 'x'))).toMatchObject(invalid);
  });

  it('in another way than its provider answers is refused, and does not end the flow', async () => {
    for (const provider of ['google', 'apple'] as const) {
      const { consentUrl, cookie } = await depart(await start(startPath(provider)));
      const back = await decide(provider, consentUrl, freshPerson());
      const path = `/v1/auth/oauth/${provider}/callback`;
      const headers = { cookie, 'content-type': 'application/x-www-form-urlencoded' };
      const other =
        provider === 'apple'
          ? () => call('GET', `${path}?${back.fields}`, { headers: { cookie } })
          : () => call('POST', path, { headers, body: String(back.fields) });
      expect(await refusal(other)).toMatchObject(invalid);
      await fragmentOf(await comeBack(back, cookie));
    }
  });

  it('in the name of another issuer is refused, and ends the flow', async () => {
    const started = await start(startPath('google'));
    const { consentUrl, cookie } = await depart(started);
    const back = await decide('google', consentUrl, freshPerson({ fault: 'callback_iss' }));
    expect(await refusal(() => comeBack(back, cookie))).toMatchObject(invalid);
    back.fields.delete('iss');
    expect(await refusal(() => comeBack(back, cookie))).toMatchObject(invalid);
  });

  it.each(['google', 'apple', 'github', 'x', 'facebook'] as const)(
    'empty-handed from %s tells the client, without a handoff',
    async (provider) => {
      const started = await start(startPath(provider));
      const { consentUrl, cookie } = await depart(started);
      const back = await decide(provider, consentUrl, 'deny');
      const fragment = await fragmentOf(await comeBack(back, cookie));
      expect(Object.fromEntries(fragment)).toEqual({ error: 'access_denied' });
    },
  );

  it('never shows the words of the provider, nor leads elsewhere', async () => {
    const { back, cookie } = await set();
    back.fields.delete('code');
    back.fields.set('error', 'evil#handoff=x&redirect=https://evil.test');
    back.fields.set('error_description', 'call this number');
    const fragment = await fragmentOf(await comeBack(back, cookie));
    expect(Object.fromEntries(fragment)).toEqual({ error: 'provider_error' });
  });

  it('forgets the cookie', async () => {
    const { back, cookie } = await set();
    const response = await comeBack(back, cookie);
    expect(response.headers.get('set-cookie')).toMatch(/^__Host-oauth-[0-9a-f]{16}=; Max-Age=0/);
    expect(response.headers.get('cache-control')).toContain('no-store');
    expect(response.headers.get('referrer-policy')).toBe('no-referrer');
  });
});

describe('finishing', () => {
  const invalid = { status: 401, code: 'identities.handoff_invalid' };

  it('needs the verifier of the client that began', async () => {
    const handoff = await travel('google', freshPerson());
    const wrong = { ...handoff, code_verifier: newVerifier() };
    expect(await refusal(() => complete(wrong))).toMatchObject(invalid);
    expect((await complete(handoff)).status).toBe(200);
    expect(await refusal(() => complete(handoff))).toMatchObject(invalid);
  });

  it('is over after a minute', async () => {
    const handoff = await travel('google', freshPerson());
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 61_000 });
    expect(await refusal(() => complete(handoff))).toMatchObject(invalid);
  });

  it('is for the purpose it was begun for', async () => {
    const user = await seedUser();
    const { token } = user;
    const signIn = await travel('google', freshPerson());
    expect(await refusal(() => call('POST', '/v1/me/identities', { token, body: signIn }))).toMatchObject(
      invalid,
    );
    const linking = await travel('google', freshPerson(), '/v1/me/identities/google/start', { token });
    expect(await refusal(() => complete(linking))).toMatchObject(invalid);
    const other = await seedUser();
    expect(
      await refusal(() => call('POST', '/v1/me/identities', { token: other.token, body: linking })),
    ).toMatchObject(invalid);
  });

  it.each([
    'alg_none',
    'hs256',
    'wrong_key',
    'wrong_aud',
    'two_aud',
    'wrong_iss',
    'wrong_azp',
    'wrong_nonce',
    'no_nonce',
    'expired',
    'unknown_kid',
    'no_id_token',
  ])('refuses an id token that is %s', async (fault) => {
    for (const provider of ['google', 'apple'] as const) {
      const handoff = await travel(provider, freshPerson({ fault }));
      expect(await refusal(() => complete(handoff))).toMatchObject({
        status: 502,
        code: 'identities.provider_answer_invalid',
      });
      expect(await refusal(() => complete(handoff))).toMatchObject(invalid);
    }
  });

  const down = { status: 503, code: 'identities.provider_unavailable' };
  const garbage = { status: 502, code: 'identities.provider_answer_invalid' };

  it.each([
    ['token_down', down],
    ['token_hang', down],
    ['token_garbage', garbage],
    ['token_huge', garbage],
    ['token_redirect', garbage],
  ] as const)('bears a provider with %s', async (fault, expected) => {
    for (const provider of ['google', 'github'] as const) {
      const handoff = await travel(provider, freshPerson({ fault }));
      expect(await refusal(() => complete(handoff))).toMatchObject(expected);
    }
  });

  it.each([
    ['profile_down', down],
    ['profile_hang', down],
    ['profile_garbage', garbage],
    ['profile_huge', garbage],
    ['profile_redirect', garbage],
  ] as const)('bears a provider with %s', async (fault, expected) => {
    for (const provider of ['github', 'facebook', 'x'] as const) {
      const handoff = await travel(provider, freshPerson({ fault }));
      expect(await refusal(() => complete(handoff))).toMatchObject(expected);
    }
  });

  it.each(['google', 'facebook', 'x', 'github', 'apple'] as const)(
    'does not take a code of %s that the provider does not know',
    async (provider) => {
      const started = await start(startPath(provider));
      const { consentUrl, cookie } = await depart(started);
      const back = await decide(provider, consentUrl, freshPerson());
      back.fields.set('code', 'made-up-code');
      const handoff = (await fragmentOf(await comeBack(back, cookie))).get('handoff') ?? '';
      expect(await refusal(() => complete({ handoff, code_verifier: started.verifier }))).toMatchObject({
        status: 401,
        code: 'identities.code_refused',
      });
    },
  );

  it('does not take the code of another login (injection)', async () => {
    const victim = await start(startPath('google'));
    const theirs = await depart(victim);
    const stolen = await decide('google', theirs.consentUrl, freshPerson());
    const attacker = await start(startPath('google'));
    const mine = await depart(attacker);
    const back = await decide('google', mine.consentUrl, freshPerson());
    back.fields.set('code', stolen.fields.get('code') ?? '');
    const handoff = (await fragmentOf(await comeBack(back, mine.cookie))).get('handoff') ?? '';
    expect(await refusal(() => complete({ handoff, code_verifier: attacker.verifier }))).toMatchObject({
      code: 'identities.code_refused',
    });
  });
});

describe('an e-mail address', () => {
  const addressOf = () => `shared.${newVerifier().slice(0, 8).toLowerCase()}@gmail.com`;
  const seedWith = async (email: string, verified: boolean) => {
    const user = await seedUser();
    await sqlRows(
      `UPDATE users SET email = $2, email_verified_at = CASE WHEN $3::boolean THEN now() END WHERE id = $1`,
      [user.uuid, email, verified],
    );
    return user;
  };

  it('verified on both sides asks for a login instead of linking', async () => {
    const email = addressOf();
    const user = await seedWith(email, true);
    const handoff = await travel('google', freshPerson({ email: email.toUpperCase() }));
    expect(await refusal(() => complete(handoff))).toMatchObject({
      status: 409,
      code: 'identities.login_to_link',
    });
    expect(await sqlRows('SELECT 1 FROM identities WHERE user_id = $1', [user.uuid])).toEqual([]);
  });

  it('that the provider does not answer for never links, and is not verified', async () => {
    const email = addressOf();
    await seedWith(email, true);
    for (const [provider, changes] of [
      ['facebook', { email }],
      ['apple', { email, email_verified: undefined }],
      ['google', { email, email_verified: undefined }],
    ] as const) {
      const { email_verified: _, ...person } = freshPerson();
      const registered = await registerBy(provider, {
        ...person,
        ...('email_verified' in changes ? { email } : changes),
      });
      expect(registered.user).toMatchObject({ email, email_verified: false });
    }
  });

  it('of a domain Google does not run is not taken for verified', async () => {
    const { user } = await registerBy('google', freshPerson({ email: 'ceo@some-company.test' }));
    expect(user).toMatchObject({ email: 'ceo@some-company.test', email_verified: false });
  });

  it('somebody else registered before does not give them the newcomer (pre-hijacking)', async () => {
    const email = addressOf();
    const attacker = await seedWith(email, false);
    const victim = await registerBy('google', freshPerson({ email }));
    expect(victim.user.id).not.toBe(attacker.id);
    expect(victim.user).toMatchObject({ email_verified: true });
    const rows = await sqlRows<{ verified: boolean }>(
      'SELECT email_verified_at IS NOT NULL AS verified FROM users WHERE id = $1',
      [attacker.uuid],
    );
    expect(rows).toEqual([{ verified: false }]);
    expect(await sqlRows('SELECT 1 FROM identities WHERE user_id = $1', [attacker.uuid])).toEqual([]);
  });

  it('verified by somebody between the offer and the registration stays theirs', async () => {
    const email = addressOf();
    const offered = await offer('google', freshPerson({ email }));
    await seedWith(email, true);
    const body = { registration_token: offered.registration_token, username: 'came_second_here' };
    expect(await refusal(() => call('POST', '/v1/auth/oauth/register', { body }))).toMatchObject({
      status: 409,
      code: 'identities.login_to_link',
    });
  });
});

describe('forms', () => {
  const form = { 'content-type': 'application/x-www-form-urlencoded' };

  it.each([
    ['POST', '/v1/auth/login'],
    ['POST', '/v1/auth/oauth/google/start'],
    ['POST', '/v1/auth/oauth/complete'],
    ['POST', '/v1/auth/oauth/register'],
    ['POST', '/v1/auth/refresh'],
    ['POST', '/v1/posts'],
    ['POST', '/v1/webhooks/aws'],
    ['POST', '/nowhere'],
    ['PUT', '/v1/auth/oauth/apple/callback'],
  ])('are refused at %s %s', async (method, path) => {
    const response = await call(method, path, { headers: form, body: 'identifier=a&password=b' });
    expect(response.status).toBe(415);
  });

  it('with a field twice, or too large, are refused where forms are taken', async () => {
    const path = '/v1/auth/oauth/apple/callback';
    const twice = await call('POST', path, { headers: form, body: 'state=a&state=b' });
    expect(await problemOf(twice)).toMatchObject({ status: 400, code: 'request.duplicate_parameter' });
    const large = await call('POST', path, { headers: form, body: `state=${'a'.repeat(300_000)}` });
    expect(large.status).toBe(413);
    const odd = await call('POST', path, { headers: form, body: Uint8Array.of(0x73, 0x3d, 0xff, 0xfe) });
    expect(odd.status).toBe(400);
    const multipart = { 'content-type': 'multipart/form-data; boundary=x' };
    expect((await call('POST', path, { headers: multipart, body: '--x--' })).status).toBe(415);
  });
});

describe('the database', () => {
  it('keeps no row of a login that was never finished longer than a day', async () => {
    await callJson(200, 'POST', startPath('google'), {
      body: { return_to: returnTo, code_challenge: await challengeOf(newVerifier()) },
    });
    const [row] = await sqlRows<{ longest: number }>(
      'SELECT max(extract(epoch FROM expires_at - created_at))::int AS longest FROM oauth_flows',
    );
    expect(row?.longest).toBeLessThanOrEqual(1_600);
  });
});
