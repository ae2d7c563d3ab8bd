import { describe, expect, it } from 'vitest';
import { encodeId, randomIds } from '../../../src/shared/ids.ts';
import { call, roundTripsOf, seedUser } from '../../support/worker/client.ts';
import { deliverEvents, takeMessages } from '../../support/worker/queues.ts';
import { block, getPost, like, post, refusal, unlike } from './actions.ts';

describe('liking a post', () => {
  it('takes one round trip, counts once, and is told once, however often it is done', async () => {
    const [ada, bob] = [await seedUser(), await seedUser()];
    const { id } = await post(ada, 'x');
    takeMessages();
    const response = await call('PUT', `/v1/posts/${id}/like`, { token: bob.token });
    expect(await response.json()).toEqual({ liked: true, like_count: 1 });
    expect((await roundTripsOf(response)).roundTrips).toBe(1);
    expect(await like(bob, id)).toEqual({ liked: true, like_count: 1 });
    expect(takeMessages().map(({ body }) => body.type)).toEqual(['post.liked']);
  });

  it('shows to the one who liked at once, and to all once counted', async () => {
    const [ada, bob] = [await seedUser(), await seedUser()];
    const { id } = await post(ada, 'x');
    await like(bob, id);
    expect(await getPost(id, bob)).toMatchObject({ liked: true, like_count: 1 });
    await deliverEvents();
    expect(await getPost(id, ada)).toMatchObject({ liked: false, like_count: 1 });
    expect(await getPost(id)).toMatchObject({ liked: false, like_count: 1 });
    expect(await like(ada, id)).toEqual({ liked: true, like_count: 2 });
  });

  it('can be taken back, in one round trip, as often as one likes', async () => {
    const [ada, bob] = [await seedUser(), await seedUser()];
    const { id } = await post(ada, 'x');
    await like(bob, id);
    await deliverEvents();
    const response = await call('DELETE', `/v1/posts/${id}/like`, { token: bob.token });
    expect(await response.json()).toEqual({ liked: false, like_count: 0 });
    expect((await roundTripsOf(response)).roundTrips).toBe(1);
    expect(takeMessages().map(({ body }) => body.type)).toEqual(['post.unliked']);
    expect(await unlike(bob, id)).toMatchObject({ liked: false });
    expect(takeMessages()).toEqual([]);
    expect(await getPost(id, bob)).toMatchObject({ liked: false });
  });

  it('is one like when many requests arrive at once', async () => {
    const [ada, bob] = [await seedUser(), await seedUser()];
    const { id } = await post(ada, 'x');
    takeMessages();
    await Promise.all(Array.from({ length: 12 }, () => like(bob, id)));
    expect(takeMessages().map(({ body }) => body.type)).toEqual(['post.liked']);
  });

  it('is refused for posts that are gone, hidden by a block, or never were', async () => {
    const [ada, bob, carol] = [await seedUser(), await seedUser(), await seedUser()];
    const { id } = await post(ada, 'x');
    const notFound = { status: 404, code: 'posts.not_found' };
    await like(carol, id);
    await block(ada, carol);
    await block(bob, ada);
    for (const user of [bob, carol])
      expect(await refusal('PUT', `/v1/posts/${id}/like`, { token: user.token })).toMatchObject(notFound);
    // Carol's own like is hers to take back.
    expect(await unlike(carol, id)).toMatchObject({ liked: false });
    expect(await refusal('DELETE', `/v1/posts/${id}/like`, { token: carol.token })).toMatchObject(notFound);
    await call('DELETE', `/v1/posts/${id}`, { token: ada.token });
    for (const missing of [id, encodeId('post', randomIds.next()), id.replace('post_', 'usr_')])
      for (const method of ['PUT', 'DELETE'])
        expect((await refusal(method, `/v1/posts/${missing}/like`, { token: ada.token })).status).toBe(404);
    expect((await refusal('PUT', `/v1/posts/${id}/like`)).status).toBe(401);
  });
});
