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
import { film } from '../comments/actions.ts';
import { block, readAll, refusal } from '../posts/actions.ts';

interface Entry {
  readonly video_id: string;
  readonly video: { readonly id: string } | null;
  readonly channel: { readonly id: string } | null;
  readonly position_ms: number;
  readonly resume_ms: number;
  readonly duration_ms: number | null;
  readonly completed: boolean;
}

const watch = (user: TestUser, id: string, positionMs: number) =>
  callJson(204, 'PUT', `/v1/videos/${id}/position`, { token: user.token, body: { position_ms: positionMs } });
const historyOf = (user: TestUser, limit = 100): Promise<Entry[]> =>
  readAll<Entry>('/v1/me/history', user, limit);
const progressOf = (user: TestUser, id: string) =>
  callJson<Entry>(200, 'GET', `/v1/me/history/${id}`, { token: user.token });
const pause = (user: TestUser, paused: boolean) =>
  callJson(200, 'PUT', '/v1/me/history/settings', { token: user.token, body: { paused } });

describe('the watch history', () => {
  it('has each video once, the latest watched first, in two trips', async () => {
    const [ada, bob] = [await seedUser(), await seedUser()];
    const ids: string[] = [];
    for (let index = 0; index < 5; index += 1) ids.push(await film(ada, { duration_ms: 100_000 }));
    for (const id of ids) await watch(bob, id, 1_000);
    await watch(bob, ids[1] as string, 2_000);
    const order = [1, 4, 3, 2, 0].map((index) => ids[index]);
    for (const limit of [1, 2, 100])
      expect((await historyOf(bob, limit)).map(({ video }) => video?.id)).toEqual(order);
    expect((await historyOf(bob))[0]).toMatchObject({
      channel: { id: ada.id },
      position_ms: 2_000,
      duration_ms: 100_000,
    });
    const response = await call('GET', '/v1/me/history', { token: bob.token });
    expect((await roundTripsOf(response)).roundTrips).toBe(2);
    expect(await historyOf(ada)).toEqual([]);
  });

  it('tells where to go on, in one trip: at the start for what was seen to the end', async () => {
    const [ada, bob] = [await seedUser(), await seedUser()];
    const id = await film(ada, { duration_ms: 100_000 });
    expect(await refusal('GET', `/v1/me/history/${id}`, { token: bob.token })).toMatchObject({
      status: 404,
      code: 'history.not_found',
    });
    await watch(bob, id, 94_999);
    expect(await progressOf(bob, id)).toMatchObject({
      video_id: id,
      position_ms: 94_999,
      resume_ms: 94_999,
      completed: false,
    });
    await watch(bob, id, 500_000);
    expect(await progressOf(bob, id)).toMatchObject({ position_ms: 100_000, resume_ms: 0, completed: true });
    const response = await call('GET', `/v1/me/history/${id}`, { token: bob.token });
    expect((await roundTripsOf(response)).roundTrips).toBe(1);
  });

  it('says no more of a video that is hidden since than that it was watched', async () => {
    const [ada, bob] = [await seedUser(), await seedUser()];
    const id = await film(ada);
    await watch(bob, id, 1_000);
    await block(ada, bob);
    expect(await historyOf(bob)).toMatchObject([{ video_id: id, video: null, channel: null }]);
    expect((await call('DELETE', `/v1/me/history/${id}`, { token: bob.token })).status).toBe(204);
    expect(await historyOf(bob)).toEqual([]);
  });

  it('loses a video, or all, when told to', async () => {
    const [ada, bob] = [await seedUser(), await seedUser()];
    const ids = [await film(ada), await film(ada)];
    for (const id of ids) await watch(bob, id, 5_000);
    const removed = await call('DELETE', `/v1/me/history/${ids[0]}`, { token: bob.token });
    expect([removed.status, (await roundTripsOf(removed)).roundTrips]).toEqual([204, 1]);
    expect((await call('DELETE', `/v1/me/history/${ids[0]}`, { token: bob.token })).status).toBe(404);
    expect((await historyOf(bob)).map(({ video_id }) => video_id)).toEqual([ids[1]]);
    await watch(bob, ids[0] as string, 6_000);
    expect(await historyOf(bob)).toHaveLength(2);
    const cleared = await call('DELETE', '/v1/me/history', { token: bob.token });
    expect([cleared.status, (await roundTripsOf(cleared)).roundTrips]).toEqual([204, 1]);
    expect(await historyOf(bob)).toEqual([]);
    for (const shard of [0, 1])
      expect(await sqlRows('SELECT FROM watch_history WHERE user_id = $1', [bob.uuid], shard)).toEqual([]);
    await watch(bob, ids[0] as string, 7_000);
    expect(await historyOf(bob)).toHaveLength(1);
  });

  it('takes nothing while it is paused', async () => {
    const [ada, bob] = [await seedUser(), await seedUser()];
    const [first, second] = [await film(ada), await film(ada)];
    expect(await callJson(200, 'GET', '/v1/me/history/settings', { token: bob.token })).toEqual({
      paused: false,
    });
    await watch(bob, first, 1_000);
    expect(await pause(bob, true)).toEqual({ paused: true });
    await watch(bob, first, 9_000);
    await watch(bob, second, 9_000);
    expect(await historyOf(bob)).toMatchObject([{ video_id: first, position_ms: 1_000 }]);
    expect(await callJson(200, 'GET', '/v1/me/history/settings', { token: bob.token })).toEqual({
      paused: true,
    });
    await pause(bob, false);
    await watch(bob, second, 3_000);
    expect(await historyOf(bob)).toMatchObject([{ video_id: second }, { video_id: first }]);
  });

  it('refuses what it cannot keep', async () => {
    const [ada, bob] = [await seedUser(), await seedUser()];
    const [open, closed] = [await film(ada), await film(ada, { visibility: 'private' })];
    const send = (id: string, body: unknown, token?: string) =>
      refusal('PUT', `/v1/videos/${id}/position`, { token, body });
    for (const body of [
      {},
      { position_ms: -1 },
      { position_ms: 1.5 },
      { position_ms: '1' },
      { position_ms: 1e15 },
      { position_ms: 1, user_id: ada.id },
    ])
      expect((await send(open, body, bob.token)).status).toBe(422);
    for (const id of [closed, encodeId('video', randomIds.next())])
      expect(await send(id, { position_ms: 1 }, bob.token)).toMatchObject({
        status: 404,
        code: 'videos.not_found',
      });
    expect((await send(open, { position_ms: 1 })).status).toBe(401);
    expect(
      (await refusal('PUT', '/v1/me/history/settings', { token: bob.token, body: { paused: 1 } })).status,
    ).toBe(422);
    expect((await call('GET', '/v1/me/history')).status).toBe(401);
    const page = await call('GET', '/v1/me/history?cursor=zzz', { token: bob.token });
    expect(page.status).toBe(400);
    expect(await historyOf(bob)).toEqual([]);
  });
});
