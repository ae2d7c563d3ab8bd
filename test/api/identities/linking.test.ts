import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import type { Bindings } from '../../../src/context.ts';
import { hmacSha256 } from '../../../src/shared/crypto.ts';
import { base64Url, utf8 } from '../../../src/shared/encoding.ts';
import { encodeId, randomIds } from '../../../src/shared/ids.ts';
import { call, callJson, seedUser, signToken, sqlRows, type TestUser } from '../../support/worker/client.ts';
import { testEnv } from '../../support/worker/env.ts';
import { takeMessages } from '../../support/worker/queues.ts';
import { problemOf, type SignedInBody } from '../auth/accounts.ts';
import { codeOf, enrol, restartClock, stopClock } from '../factors/enrol.ts';
import { provePhone, steppedUp } from '../factors/phones.ts';
import { complete, freshPerson, link, newVerifier, registerBy, returnTo, travel } from './flow.ts';

beforeEach(stopClock);
afterEach(restartClock);

interface Identity {
  readonly id: string;
  readonly provider: string;
  readonly email: string | null;
}

const list = async (token: string): Promise<readonly Identity[]> =>
  (await callJson<{ data: Identity[] }>(200, 'GET', '/v1/me/identities', { token })).data;
const unlink = (token: string, id: string) => call('DELETE', `/v1/me/identities/${id}`, { token });
const setPassword = (user: Pick<TestUser, 'uuid'>) =>
  sqlRows(`UPDATE users SET password_hash = 'a hash nobody can make' WHERE id = $1`, [user.uuid]);
const auditOf = async (uuid: string): Promise<string[]> => {
  const rows = await sqlRows<{ action: string }>(
    `SELECT action FROM audit_log WHERE target_id = $1 AND action LIKE 'identities.%' ORDER BY action`,
    [uuid],
  );
  return rows.map(({ action }) => action);
};
const noticesTo = (user: Pick<TestUser, 'uuid'>) =>
  takeMessages().flatMap(({ body }) =>
    body.type === 'account.security_notice' && body.data.user_id === user.uuid
      ? [{ notice: body.data.notice, detail: body.data.detail }]
      : [],
  );
const uuidOf = async (username: string): Promise<string> =>
  (await sqlRows<{ id: string }>('SELECT id FROM users WHERE username = $1', [username]))[0]?.id ?? '';
