import { env } from 'cloudflare:workers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { servicesOf } from '../../../src/context.ts';
import { reconcileCounters } from '../../../src/db/reconciliation.ts';
import { systemContext } from '../../../src/jobs/system-context.ts';
import { encodeId } from '../../../src/shared/ids.ts';
import { seedVideo } from '../../api/posts/actions.ts';
import { callJson, seedUser, sqlRows, type TestUser } from '../../support/worker/client.ts';
import { testEnv } from '../../support/worker/env.ts';
import { deliver, deliverEvents, takeMessages } from '../../support/worker/queues.ts';

const context = () => systemContext(servicesOf(testEnv(env)), { job: 'test' });
const rate = (user: TestUser, id: string, rating: 'like' | 'dislike' | null) =>
  callJson(200, rating === null ? 'DELETE' : 'PUT', `/v1/videos/${id}/rating`, {
    token: user.token,
    ...(rating === null ? {} : { body: { rating } }),
  });
const counts = async (uuid: string) =>
  (
    await sqlRows<{ likes: number; dislikes: number }>(
      'SELECT likes, dislikes FROM video_counters WHERE video_id = $1',
      [uuid],
    )
  )[0] ?? { likes: 0, dislikes: 0 };

describe('the counts of a video', () => {
  it('come out true whatever the order and number of deliveries', async () => {
    const owner = await seedUser();
    const fans = await Promise.all(Array.from({ length: 3 }, () => seedUser()));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ fan: fc.nat({ max: 2 }), rating: fc.constantFrom('like', 'dislike', null) }), {
          maxLength: 12,
        }),
        fc.infiniteStream(fc.nat()),
        async (actions, random) => {
          const uuid = await seedVideo(owner);
          takeMessages();
          const state = new Map<number, 'like' | 'dislike'>();
          for (const { fan, rating } of actions) {
            await rate(fans[fan] as TestUser, encodeId('video', uuid), rating);
            if (rating === null) state.delete(fan);
            else state.set(fan, rating);
          }
          const messages = takeMessages();
          const deliveries = [...messages, ...messages, ...messages]
            .map((message) => ({ message, order: random.next().value ?? 0 }))
            .sort((a, b) => a.order - b.order);
          await deliver(deliveries.map(({ message }) => message));
          takeMessages();
          const given = [...state.values()];
          expect(await counts(uuid)).toEqual({
            likes: given.filter((rating) => rating === 'like').length,
            dislikes: given.filter((rating) => rating === 'dislike').length,
          });
        },
      ),
      { numRuns: 25 },
    );
  }, 120_000);

  it('are made true by the daily job, and not counted again by messages that come after it', async () => {
    const [owner, bob, carol] = [await seedUser(), await seedUser(), await seedUser()];
    const uuid = await seedVideo(owner);
    const id = encodeId('video', uuid);
    await deliverEvents();
    await reconcileCounters(context());
    await rate(bob, id, 'like');
    await rate(carol, id, 'dislike');
    const waiting = takeMessages();
    expect(await reconcileCounters(context())).toMatchObject({ videos: 1 });
    expect(await counts(uuid)).toEqual({ likes: 1, dislikes: 1 });
    await deliver(waiting);
    expect(await counts(uuid)).toEqual({ likes: 1, dislikes: 1 });
    await sqlRows('UPDATE video_counters SET likes = 7, views = 3 WHERE video_id = $1', [uuid]);
    expect(await reconcileCounters(context())).toMatchObject({ videos: 1 });
    expect(await sqlRows('SELECT views::int, likes FROM video_counters WHERE video_id = $1', [uuid])).toEqual(
      [{ views: 3, likes: 1 }],
    );
    await rate(bob, id, null);
    await deliverEvents();
    expect(await counts(uuid)).toEqual({ likes: 0, dislikes: 1 });
    expect(await reconcileCounters(context())).toMatchObject({ videos: 0 });
  });
});
