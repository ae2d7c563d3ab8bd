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
import { takeMessages } from '../../support/worker/queues.ts';
import { block, follow, readAll, readPage, refusal, unfollow } from '../posts/actions.ts';

interface Listed {
  readonly id: string;
}

const followers = async (user: TestUser, viewer?: TestUser) =>
  (await readPage<Listed>(`/v1/users/${user.id}/followers?limit=100`, viewer)).data.map(({ id }) => id);
const following = async (user: TestUser, viewer?: TestUser) =>
  (await readPage<Listed>(`/v1/users/${user.id}/following?limit=100`, viewer)).data.map(({ id }) => id);

describe('following', () => {
  it('shows on both sides at once, in one round trip, and is told once', async () => {
    const [ada, bob] = [await seedUser(), await seedUser()];
    takeMessages();
    const response = await call('PUT', `/v1/users/${ada.id}/follow`, { token: bob.token });
    expect(await response.json()).toEqual({ following: true });
    expect((await roundTripsOf(response)).roundTrips).toBe(1);
    expect(await follow(bob, ada)).toEqual({ following: true });
    expect(await followers(ada)).toEqual([bob.id]);
    expect(await following(bob)).toEqual([ada.id]);
    expect(await following(ada)).toEqual([]);
    expect(takeMessages().map(({ body }) => [body.type, body.data])).toEqual([
      [
        'user.followed',
        { follower_id: bob.uuid, followee_id: ada.uuid, follow_id: expect.stringMatching(/^.{14}7/) },
      ],
    ]);
    const profile = await callJson<{ viewer: unknown }>(200, 'GET', `/v1/users/${ada.id}`, {
      token: bob.token,
    });
    expect(profile.viewer).toMatchObject({ is_following: true, followed_by: false });
  });

  it('ends when taken back, and the end names the same follow', async () => {
    const [ada, bob] = [await seedUser(), await seedUser()];
    await follow(bob, ada);
    const [followed] = takeMessages();
    const response = await call('DELETE', `/v1/users/${ada.id}/follow`, { token: bob.token });
    expect(await response.json()).toEqual({ following: false });
    expect((await roundTripsOf(response)).roundTrips).toBe(1);
    const [unfollowed] = takeMessages();
    expect(unfollowed?.body.type).toBe('user.unfollowed');
    expect(unfollowed?.body.data).toEqual(followed?.body.data);
    expect(await unfollow(bob, ada)).toEqual({ following: false });
    expect(takeMessages()).toEqual([]);
    expect(await followers(ada)).toEqual([]);
    await follow(bob, ada);
    const [again] = takeMessages();
    expect(again?.body.data.follow_id).not.toBe(followed?.body.data.follow_id);
  });

  it('is one follow when many requests arrive at once', async () => {
    const [ada, bob] = [await seedUser(), await seedUser()];
    takeMessages();
    await Promise.all(Array.from({ length: 10 }, () => follow(bob, ada)));
    expect(takeMessages()).toHaveLength(1);
    expect(await followers(ada)).toEqual([bob.id]);
  });

  it('is refused for oneself, for nobody, and without a token', async () => {
    const ada = await seedUser();
    const suspended = await seedUser();
    await sqlRows(`UPDATE users SET status = 'suspended' WHERE id = $1`, [suspended.uuid]);
    for (const method of ['PUT', 'DELETE'])
      expect(await refusal(method, `/v1/users/${ada.id}/follow`, { token: ada.token })).toMatchObject({
        status: 422,
        code: 'graph.self_follow',
      });
    expect(await refusal('PUT', `/v1/users/${suspended.id}/follow`, { token: ada.token })).toMatchObject({
      status: 404,
      code: 'users.not_found',
    });
    for (const nobody of [
      encodeId('user', randomIds.next()),
      ada.id.replace('usr_', 'post_'),
      ada.username,
      'usr_',
      `usr_${'%27'.repeat(8)}`,
    ])
      for (const method of ['PUT', 'DELETE'])
        expect([
          nobody,
          (await refusal(method, `/v1/users/${nobody}/follow`, { token: ada.token })).status,
        ]).toEqual([nobody, 404]);
    expect((await refusal('PUT', `/v1/users/${suspended.id}/follow`)).status).toBe(401);
  });

  it('is refused across a block, either way', async () => {
    const [ada, bob, carol] = [await seedUser(), await seedUser(), await seedUser()];
    await block(ada, bob);
    expect(await refusal('PUT', `/v1/users/${ada.id}/follow`, { token: bob.token })).toMatchObject({
      status: 404,
      code: 'users.not_found',
    });
    await block(carol, ada);
    expect(await refusal('PUT', `/v1/users/${ada.id}/follow`, { token: carol.token })).toMatchObject({
      status: 403,
      code: 'graph.blocked',
    });
    expect(await followers(ada)).toEqual([]);
  });
});

