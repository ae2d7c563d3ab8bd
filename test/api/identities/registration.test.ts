import { describe, expect, it } from 'vitest';
import { call, sqlRows } from '../../support/worker/client.ts';
import { mailsTo } from '../../support/worker/mails.ts';
import { deliverEvents } from '../../support/worker/queues.ts';
import { problemOf, registration } from '../auth/accounts.ts';
import { challengedBindings, solve } from '../limits/challenged.ts';
import { freshPerson, offer, registerBy } from './flow.ts';

describe('a registration by a provider', () => {
  it('asks by mail to verify an address the provider does not answer for, and no other', async () => {
    const person = freshPerson();
    const believed = await registerBy('google', person);
    const address = `typed.${believed.user.username}@example.com`;
    await registerBy('google', freshPerson(), { email: address });
    await deliverEvents();
    expect(await mailsTo(person.email ?? '')).toEqual([]);
    expect((await mailsTo(address)).map(({ subject }) => subject)).toEqual(['Confirm your e-mail address']);
  });

  it('counts among the twenty an hour of its network, as one with a password does', async () => {
    const ip = '198.51.100.201';
    const register = async () => {
      const { registration_token, suggested_username } = await offer('github', freshPerson());
      return call('POST', '/v1/auth/oauth/register', {
        ip,
        body: { registration_token, username: suggested_username },
      });
    };
    for (let made = 0; made < 20; made += 1) expect((await register()).status).toBe(201);
    const refused = await register();
    expect(refused.status).toBe(429);
    expect(await refused.json()).toMatchObject({ 'violated-policies': ['register-hour'] });
    const byPassword = await call('POST', '/v1/auth/register', { ip, body: registration() });
    expect(await byPassword.json()).toMatchObject({ 'violated-policies': ['register-hour'] });
  });

  it('asks for the challenge a registration with a password asks for, and changes nothing before', async () => {
    const bindings = challengedBindings({ CHALLENGE_AT_REGISTRATION: 'true' });
    const offered = await offer('google', freshPerson());
    const username = offered.suggested_username ?? '';
    const register = (answer?: string) =>
      call('POST', '/v1/auth/oauth/register', {
        bindings,
        body: {
          registration_token: offered.registration_token,
          username,
          ...(answer === undefined ? {} : { challenge_response: answer }),
        },
      });
    expect(await problemOf(await register())).toMatchObject({
      status: 403,
      code: 'auth.challenge_required',
      challenge: { action: 'register' },
    });
    expect((await problemOf(await register(await solve('login')))).code).toBe('auth.challenge_failed');
    expect(await sqlRows('SELECT id FROM users WHERE username = $1', [username])).toEqual([]);
    expect((await register(await solve('register'))).status).toBe(201);
  });
});
