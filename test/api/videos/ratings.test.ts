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
import { deliverEvents, takeMessages } from '../../support/worker/queues.ts';
import { block, readAll, refusal, seedVideo } from '../posts/actions.ts';

const film = async (owner: TestUser, columns: Readonly<Record<string, unknown>> = {}): Promise<string> =>
  encodeId('video', await seedVideo(owner, columns));
const rate = (user: TestUser, id: string, rating: string) =>
  callJson<{ rating: string | null; like_count: number }>(200, 'PUT', `/v1/videos/${id}/rating`, {
    token: user.token,
    body: { rating },
  });
const unrate = (user: TestUser, id: string) =>
  callJson<{ rating: string | null; like_count: number }>(200, 'DELETE', `/v1/videos/${id}/rating`, {
    token: user.token,
  });
const opinions = async (id: string, viewer?: TestUser) => {
  const { like_count, dislike_count, own_rating } = await callJson<Record<string, unknown>>(
    200,
    'GET',
    `/v1/videos/${id}`,
    { token: viewer?.token },
  );
  return { likes: like_count, dislikes: dislike_count, own: own_rating };
};

describe('rating a video', () => {
  it('takes one trip, shows at once to the one who rates and to all once counted', async () => {
    const [ada, bob] = [await seedUser(), await seedUser()];
    const id = await film(ada);
    takeMessages();
    const response = await call('PUT', `/v1/videos/${id}/rating`, {
      token: bob.token,
      body: { rating: 'like' },
    });
    expect(await response.json()).toEqual({ rating: 'like', like_count: 1 });
    expect((await roundTripsOf(response)).roundTrips).toBe(1);
    expect(await rate(bob, id, 'like')).toEqual({ rating: 'like', like_count: 1 });
    expect(await opinions(id, bob)).toEqual({ likes: 1, dislikes: null, own: 'like' });
    const page = await call('GET', `/v1/videos/${id}`, { token: bob.token });
    expect((await roundTripsOf(page)).roundTrips).toBe(1);
    await deliverEvents();
    expect(await opinions(id, ada)).toEqual({ likes: 1, dislikes: 0, own: null });
  });

  it('tells dislikes to the owner only', async () => {
    const [ada, bob, carol] = [await seedUser(), await seedUser(), await seedUser()];
    const id = await film(ada);
    await rate(bob, id, 'dislike');
    await rate(carol, id, 'dislike');
    await deliverEvents();
    expect(await opinions(id, ada)).toEqual({ likes: 0, dislikes: 2, own: null });
    expect(await opinions(id, bob)).toEqual({ likes: 0, dislikes: null, own: 'dislike' });
    expect(await opinions(id)).toEqual({ likes: 0, dislikes: null, own: null });
    const list = await callJson<{ data: { dislike_count: number | null }[] }>(
      200,
      'GET',
      `/v1/users/${ada.id}/videos`,
      {
        token: bob.token,
      },
    );
    expect(list.data.map(({ dislike_count }) => dislike_count)).toEqual([null]);
  });

  it('the other way takes the first rating back, and taking it back twice is taking it back once', async () => {
    const [ada, bob] = [await seedUser(), await seedUser()];
    const id = await film(ada);
    await rate(bob, id, 'like');
    await deliverEvents();
    takeMessages();
    expect(await rate(bob, id, 'dislike')).toEqual({ rating: 'dislike', like_count: 0 });
    expect(takeMessages().map(({ body }) => [body.type, body.data.rating])).toEqual(
      expect.arrayContaining([
        ['video.unrated', 'like'],
        ['video.rated', 'dislike'],
      ]),
    );
    expect(await unrate(bob, id)).toMatchObject({ rating: null });
    expect(takeMessages().map(({ body }) => body.type)).toEqual(['video.unrated']);
    expect(await unrate(bob, id)).toMatchObject({ rating: null });
    expect(takeMessages()).toEqual([]);
  });

  it('is one rating, the same for all to see, when many requests arrive at once', async () => {
    const [ada, bob] = [await seedUser(), await seedUser()];
    const id = await film(ada);
    await Promise.all(
      Array.from({ length: 12 }, (_, index) => rate(bob, id, index % 2 === 0 ? 'like' : 'dislike')),
    );
    await deliverEvents();
    const { own } = await opinions(id, bob);
    expect(await opinions(id, ada)).toEqual({
      likes: own === 'like' ? 1 : 0,
      dislikes: own === 'dislike' ? 1 : 0,
      own: null,
    });
  });

  it('is refused for what the caller may not see, though a rating once given can be taken back', async () => {
    const [ada, bob, carol] = [await seedUser(), await seedUser(), await seedUser()];
    const id = await film(ada);
    await rate(carol, id, 'like');
    await block(ada, carol);
    const notFound = { status: 404, code: 'videos.not_found' };
    const body = { rating: 'like' };
    expect(await refusal('PUT', `/v1/videos/${id}/rating`, { token: carol.token, body })).toMatchObject(
      notFound,
    );
    expect(await unrate(carol, id)).toMatchObject({ rating: null });
    expect(await refusal('DELETE', `/v1/videos/${id}/rating`, { token: carol.token })).toMatchObject(
      notFound,
    );
    for (const columns of [{ visibility: 'private' }, { state: 'transcoding' }]) {
      const hidden = await film(ada, columns);
      expect(await refusal('PUT', `/v1/videos/${hidden}/rating`, { token: bob.token, body })).toMatchObject(
        notFound,
      );
    }
    for (const wrong of [{}, { rating: 'love' }, { rating: null }, { rating: 'like', user_id: bob.id }])
      expect(
        (await refusal('PUT', `/v1/videos/${id}/rating`, { token: bob.token, body: wrong })).status,
      ).toBe(422);
    expect((await refusal('PUT', `/v1/videos/${id}/rating`, { body })).status).toBe(401);
    expect(
      (
        await refusal('PUT', `/v1/videos/${encodeId('video', randomIds.next())}/rating`, {
          token: bob.token,
          body,
        })
      ).status,
    ).toBe(404);
  });
});

