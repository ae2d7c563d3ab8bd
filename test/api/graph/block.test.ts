import { describe, expect, it } from 'vitest';
import { encodeId, randomIds } from '../../../src/shared/ids.ts';
import { call, roundTripsOf, seedUser, sqlRows, type TestUser } from '../../support/worker/client.ts';
import { takeMessages } from '../../support/worker/queues.ts';
import { block, follow, readAll, readPage, refusal, unblock } from '../posts/actions.ts';

interface Listed {
  readonly id: string;
}

const connections = async (user: TestUser) =>
  Promise.all(
    ['followers', 'following'].map(async (list) =>
      (await readPage<Listed>(`/v1/users/${user.id}/${list}`)).data.map(({ id }) => id),
    ),
  );

describe('blocking', () => {
  it('ends the follows between the two, both ways, in the same round trip, and tells of each once', async () => {
    const [ada, bob, carol] = [await seedUser(), await seedUser(), await seedUser()];
    await follow(ada, bob);
    await follow(bob, ada);
    await follow(carol, ada);
    takeMessages();
    const response = await call('PUT', `/v1/users/${bob.id}/block`, { token: ada.token });
    expect(await response.json()).toEqual({ blocking: true });
    expect((await roundTripsOf(response)).roundTrips).toBe(1);
    expect(await connections(ada)).toEqual([[carol.id], []]);
    expect(await connections(bob)).toEqual([[], []]);
    const told = takeMessages().map(({ body }) => [body.type, body.data.follower_id ?? body.data.blocker_id]);
    expect(told.sort()).toEqual(
      [
        ['user.blocked', ada.uuid],
        ['user.unfollowed', ada.uuid],
        ['user.unfollowed', bob.uuid],
      ].sort(),
    );
    await block(ada, bob);
    expect(takeMessages()).toEqual([]);
    const audit = await sqlRows(`SELECT action, target_id FROM audit_log WHERE actor_id = $1`, [ada.uuid]);
    expect(audit).toEqual([{ action: 'user.block', target_id: bob.uuid }]);
  });

  it('is undone by unblocking, but the follows stay ended', async () => {
    const [ada, bob] = [await seedUser(), await seedUser()];
    await follow(bob, ada);
    await block(ada, bob);
    expect(await unblock(ada, bob)).toEqual({ blocking: false });
    expect(await unblock(ada, bob)).toEqual({ blocking: false });
    expect(await connections(ada)).toEqual([[], []]);
    await follow(bob, ada);
    expect(await connections(ada)).toEqual([[bob.id], []]);
  });

  it('never ends in both a follow and a block when the two happen at once', async () => {
    for (let round = 0; round < 8; round += 1) {
      const [ada, bob] = [await seedUser(), await seedUser()];
      await Promise.all([
        call('PUT', `/v1/users/${ada.id}/follow`, { token: bob.token }),
        block(ada, bob),
        call('PUT', `/v1/users/${bob.id}/follow`, { token: ada.token }),
      ]);
      const left = await sqlRows('SELECT 1 FROM follows WHERE follower_id = ANY ($1::uuid[])', [
        [ada.uuid, bob.uuid],
      ]);
      expect(left).toEqual([]);
    }
  });

  it('is refused for oneself, for nobody, and without a token', async () => {
    const ada = await seedUser();
    for (const method of ['PUT', 'DELETE']) {
      expect(await refusal(method, `/v1/users/${ada.id}/block`, { token: ada.token })).toMatchObject({
        status: 422,
        code: 'graph.self_block',
      });
      for (const nobody of [encodeId('user', randomIds.next()), ada.id.replace('usr_', 'vid_')])
        expect((await refusal(method, `/v1/users/${nobody}/block`, { token: ada.token })).status).toBe(404);
      expect((await refusal(method, `/v1/users/${ada.id}/block`)).status).toBe(401);
    }
  });
});

describe('the list of blocks', () => {
  it('is complete, latest first, and only the caller’s', async () => {
    const [ada, eve] = [await seedUser(), await seedUser()];
    const blocked: string[] = [];
    for (let index = 0; index < 5; index += 1) {
      const user = await seedUser();
      await block(ada, user);
      blocked.unshift(user.id);
    }
    expect((await readAll<Listed>('/v1/me/blocks', ada, 2)).map(({ id }) => id)).toEqual(blocked);
    expect((await readPage('/v1/me/blocks', eve)).data).toEqual([]);
    const { next_cursor: cursor } = await readPage('/v1/me/blocks?limit=2', ada);
    expect(await refusal('GET', `/v1/me/blocks?cursor=${cursor}`, { token: eve.token })).toMatchObject({
      status: 400,
      code: 'request.invalid_cursor',
    });
    expect((await refusal('GET', '/v1/me/blocks')).status).toBe(401);
  });
});