const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(atob((token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/')));

describe('linking', () => {
  it('adds a way to log in, tells the owner and writes it down', async () => {
    const user = await seedUser();
    const person = freshPerson();
    const response = await link('github', person, user.token);
    expect(response.status).toBe(200);
    const identity = (await response.json()) as Identity;
    expect(identity).toMatchObject({ provider: 'github', email: person.email });
    expect(await list(user.token)).toEqual([identity]);
    expect(await auditOf(user.uuid)).toEqual(['identities.linked']);
    expect(noticesTo(user)).toEqual([{ notice: 'provider_linked', detail: { provider: 'github' } }]);

    const signedIn = await callJson<SignedInBody>(200, 'POST', '/v1/auth/oauth/complete', {
      body: await travel('github', person),
    });
    expect(signedIn.user.id).toBe(user.id);

    const again = await link('github', person, user.token);
    expect(await again.json()).toMatchObject({ id: identity.id });
    expect(await auditOf(user.uuid)).toEqual(['identities.linked']);
  });

  it('needs a recent login', async () => {
    const user = await seedUser();
    const old = await signToken({
      userUuid: user.uuid,
      sessionUuid: user.sessionUuid,
      claims: { auth_time: Math.floor(Date.now() / 1_000) - 301 },
    });
    const body = { return_to: returnTo, code_challenge: newVerifier() };
    for (const [method, path] of [
      ['POST', '/v1/me/identities/google/start'],
      ['POST', '/v1/me/identities'],
      ['DELETE', `/v1/me/identities/${encodeId('identity', randomIds.next())}`],
    ] as const)
      expect(await problemOf(await call(method, path, { token: old, body }))).toMatchObject({
        status: 401,
        code: 'auth.step_up_required',
      });
  });

  it('does not take an identity from another account', async () => {
    const person = freshPerson();
    const first = await seedUser();
    const second = await seedUser();
    expect((await link('google', person, first.token)).status).toBe(200);
    expect(await problemOf(await link('google', person, second.token))).toMatchObject({
      status: 409,
      code: 'identities.linked_elsewhere',
    });
    expect(await list(second.token)).toEqual([]);
    expect(await auditOf(second.uuid)).toEqual([]);
  });

  it('takes one login of a provider', async () => {
    const user = await seedUser();
    await link('google', freshPerson(), user.token);
    expect(await problemOf(await link('google', freshPerson(), user.token))).toMatchObject({
      status: 409,
      code: 'identities.provider_already_linked',
    });
    expect(await list(user.token)).toHaveLength(1);
  });

  it('by two accounts at once is won by one', async () => {
    const person = freshPerson();
    const users = await Promise.all([seedUser(), seedUser(), seedUser()]);
    const handoffs = await Promise.all(
      users.map(({ token }) => travel('x', person, '/v1/me/identities/x/start', { token })),
    );
    const answers = await Promise.all(
      users.map(({ token }, index) => call('POST', '/v1/me/identities', { token, body: handoffs[index] })),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409, 409]);
    const rows = await sqlRows('SELECT 1 FROM identities WHERE provider = $1 AND subject = $2', [
      'x',
      person.subject,
    ]);
    expect(rows).toHaveLength(1);
  });
});

describe('unlinking', () => {
  it('is refused for the last way to log in', async () => {
    const { user, access_token } = await registerBy('google', freshPerson());
    const [only] = await list(access_token);
    expect(await problemOf(await unlink(access_token, only?.id ?? ''))).toMatchObject({
      status: 409,
      code: 'identities.last_sign_in',
    });
    expect(await list(access_token)).toHaveLength(1);
    expect(await auditOf(await uuidOf(user.username))).toEqual([]);
  });

  it('leaves one of two ways that are removed at once', async () => {
    const { access_token } = await registerBy('google', freshPerson());
    expect((await link('github', freshPerson(), access_token)).status).toBe(200);
    const both = await list(access_token);
    const answers = await Promise.all(both.map(({ id }) => unlink(access_token, id)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([204, 409]);
    expect(await list(access_token)).toHaveLength(1);
  });

  it('works for an account with a password, ends that way in, and is told', async () => {
    const user = await seedUser();
    await setPassword(user);
    const person = freshPerson();
    const { id } = (await (await link('facebook', person, user.token)).json()) as Identity;
    expect((await unlink(user.token, id)).status).toBe(204);
    expect((await unlink(user.token, id)).status).toBe(404);
    expect(await auditOf(user.uuid)).toEqual(['identities.linked', 'identities.unlinked']);
    const response = await complete(await travel('facebook', person));
    expect(await response.json()).toMatchObject({ registration_required: true });
  });

  it("does not reach other people's identities", async () => {
    const owner = await seedUser();
    await setPassword(owner);
    const { id } = (await (await link('google', freshPerson(), owner.token)).json()) as Identity;
    const stranger = await seedUser();
    await setPassword(stranger);
    expect(await problemOf(await unlink(stranger.token, id))).toMatchObject({
      status: 404,
      code: 'identities.not_found',
    });
    expect(await list(owner.token)).toHaveLength(1);
  });

  it('takes the refresh token of Apple back', async () => {
    const user = await seedUser();
    await setPassword(user);
    const revoked = async (): Promise<number> =>
      ((await (await fetch(`${inject('oauthSettings').OAUTH_STAND_IN_URL}/test/revoked`)).json()) as string[])
        .length;
    const { id } = (await (await link('apple', freshPerson(), user.token)).json()) as Identity;
    const before = await revoked();
    expect((await unlink(user.token, id)).status).toBe(204);
    expect(await revoked()).toBeGreaterThan(before);
  });
});

describe('a login by provider', () => {
  it('does not pass by the second factor', async () => {
    const user = await seedUser();
    const person = freshPerson();
    await link('google', person, user.token);
    const { secret } = await enrol(user.token);
    const ip = '203.0.113.77';
    const before = await sqlRows('SELECT id FROM sessions WHERE user_id = $1', [user.uuid]);
    const response = await complete(await travel('google', person), { ip });
    const owed = (await response.json()) as { mfa_required: true; mfa_token: string; factors: string[] };
    expect(owed).toMatchObject({ mfa_required: true, factors: ['totp', 'backup_code'] });
    expect(owed).not.toHaveProperty('access_token');
    expect(await sqlRows('SELECT id FROM sessions WHERE user_id = $1', [user.uuid])).toEqual(before);
    const signedIn = await callJson<SignedInBody>(200, 'POST', '/v1/auth/mfa', {
      ip,
      body: { mfa_token: owed.mfa_token, code: await codeOf(secret) },
    });
    expect(signedIn.user.id).toBe(user.id);
    expect(claimsOf(signedIn.access_token).amr).toEqual(['fed', 'otp']);
  });

  it('names no codes by SMS where none are sent', async () => {
    const user = await seedUser();
    const person = freshPerson();
    await link('google', person, user.token);
    const { secret } = await enrol(user.token);
    await provePhone(await steppedUp(user.token, secret));
    const factorsIn = async (bindings: Bindings) =>
      ((await (await complete(await travel('google', person), { bindings })).json()) as { factors: string[] })
        .factors;
    expect(await factorsIn(testEnv(env))).toEqual(['totp', 'sms', 'backup_code']);
    const without = { ...testEnv(env), SMS_ACCOUNT_SID: '', SMS_AUTH_TOKEN: '', SMS_SENDER: '' };
    expect(await factorsIn(without)).toEqual(['totp', 'backup_code']);
  });

  it('ends with the link, also half-way', async () => {
    const user = await seedUser();
    await setPassword(user);
    const person = freshPerson();
    const { id } = (await (await link('google', person, user.token)).json()) as Identity;
    const { secret } = await enrol(user.token);
    const token = await signToken({
      userUuid: user.uuid,
      sessionUuid: user.sessionUuid,
      claims: { amr: ['pwd', 'otp'] },
    });
    const ip = '203.0.113.78';
    const owed = (await (await complete(await travel('google', person), { ip })).json()) as {
      mfa_token: string;
    };
    expect((await unlink(token, id)).status).toBe(204);
    const response = await call('POST', '/v1/auth/mfa', {
      ip,
      body: { mfa_token: owed.mfa_token, code: await codeOf(secret) },
    });
    expect(response.status).toBe(401);
  });

  it.each([
    ['suspended', 'auth.account_suspended'],
    ['deactivated', 'auth.account_deactivated'],
  ])('is refused while the account is %s', async (status, code) => {
    const user = await seedUser();
    const person = freshPerson();
    await link('google', person, user.token);
    await sqlRows('UPDATE users SET status = $2 WHERE id = $1', [user.uuid, status]);
    expect(await problemOf(await complete(await travel('google', person)))).toMatchObject({
      status: 403,
      code,
    });
    const sessions = await sqlRows('SELECT id FROM sessions WHERE user_id = $1', [user.uuid]);
    expect(sessions).toHaveLength(1);
  });
});

describe('an account without a password', () => {
  it('refuses every password, and steps up by a fresh trip to its provider', async () => {
    const person = freshPerson();
    const { user, access_token } = await registerBy('google', person);
    const uuid = await uuidOf(user.username);
    const login = await call('POST', '/v1/auth/login', {
      body: { identifier: user.username, password: 'any password at all' },
    });
    expect(await problemOf(login)).toMatchObject({ status: 401, code: 'auth.invalid_credentials' });
    const [session] = await sqlRows<{ id: string }>('SELECT id FROM sessions WHERE user_id = $1', [uuid]);
    const token = await signToken({
      userUuid: uuid,
      sessionUuid: session?.id ?? '',
      claims: { amr: ['fed'], auth_time: Math.floor(Date.now() / 1_000) - 400 },
    });
    expect(claimsOf(access_token).sid).toBe(claimsOf(token).sid);
    const protectedCall = (given: string) => call('POST', '/v1/me/factors/totp', { token: given });
    expect((await protectedCall(token)).status).toBe(401);
    const byPassword = await call('POST', '/v1/auth/step-up', { token, body: { password: 'any password' } });
    expect(byPassword.status).toBe(401);

    const path = '/v1/auth/oauth/google/step-up';
    const handoff = await travel('google', person, path, { token });
    const stepped = await callJson<{ access_token: string }>(200, 'POST', '/v1/auth/oauth/step-up', {
      token,
      body: handoff,
    });
    expect(claimsOf(stepped.access_token)).toMatchObject({ sid: claimsOf(token).sid, amr: ['fed'] });
    expect((await protectedCall(stepped.access_token)).status).toBe(201);
    expect((await call('POST', '/v1/auth/oauth/step-up', { token, body: handoff })).status).toBe(401);
  });

  it('does not step up by somebody else, by an old login, or by a trip of another session', async () => {
    const person = freshPerson();
    const { access_token: token } = await registerBy('google', person);
    const path = '/v1/auth/oauth/google/step-up';
    const stepUp = async (who: typeof person, given = token) =>
      problemOf(
        await call('POST', '/v1/auth/oauth/step-up', {
          token: given,
          body: await travel('google', who, path, { token }),
        }),
      );
    expect(await stepUp(freshPerson())).toMatchObject({ status: 401, code: 'identities.other_identity' });
    expect(await stepUp({ ...person, fault: 'old_login' })).toMatchObject({
      code: 'identities.code_refused',
    });
    expect(await stepUp({ ...person, fault: 'no_auth_time' })).toMatchObject({
      code: 'identities.no_fresh_login',
    });
    const other = await registerBy('google', freshPerson());
    expect(await stepUp(person, other.access_token)).toMatchObject({ code: 'identities.handoff_invalid' });
  });

  it.each(['apple', 'x', 'github', 'facebook'] as const)(
    'does not step up by %s, which does not tell when the login was',
    async (provider) => {
      const { access_token: token } = await registerBy('google', freshPerson());
      const body = { return_to: returnTo, code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM' };
      const refused = await call('POST', `/v1/auth/oauth/${provider}/step-up`, { token, body });
      expect(await problemOf(refused)).toMatchObject({ status: 409, code: 'identities.no_fresh_login' });
    },
  );

  it('may not step up so once it has something stronger', async () => {
    const person = freshPerson();
    const { user, access_token: token } = await registerBy('google', person);
    const uuid = await uuidOf(user.username);
    const handoff = await travel('google', person, '/v1/auth/oauth/google/step-up', { token });
    await setPassword({ uuid });
    expect(
      await problemOf(await call('POST', '/v1/auth/oauth/step-up', { token, body: handoff })),
    ).toMatchObject({
      status: 409,
      code: 'identities.stronger_method_required',
    });
  });
});

describe('a first password', () => {
  const change = (token: string, body: Record<string, string>) =>
    call('POST', '/v1/me/password', { token, body });
  const first = 'nine herons by the weir';

  it('is set without a current one, after a fresh login, and then works', async () => {
    const { user, access_token: token } = await registerBy('google', freshPerson());
    expect(
      (await change(token, { current_password: 'a guess at nothing', new_password: first })).status,
    ).toBe(401);
    expect(await problemOf(await change(token, { new_password: 'password' }))).toMatchObject({
      code: 'auth.password_refused',
    });
    expect((await change(token, { new_password: first })).status).toBe(204);
    const login = await call('POST', '/v1/auth/login', {
      body: { identifier: user.username, password: first },
    });
    expect(login.status).toBe(200);
    const [only] = await list(token);
    expect((await unlink(token, only?.id ?? '')).status).toBe(204);
  });

  it('is no way around the current one', async () => {
    const user = await seedUser();
    await setPassword(user);
    expect(await problemOf(await change(user.token, { new_password: first }))).toMatchObject({
      status: 401,
      code: 'auth.password_wrong',
    });
    const [row] = await sqlRows('SELECT password_hash FROM users WHERE id = $1', [user.uuid]);
    expect(row).toEqual({ password_hash: 'a hash nobody can make' });
  });
});

describe('the data deletion of Facebook', () => {
  const path = '/v1/webhooks/facebook/data-deletion';
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const signed = async (payload: Record<string, unknown>, secret?: string): Promise<string> => {
    const body = base64Url(utf8(JSON.stringify(payload)));
    const key = secret ?? String(inject('oauthSettings').FACEBOOK_APP_SECRET);
    return `${base64Url(await hmacSha256(key, body))}.${body}`;
  };
  const send = (signedRequest: string) =>
    call('POST', path, { headers, body: String(new URLSearchParams({ signed_request: signedRequest })) });
  const now = () => Math.floor(Date.now() / 1_000);

  it('deletes the identity and says where to ask', async () => {
    const user = await seedUser();
    const person = freshPerson();
    await link('facebook', person, user.token);
    const request = await signed({ algorithm: 'HMAC-SHA256', user_id: person.subject, issued_at: now() });
    const response = await send(request);
    expect(response.status).toBe(200);
    const { url, confirmation_code } = (await response.json()) as { url: string; confirmation_code: string };
    expect(url).toBe(`https://api.test${path}/${confirmation_code}`);
    expect(await list(user.token)).toEqual([]);
    expect(await auditOf(user.uuid)).toEqual(['identities.deleted_by_provider', 'identities.linked']);
    expect((await call('GET', `${path}/${confirmation_code}`)).status).toBe(200);
    expect((await call('GET', `${path}/${'a'.repeat(32)}`)).status).toBe(404);
    expect((await send(request)).status).toBe(200);
  });

  it('ends logins by it that owe a second factor', async () => {
    const user = await seedUser();
    const person = freshPerson();
    await link('facebook', person, user.token);
    const { secret } = await enrol(user.token);
    const ip = '203.0.113.79';
    const owed = (await (await complete(await travel('facebook', person), { ip })).json()) as {
      mfa_token: string;
    };
    const request = await signed({ algorithm: 'HMAC-SHA256', user_id: person.subject, issued_at: now() });
    expect((await send(request)).status).toBe(200);
    const body = { mfa_token: owed.mfa_token, code: await codeOf(secret) };
    expect((await call('POST', '/v1/auth/mfa', { ip, body })).status).toBe(401);
    expect(await sqlRows('SELECT id FROM sessions WHERE user_id = $1', [user.uuid])).toHaveLength(1);
  });

  it('believes only the app secret, and only of today', async () => {
    const user = await seedUser();
    const person = freshPerson();
    await link('facebook', person, user.token);
    const good = { algorithm: 'HMAC-SHA256', user_id: person.subject, issued_at: now() };
    for (const request of [
      await signed(good, 'another secret'),
      await signed({ ...good, algorithm: 'none' }),
      await signed({ ...good, issued_at: now() - 90_000 }),
      `${(await signed(good)).split('.')[0]}.${base64Url(utf8(JSON.stringify({ ...good, user_id: '1' })))}`,
      '',
      'a.b.c',
    ])
      expect(await problemOf(await send(request))).toMatchObject({
        status: 401,
        code: 'identities.signed_request_invalid',
      });
    expect(await list(user.token)).toHaveLength(1);
  });
});