describe('the list of liked videos', () => {
  it('has what the caller likes and may see, latest liked first, page by page', async () => {
    const [ada, bob, eve] = [await seedUser(), await seedUser(), await seedUser()];
    const liked: string[] = [];
    for (let index = 0; index < 5; index += 1) liked.unshift(await film(ada));
    for (const id of liked.toReversed()) await rate(bob, id, 'like');
    const hidden = await film(eve);
    await rate(bob, hidden, 'like');
    await rate(bob, await film(ada), 'dislike');
    await block(eve, bob);
    type Item = { video: { id: string }; owner: { id: string }; liked_at: string };
    for (const limit of [1, 2, 100]) {
      const items = await readAll<Item>('/v1/me/liked-videos', bob, limit);
      expect(items.map(({ video }) => video.id)).toEqual(liked);
    }
    const response = await call('GET', '/v1/me/liked-videos', { token: bob.token });
    expect((await roundTripsOf(response)).roundTrips).toBe(1);
    expect((await call('GET', '/v1/me/liked-videos')).status).toBe(401);
    expect(await readAll('/v1/me/liked-videos', ada, 10)).toEqual([]);
  });

  it('keeps its place between ratings made in the same moment', async () => {
    const [ada, bob] = [await seedUser(), await seedUser()];
    for (let index = 0; index < 4; index += 1) await film(ada);
    await sqlRows(
      `INSERT INTO video_ratings (video_id, user_id, rating, created_at)
       SELECT id, $1, 'like', '2026-01-01T00:00:00.123456Z' FROM videos WHERE owner_id = $2`,
      [bob.uuid, ada.uuid],
    );
    type Item = { video: { id: string } };
    const ids = (await readAll<Item>('/v1/me/liked-videos', bob, 1)).map(({ video }) => video.id);
    expect(new Set(ids).size).toBe(4);
  });
});
