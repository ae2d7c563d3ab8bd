import { env } from 'cloudflare:workers';
import fc from 'fast-check';
import { afterEach, expect, it, vi } from 'vitest';
import { call, seedUser, sqlRows, type TestUser } from '../../support/worker/client.ts';
import { deliverEvents, takeMessages } from '../../support/worker/queues.ts';
import { block, follow, homeFeed, post, unfollow } from '../posts/actions.ts';

Object.assign(env, { FEED_PULL_THRESHOLD: '2', FEED_FAN_OUT_BATCH_SIZE: '2', RATE_LIMITS_ENABLED: 'false' });

afterEach(() => {
  vi.useRealTimers();
});

const cast = 5;
const person = fc.nat({ max: cast - 1 });
const change = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('post' as const), who: person }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('follow' as const), who: person, whom: person }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('unfollow' as const), who: person, whom: person }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), which: fc.nat() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('deliver' as const),
      times: fc.integer({ min: 1, max: 3 }),
      reverse: fc.boolean(),
    }),
  },
);
// Takes effect at read; no message about it arrives.
const hiding = fc.oneof(
  fc.record({ kind: fc.constant('unfollow' as const), whom: fc.integer({ min: 1, max: cast - 1 }) }),
  fc.record({ kind: fc.constant('block' as const), whom: fc.integer({ min: 1, max: cast - 1 }) }),
  fc.record({ kind: fc.constant('blocked by' as const), whom: fc.integer({ min: 1, max: cast - 1 }) }),
  fc.record({ kind: fc.constant('suspend' as const), whom: fc.integer({ min: 1, max: cast - 1 }) }),
  fc.record({ kind: fc.constant('delete' as const), which: fc.nat() }),
);

interface Post {
  readonly id: string;
  readonly author: number;
  readonly order: number;
}

it('read to its end gives exactly the posts the viewer should see, in order, whatever happened and goes on happening', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(change, { minLength: 10, maxLength: 45 }),
      fc.array(hiding, { maxLength: 3 }),
      fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 8 }),
      async (changes, hidings, limits) => {
        vi.useRealTimers();
        takeMessages();
        const users = await Promise.all(Array.from({ length: cast }, () => seedUser()));
        const user = (index: number): TestUser => users[index] ?? (users[0] as TestUser);
        const follows = new Set<string>();
        const gone = new Set<number>();
        let posts: Post[] = [];
        let order = 0;

        const remove = async (which: number) => {
          const target = posts[which % Math.max(posts.length, 1)];
          if (target === undefined) return;
          await call('DELETE', `/v1/posts/${target.id}`, { token: user(target.author).token });
          posts = posts.filter(({ id }) => id !== target.id);
        };

        for (const step of changes) {
          if (step.kind === 'post') {
            order += 1;
            const { id } = await post(user(step.who), `post ${order}`);
            posts.push({ id, author: step.who, order });
          } else if (step.kind === 'deliver') await deliverEvents(step);
          else if (step.kind === 'delete') await remove(step.which);
          else if (step.who !== step.whom) {
            const edge = `${step.who}>${step.whom}`;
            await (step.kind === 'follow' ? follow : unfollow)(user(step.who), user(step.whom));
            if (step.kind === 'follow') follows.add(edge);
            else follows.delete(edge);
          }
        }
        await deliverEvents({ times: 2 });
        vi.setSystemTime(Date.now() + 11 * 60_000);

        for (const step of hidings) {
          if (step.kind === 'delete') await remove(step.which);
          else if (step.kind === 'suspend') {
            await sqlRows(`UPDATE users SET status = 'suspended' WHERE id = $1`, [user(step.whom).uuid]);
            gone.add(step.whom);
          } else {
            follows.delete(`0>${step.whom}`);
            if (gone.has(step.whom)) continue;
            if (step.kind === 'unfollow') await unfollow(user(0), user(step.whom));
            else if (step.kind === 'block') await block(user(0), user(step.whom));
            else await block(user(step.whom), user(0));
          }
        }
        takeMessages();

        const expected = posts
          .filter(({ author }) => author === 0 || (follows.has(`0>${author}`) && !gone.has(author)))
          .sort((a, b) => b.order - a.order)
          .map(({ id }) => id);
        const before = new Set(posts.map(({ id }) => id));

        const seen: string[] = [];
        let cursor: string | null = null;
        for (let pageIndex = 0; pageIndex < 200; pageIndex += 1) {
          const limit = limits[pageIndex % limits.length];
          const query: string = `?limit=${limit}${cursor === null ? '' : `&cursor=${cursor}`}`;
          const page = await homeFeed(user(0), query);
          seen.push(...page.data.map(({ id }) => id));
          cursor = page.next_cursor;
          if (cursor === null) break;
          // New posts arrive at the top while somebody reads further down.
          const author = pageIndex % cast;
          if (!gone.has(author)) await post(user(author), `meanwhile ${pageIndex}`);
          if (pageIndex % 2 === 0) await deliverEvents();
        }
        expect(cursor).toBeNull();
        expect(new Set(seen).size).toBe(seen.length);
        expect(seen.filter((id) => before.has(id))).toEqual(expected);
        expect(seen.every((id) => before.has(id))).toBe(true);
      },
    ),
    { numRuns: 25 },
  );
}, 300_000);