describe('lists of followers and followed', () => {
  it('are complete, latest first, one round trip a page, whatever the page size', async () => {
    const ada = await seedUser();
    const crowd: string[] = [];
    for (let index = 0; index < 7; index += 1) {
      const user = await seedUser();
      await follow(user, ada);
      crowd.unshift(user.id);
    }
    const response = await call('GET', `/v1/users/${ada.id}/followers`);
    expect((await roundTripsOf(response)).roundTrips).toBe(1);
    for (const limit of [1, 2, 7, 50])
      expect(
        (await readAll<Listed>(`/v1/users/${ada.id}/followers`, ada, limit)).map(({ id }) => id),
      ).toEqual(crowd);
    const [first] = (await readPage(`/v1/users/${ada.id}/followers?limit=1`)).data;
    expect(Object.keys(first ?? {}).sort()).toEqual(['avatar_url', 'display_name', 'id', 'username']);
  });

  it('keep everyone in order who followed in the same instant', async () => {
    const ada = await seedUser();
    const crowd = await Promise.all(Array.from({ length: 9 }, () => seedUser()));
    await sqlRows(
      `INSERT INTO follows (follower_id, followee_id, created_at)
       SELECT follower, $2, '2026-01-02T03:04:05.678901Z' FROM unnest($1::uuid[]) AS follower`,
      [crowd.map(({ uuid }) => uuid), ada.uuid],
    );
    const read = await readAll<Listed>(`/v1/users/${ada.id}/followers`, ada, 2);
    expect(read.map(({ id }) => id)).toEqual(crowd.map(({ id }) => id).sort());
  });

  it('leave out whom a block hides from the viewer, and who is gone', async () => {
    const [ada, viewer, hidden, hiding, gone, plain] = (await Promise.all(
      Array.from({ length: 6 }, () => seedUser()),
    )) as [TestUser, TestUser, TestUser, TestUser, TestUser, TestUser];
    for (const user of [hidden, hiding, gone, plain]) await follow(user, ada);
    await block(viewer, hidden);
    await block(hiding, viewer);
    await sqlRows(`UPDATE users SET status = 'deactivated' WHERE id = $1`, [gone.uuid]);
    expect(await followers(ada, viewer)).toEqual([plain.id]);
    expect(await followers(ada)).toEqual([plain.id, hiding.id, hidden.id]);
  });

  it('are not found for nobody, the suspended, and whoever the user blocks', async () => {
    const [ada, bob] = [await seedUser(), await seedUser()];
    await block(ada, bob);
    for (const list of ['followers', 'following']) {
      expect((await refusal('GET', `/v1/users/${ada.id}/${list}`, { token: bob.token })).status).toBe(404);
      expect((await refusal('GET', `/v1/users/${encodeId('user', randomIds.next())}/${list}`)).status).toBe(
        404,
      );
      expect(await readPage(`/v1/users/${ada.id}/${list}`)).toEqual({ data: [], next_cursor: null });
    }
  });

  it('take only their own cursors', async () => {
    const [ada, bob, carol] = [await seedUser(), await seedUser(), await seedUser()];
    for (const user of [bob, carol]) {
      await follow(user, ada);
      await follow(ada, user);
    }
    const { next_cursor: cursor } = await readPage(`/v1/users/${ada.id}/followers?limit=1`);
    for (const path of [`/v1/users/${ada.id}/following`, `/v1/users/${bob.id}/followers`, '/v1/me/blocks'])
      expect([path, await refusal('GET', `${path}?cursor=${cursor}`, { token: ada.token })]).toEqual([
        path,
        { status: 400, code: 'request.invalid_cursor', pointers: [] },
      ]);
    expect(
      await refusal('GET', `/v1/users/${ada.id}/followers?limit=0&sort=name`, { token: ada.token }),
    ).toMatchObject({ status: 400, pointers: expect.arrayContaining(['?limit', '?sort']) });
  });
});
