import { describe, expect, it } from 'vitest';
import {
  call,
  callJson,
  roundTripsOf,
  seedUser,
  sqlRows,
  type TestUser,
} from '../../support/worker/client.ts';

interface AccountBody {
  readonly id: string;
  readonly username: string;
  readonly display_name: string;
  readonly bio: string;
  readonly website: string | null;
  readonly updated_at: string;
}

const me = (user: TestUser) => callJson<AccountBody>(200, 'GET', '/v1/me', { token: user.token });
const change = (user: TestUser, body: unknown, headers: Record<string, string> = {}) =>
  call('PATCH', '/v1/me', { token: user.token, body, headers });

describe('my account', () => {
  it('shows what only I see, in one round trip', async () => {
    const user = await seedUser({ displayName: 'Ada' });
    const response = await call('GET', '/v1/me', { token: user.token });
    expect(await roundTripsOf(response)).toMatchObject({ roundTrips: 1 });
    expect(response.headers.get('cache-control')).toContain('no-store');
    expect(await response.json()).toMatchObject({
      id: user.id,
      username: user.username,
      display_name: 'Ada',
      email: `${user.username}@example.com`,
      email_verified: false,
      roles: ['user'],
      counters: { followers: 0, following: 0, posts: 0 },
    });
  });

  it.each(['suspended', 'deactivated', 'deleted'])('is closed to a token of a %s account', async (status) => {
    const user = await seedUser();
    await sqlRows('UPDATE users SET status = $2 WHERE id = $1', [user.uuid, status]);
    expect((await call('GET', '/v1/me', { token: user.token })).status).toBe(401);
    expect((await change(user, { bio: 'still here' })).status).toBe(401);
    expect(await sqlRows('SELECT bio FROM users WHERE id = $1', [user.uuid])).toEqual([{ bio: '' }]);
  });
});

describe('changing my profile', () => {
  it('changes what is given and nothing else, in one round trip', async () => {
    const user = await seedUser({ displayName: 'Before' });
    const before = await me(user);
    const response = await change(user, { bio: 'I count\nengines.', website: 'https://example.com' });
    expect(response.status).toBe(200);
    expect(await roundTripsOf(response)).toMatchObject({ roundTrips: 1 });
    const account = (await response.json()) as AccountBody;
    expect(account).toEqual({
      ...before,
      bio: 'I count\nengines.',
      website: 'https://example.com/',
      updated_at: expect.any(String),
    });
    expect(account.updated_at > before.updated_at).toBe(true);
    expect(await me(user)).toEqual(account);
    const [stored] = await sqlRows('SELECT website FROM users WHERE id = $1', [user.uuid]);
    expect(stored).toEqual({ website: 'https://example.com/' });
  });

  it('removes the website with null and the bio with an empty text', async () => {
    const user = await seedUser();
    await change(user, { bio: 'x', website: 'https://example.com/' });
    expect((await change(user, { bio: '', website: null })).status).toBe(200);
    expect(await me(user)).toMatchObject({ bio: '', website: null });
  });

  it('touches nobody else', async () => {
    const [user, other] = [await seedUser(), await seedUser({ displayName: 'Other' })];
    await change(user, { display_name: 'Everybody' });
    expect(await me(other)).toMatchObject({ display_name: 'Other' });
  });

  it.each([
    ['four-byte characters', '🦉👩‍🚀🇬🇧 𝒜𝒹𝒶'],
    ['right-to-left text', 'שלום עולם مرحبا'],
    ['HTML', '<img src=x onerror=alert(1)> &amp;'],
    ['SQL', "'; DROP TABLE users; -- $1 :x"],
    ['backslashes and quotes', '\\"\\\\ `'],
  ])('keeps %s as typed', async (_, text) => {
    const user = await seedUser();
    const response = await change(user, { display_name: text, bio: text });
    expect(response.status).toBe(200);
    expect(await me(user)).toMatchObject({ display_name: text, bio: text });
  });

  it('stores one form of what looks the same', async () => {
    const user = await seedUser();
    await change(user, { display_name: ' Ame\u0301lie ', bio: 'a\r\nb' });
    expect(await me(user)).toMatchObject({ display_name: 'Am\u00e9lie', bio: 'a\nb' });
  });

  it.each([
    ['nothing', {}, ''],
    ['an unknown field', { bio: 'x', is_admin: true }, '/is_admin'],
    ['a field others own', { roles: ['admin'] }, '/roles'],
    ['another username', { username: 'somebody' }, '/username'],
    ['an empty display name', { display_name: '' }, '/display_name'],
    ['no display name', { display_name: null }, '/display_name'],
    ['a display name of two lines', { display_name: 'a\nb' }, '/display_name'],
    ['a display name of 51 characters', { display_name: '🦉'.repeat(51) }, '/display_name'],
    ['a bio of 501 characters', { bio: '🦉'.repeat(501) }, '/bio'],
    ['a NUL', { bio: 'a\u0000b' }, '/bio'],
    ['a direction override', { display_name: 'a\u202eb' }, '/display_name'],
    ['a lone surrogate', { bio: '\udead' }, '/bio'],
    ['a list as bio', { bio: ['x'] }, '/bio'],
    ['a script as website', { website: 'javascript:alert(1)' }, '/website'],
    ['data as website', { website: 'data:text/html,x' }, '/website'],
    ['credentials in the website', { website: 'https://user:pass@example.com' }, '/website'],
    ['no URL as website', { website: 'example.com' }, '/website'],
    ['an endless website', { website: `https://example.com/${'a'.repeat(2_048)}` }, '/website'],
  ])('refuses %s and changes nothing', async (_, body, pointer) => {
    const user = await seedUser();
    const before = await me(user);
    const response = await change(user, body);
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({ code: 'request.invalid', errors: [{ pointer }] });
    expect(await me(user)).toEqual(before);
  });

  it('takes 50 and 500 characters, counted as people count them in code points', async () => {
    const user = await seedUser();
    const body = { display_name: '🦉'.repeat(50), bio: '🦉'.repeat(500) };
    expect((await change(user, body)).status).toBe(200);
    expect(await me(user)).toMatchObject(body);
  });

  it('needs a token', async () => {
    expect((await call('PATCH', '/v1/me', { body: { bio: 'x' } })).status).toBe(401);
  });

  it('answers a repeat under the same Idempotency-Key alike', async () => {
    const user = await seedUser();
    const headers = { 'idempotency-key': 'profile-change-1' };
    const first = await (await change(user, { bio: 'once' }, headers)).json();
    expect(await (await change(user, { bio: 'once' }, headers)).json()).toEqual(first);
    expect((await change(user, { bio: 'twice' }, headers)).status).toBe(422);
  });
});
