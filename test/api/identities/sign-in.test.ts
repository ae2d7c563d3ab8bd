import { describe, expect, it } from 'vitest';
import { providerNames } from '../../../src/integrations/oauth/index.ts';
import { call, callJson, sqlRows } from '../../support/worker/client.ts';
import { problemOf, refresh, type SignedInBody } from '../auth/accounts.ts';
import { complete, freshPerson, offer, registerBy, travel } from './flow.ts';

const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(atob((token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/')));

describe.each(providerNames)('a login by %s', (provider) => {
  it('registers a newcomer, then logs them in', async () => {
    const person = freshPerson();
    const { email } = person;
    const offered = await offer(provider, person);
    expect(offered).toMatchObject({ registration_required: true, provider, email });
    const { suggested_username } = offered;
    expect(suggested_username).toMatch(/^[A-Za-z0-9_]{3,30}$/);
    const registered = await callJson<SignedInBody>(201, 'POST', '/v1/auth/oauth/register', {
      body: { registration_token: offered.registration_token, username: suggested_username },
    });
    expect(registered.user).toMatchObject({
      username: suggested_username,
      email,
      email_verified: provider !== 'facebook',
      ...(provider === 'facebook' || provider === 'apple' ? {} : { display_name: person.name }),
    });
    expect((await call('GET', '/v1/me', { token: registered.access_token })).status).toBe(200);

    const response = await complete(await travel(provider, person));
    expect(response.status).toBe(200);
    const again = (await response.json()) as SignedInBody;
    expect(again.user.id).toBe(registered.user.id);
    expect(claimsOf(again.access_token)).toMatchObject({ amr: ['fed'] });
    expect((await refresh(again.refresh_token)).status).toBe(200);

    const rows = await sqlRows(
      `SELECT identity.provider, identity.subject, users.password_hash, identity.sealed_refresh_token IS NOT NULL AS kept
       FROM identities AS identity JOIN users ON users.id = identity.user_id WHERE users.username = $1`,
      [suggested_username],
    );
    expect(rows).toEqual([
      { provider, subject: person.subject, password_hash: null, kept: provider === 'apple' },
    ]);
    const audit = await sqlRows<{ action: string }>(
      `SELECT action FROM audit_log WHERE target_id = (SELECT id::text FROM users WHERE username = $1) ORDER BY id`,
      [suggested_username],
    );
    expect(audit.map(({ action }) => action).toSorted()).toEqual([
      'auth.login',
      'auth.login',
      'auth.register',
    ]);
  });
});

describe('a registration by a provider', () => {
  it('keeps its token when the username is taken, and works once', async () => {
    const first = await registerBy('google', freshPerson());
    const offered = await offer('google', freshPerson());
    const register = (username: string) =>
      call('POST', '/v1/auth/oauth/register', {
        body: { registration_token: offered.registration_token, username },
      });
    expect(await problemOf(await register(first.user.username))).toMatchObject({
      status: 409,
      code: 'users.username_taken',
    });
    expect(await problemOf(await register('admin'))).toMatchObject({ code: 'users.username_reserved' });
    const username = offered.suggested_username ?? '';
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, index) => register(`${username.slice(0, 20)}_${index}`)),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    for (const answer of answers) if (answer.status !== 201) expect([401, 409]).toContain(answer.status);
    expect((await problemOf(await register(`${username.slice(0, 20)}_z`))).code).toBe(
      'identities.registration_invalid',
    );
  });

  it('asks for an address when the provider gives none, and does not believe it', async () => {
    const person = freshPerson({ email: '' });
    const offered = await offer('x', person);
    expect(offered.email).toBeNull();
    const body = { registration_token: offered.registration_token, username: offered.suggested_username };
    expect(await problemOf(await call('POST', '/v1/auth/oauth/register', { body }))).toMatchObject({
      status: 422,
      code: 'identities.email_required',
    });
    const { user } = await callJson<SignedInBody>(201, 'POST', '/v1/auth/oauth/register', {
      body: { ...body, email: 'typed@example.com' },
    });
    expect(user).toMatchObject({ email: 'typed@example.com', email_verified: false });
  });

  it('does not believe another address than the provider answers for', async () => {
    const { user } = await registerBy('google', freshPerson(), { email: 'someone.else@example.com' });
    expect(user).toMatchObject({ email: 'someone.else@example.com', email_verified: false });
  });

  it('ends after a quarter of an hour', async () => {
    const offered = await offer('google', freshPerson());
    await sqlRows(
      `UPDATE oauth_flows SET registration_expires_at = now() - interval '1 second' WHERE registration_hash IS NOT NULL`,
    );
    const body = { registration_token: offered.registration_token, username: 'too_late_now' };
    expect(await problemOf(await call('POST', '/v1/auth/oauth/register', { body }))).toMatchObject({
      status: 401,
      code: 'identities.registration_invalid',
    });
    expect(await sqlRows(`SELECT id FROM users WHERE username = 'too_late_now'`)).toEqual([]);
  });
});

describe('the list of providers', () => {
  it('names those that are configured', async () => {
    const { data } = await callJson<{ data: { provider: string }[] }>(200, 'GET', '/v1/auth/oauth/providers');
    expect(data.map(({ provider }) => provider)).toEqual([...providerNames]);
  });
});

describe('one handoff code shown twenty times at once', () => {
  it('opens one session', async () => {
    const person = freshPerson();
    const { user } = await registerBy('google', person);
    const handoff = await travel('google', person);
    const answers = await Promise.all(Array.from({ length: 20 }, () => complete(handoff)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    for (const answer of answers)
      if (answer.status !== 200)
        expect(await problemOf(answer)).toMatchObject({ status: 401, code: 'identities.handoff_invalid' });
    const [row] = await sqlRows<{ count: number }>(
      `SELECT count(*)::int AS count FROM sessions JOIN users ON users.id = sessions.user_id WHERE username = $1`,
      [user.username],
    );
    expect(row?.count).toBe(2);
  });
});
