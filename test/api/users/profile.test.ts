import { describe, expect, it } from 'vitest';
import { encodeId, randomIds } from '../../../src/shared/ids.ts';
import {
  call,
  callJson,
  roundTripsOf,
  seedUser,
  sqlRows,
  type TestUser,
} from '../../support/worker/client.ts';

interface ProfileBody {
  readonly id: string;
  readonly viewer?: { is_following: boolean; followed_by: boolean; blocking: boolean };
}

const profile = (reference: string, viewer?: TestUser) =>
  callJson<ProfileBody>(200, 'GET', `/v1/users/${reference}`, { token: viewer?.token });
const follow = (follower: TestUser, followee: TestUser) =>
  sqlRows('INSERT INTO follows (follower_id, followee_id) VALUES ($1, $2)', [follower.uuid, followee.uuid]);
const block = (blocker: TestUser, blocked: TestUser) =>
  sqlRows('INSERT INTO blocks (blocker_id, blocked_id) VALUES ($1, $2)', [blocker.uuid, blocked.uuid]);

describe('a profile', () => {
  it('is public, and holds nothing private', async () => {
    const user = await seedUser({ displayName: 'Ada' });
    await sqlRows('UPDATE user_counters SET followers = 3, following = 2, posts = 1 WHERE user_id = $1', [
      user.uuid,
    ]);
    await sqlRows("UPDATE users SET bio = 'Engines', avatar_key = 'avatars/a b.png' WHERE id = $1", [
      user.uuid,
    ]);
    const response = await call('GET', `/v1/users/${user.username}`);
    expect(response.status).toBe(200);
    expect(await roundTripsOf(response)).toMatchObject({ roundTrips: 1 });
    expect(await response.json()).toEqual({
      id: user.id,
      username: user.username,
      display_name: 'Ada',
      avatar_url: expect.stringMatching(/^https?:\/\/.+\/avatars\/a%20b\.png$/),
      bio: 'Engines',
      website: null,
      created_at: expect.stringMatching(/^\d{4}-.+Z$/),
      counters: { followers: 3, following: 2, posts: 1 },
    });
  });

  it('is found by id and by username in any case', async () => {
    const user = await seedUser();
    for (const reference of [user.id, user.username, user.username.toUpperCase()])
      expect((await profile(reference)).id).toBe(user.id);
  });

  it('tells a signed-in viewer how the two stand, in one round trip', async () => {
    const [viewer, user, follower, both, blocked] = await Promise.all(
      Array.from({ length: 5 }, () => seedUser()),
    );
    if (!viewer || !user || !follower || !both || !blocked) throw new Error('seeding failed');
    await Promise.all([
      follow(follower, viewer),
      follow(viewer, both),
      follow(both, viewer),
      block(viewer, blocked),
    ]);
    const no = { is_following: false, followed_by: false, blocking: false };
    expect((await profile(user.id, viewer)).viewer).toEqual(no);
    expect((await profile(follower.id, viewer)).viewer).toEqual({ ...no, followed_by: true });
    expect((await profile(both.id, viewer)).viewer).toEqual({ ...no, is_following: true, followed_by: true });
    expect((await profile(blocked.id, viewer)).viewer).toEqual({ ...no, blocking: true });
    expect((await profile(viewer.id, viewer)).viewer).toEqual(no);
    expect((await profile(both.id)).viewer).toBeUndefined();
    const response = await call('GET', `/v1/users/${both.username}`, { token: viewer.token });
    expect(await roundTripsOf(response)).toMatchObject({ roundTrips: 1 });
  });

  it('is sent again only when it changed, and never to somebody else', async () => {
    const [user, viewer] = await Promise.all([seedUser(), seedUser()]);
    const path = `/v1/users/${user.username}`;
    const first = await call('GET', path);
    expect(first.headers.get('cache-control')).toBe('private, no-cache');
    const headers = { 'if-none-match': first.headers.get('etag') ?? '' };
    const same = await call('GET', path, { headers });
    expect(same.status).toBe(304);
    expect(await same.text()).toBe('');
    expect((await call('GET', path, { headers, token: viewer.token })).status).toBe(200);
    await call('PATCH', '/v1/me', { token: user.token, body: { bio: 'changed' } });
    expect((await call('GET', path, { headers })).status).toBe(200);
  });

  it('is not there for who is blocked by it, but is for others', async () => {
    const [owner, blocked, other] = await Promise.all([seedUser(), seedUser(), seedUser()]);
    await block(owner, blocked);
    for (const reference of [owner.id, owner.username]) {
      const response = await call('GET', `/v1/users/${reference}`, { token: blocked.token });
      expect(response.status).toBe(404);
      expect(await response.json()).toMatchObject({ code: 'users.not_found' });
    }
    await profile(owner.id, other);
    await profile(owner.id);
  });

  it.each(['suspended', 'deactivated', 'deleted'])('of a %s account is not there', async (status) => {
    const user = await seedUser();
    await sqlRows('UPDATE users SET status = $2 WHERE id = $1', [user.uuid, status]);
    for (const reference of [user.id, user.username])
      expect((await call('GET', `/v1/users/${reference}`)).status).toBe(404);
  });

  it('is not there for nobody', async () => {
    const responses = await Promise.all(
      ['nobody_at_all', encodeId('user', randomIds.next())].map((reference) =>
        call('GET', `/v1/users/${reference}`),
      ),
    );
    for (const response of responses) expect(response.status).toBe(404);
  });

  it.each([
    encodeId('video', randomIds.next()),
    encodeId('user', randomIds.next()).toUpperCase(),
    randomIds.next(),
    'usr_short',
    "'%20OR%201=1%20--",
    'a%00b',
    '%F0%9F%A6%89',
    '%E0%A4%A',
    '..%2F..%2Fme',
    'x'.repeat(5_000),
  ])('is not there for %j, which names no user', async (reference) => {
    const response = await call('GET', `/v1/users/${reference}`);
    expect(response.status).toBe(404);
    expect(await roundTripsOf(response)).toMatchObject({ roundTrips: 0 });
  });
});
