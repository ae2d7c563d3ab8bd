import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { getPost, like, post, profile, unlike } from '../../api/posts/actions.ts';
import { call, seedUser, type TestUser } from '../../support/worker/client.ts';
import { deliver, deliverEvents, type SentMessage, takeMessages } from '../../support/worker/queues.ts';

const likesOf = async (postId: string): Promise<number> => (await getPost(postId)).like_count;
const postsOf = async (user: TestUser): Promise<number> => (await profile(user)).counters.posts;

/** What an action sends, held back. */
async function held(action: Promise<unknown>): Promise<SentMessage[]> {
  await action;
  return takeMessages();
}

describe('the like count', () => {
  it('counts a like once however often the message comes', async () => {
    const [ada, bob] = [await seedUser(), await seedUser()];
    const { id } = await post(ada, 'x');
    await deliverEvents();
    const liked = await held(like(bob, id));
    for (let time = 0; time < 3; time += 1) expect(await deliver(liked)).toEqual({ acked: 1, retried: 0 });
    expect(await likesOf(id)).toBe(1);
    const unliked = await held(unlike(bob, id));
    for (let time = 0; time < 3; time += 1) await deliver(unliked);
    await deliver(liked);
    expect(await likesOf(id)).toBe(0);
  });

  it('is never wrong for long when the end of a like is heard of before the like', async () => {
    const [ada, bob, carol] = [await seedUser(), await seedUser(), await seedUser()];
    const { id } = await post(ada, 'x');
    await like(carol, id);
    await deliverEvents();
    const liked = await held(like(bob, id));
    const unliked = await held(unlike(bob, id));
    expect(await deliver(unliked)).toEqual({ acked: 1, retried: 0 });
    expect(await likesOf(id)).toBe(1);
    await deliver(liked);
    expect(await likesOf(id)).toBe(1);
    await deliver(unliked);
    await deliver(liked);
    expect(await likesOf(id)).toBe(1);
  });

  it('comes out true whatever the order and number of deliveries', async () => {
    const author = await seedUser();
    const fans = await Promise.all(Array.from({ length: 4 }, () => seedUser()));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ fan: fc.nat({ max: 3 }), likes: fc.boolean() }), { maxLength: 12 }),
        fc.infiniteStream(fc.nat()),
        async (actions, random) => {
          const { id } = await post(author, 'x');
          const state = new Set<number>();
          for (const { fan, likes } of actions) {
            await (likes ? like : unlike)(fans[fan] as TestUser, id);
            if (likes) state.add(fan);
            else state.delete(fan);
          }
          const messages = takeMessages();
          const deliveries = [...messages, ...messages, ...messages]
            .map((message) => ({ message, order: random.next().value ?? 0 }))
            .sort((a, b) => a.order - b.order);
          await deliver(deliveries.map(({ message }) => message));
          takeMessages();
          expect(await likesOf(id)).toBe(state.size);
        },
      ),
      { numRuns: 25 },
    );
  }, 120_000);
});

describe('the post count', () => {
  it('follows posts and deletions, repeated and swapped', async () => {
    const ada = await seedUser();
    const first = await post(ada, '1');
    await deliverEvents({ times: 3 });
    expect(await postsOf(ada)).toBe(1);

    const second = await held(post(ada, '2'));
    const secondId = String(second[0]?.body.data.post_id);
    const page = await call('GET', `/v1/users/${ada.id}/posts?limit=1`);
    const { data } = (await page.json()) as { data: { id: string }[] };
    const deleted = await held(call('DELETE', `/v1/posts/${data[0]?.id}`, { token: ada.token }));
    expect(deleted[0]?.body.data.post_id).toBe(secondId);
    await deliver(deleted);
    expect(await postsOf(ada)).toBe(1);
    await deliver(second);
    await deliver(deleted);
    expect(await postsOf(ada)).toBe(1);

    await call('DELETE', `/v1/posts/${first.id}`, { token: ada.token });
    await deliverEvents({ times: 2 });
    expect(await postsOf(ada)).toBe(0);
  });
});
