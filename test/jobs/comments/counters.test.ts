import { env } from 'cloudflare:workers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { servicesOf } from '../../../src/context.ts';
import { reconcileCounters } from '../../../src/db/reconciliation.ts';
import { systemContext } from '../../../src/jobs/system-context.ts';
import { act, type CommentBody, comment, film, readComment } from '../../api/comments/actions.ts';
import { call, callJson, seedUser, sqlRows } from '../../support/worker/client.ts';
import { testEnv } from '../../support/worker/env.ts';
import { deliver, deliverEvents, takeMessages } from '../../support/worker/queues.ts';

const context = () => systemContext(servicesOf(testEnv(env)), { job: 'test' });
const countOf = async (videoId: string): Promise<number> =>
  (
    await callJson<{ comment_count: number }>(200, 'GET', `/v1/videos/${videoId}`, {
      token: (await seedUser()).token,
    })
  ).comment_count;

describe('the counts of comments', () => {
  it('come out true whatever happens to comments, and in whatever order and number it is heard of', async () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('write' as const), answer: fc.boolean() }),
      fc.record({
        do: fc.constantFrom('approve', 'reject', 'delete', 'edit', 'like', 'unlike'),
        which: fc.nat({ max: 5 }),
      }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('open', 'approve'),
        fc.array(step, { maxLength: 14 }),
        fc.infiniteStream(fc.nat()),
        async (policy, steps, random) => {
          // Of this run only, since comments are limited by account.
          const [owner, fan] = [await seedUser(), await seedUser()];
          const id = await film(owner, { comment_policy: policy });
          takeMessages();
          const made: CommentBody[] = [await comment(owner, id, 'root')];
          for (const each of steps) {
            const target = 'which' in each ? made[each.which % made.length] : undefined;
            if ('answer' in each)
              made.push(
                await comment(fan, id, 'x', each.answer ? made[0] : undefined).catch(
                  () => made[0] as CommentBody,
                ),
              );
            else if (each.do === 'delete')
              await call('DELETE', `/v1/comments/${target?.id}`, { token: owner.token });
            else if (each.do === 'edit')
              await call('PATCH', `/v1/comments/${target?.id}`, {
                token: fan.token,
                body: { text: 'changed' },
              });
            else if (each.do === 'like' || each.do === 'unlike')
              await call(each.do === 'like' ? 'PUT' : 'DELETE', `/v1/comments/${target?.id}/like`, {
                token: fan.token,
              });
            else await call('POST', `/v1/comments/${target?.id}/${each.do}`, { token: owner.token });
          }
          const messages = takeMessages();
          const deliveries = [...messages, ...messages, ...messages]
            .map((message) => ({ message, order: random.next().value ?? 0 }))
            .sort((a, b) => a.order - b.order);
          await deliver(deliveries.map(({ message }) => message));
          takeMessages();
          const wrong = await sqlRows(
            `SELECT c.id FROM comments AS c JOIN videos ON videos.id = c.video_id
             LEFT JOIN video_counters AS counted ON counted.video_id = videos.id
             WHERE videos.owner_id = $1 AND (
               c.likes <> (SELECT count(*) FROM comment_likes WHERE comment_id = c.id)
               OR c.replies <> (SELECT count(*) FROM comments AS r WHERE r.root_id = c.id AND r.state = 'visible')
               OR coalesce(counted.comments, 0) <> (SELECT count(*) FROM comments AS r WHERE r.video_id = videos.id AND r.state = 'visible'))`,
            [owner.uuid],
          );
          expect(wrong).toEqual([]);
        },
      ),
      { numRuns: 20 },
    );
  }, 240_000);

  it('are made true by the daily job, and not counted again by messages that come after it', async () => {
    const [owner, fan] = [await seedUser(), await seedUser()];
    const id = await film(owner);
    const root = await comment(owner, id, 'root');
    await comment(fan, id, 'answer', root);
    await act('PUT', fan, root, '/like');
    const waiting = takeMessages();
    expect(await reconcileCounters(context())).toMatchObject({ videos: 1, comments: 1 });
    expect(await readComment(root.id)).toMatchObject({ reply_count: 1, like_count: 1 });
    await deliver(waiting);
    expect(await readComment(root.id)).toMatchObject({ reply_count: 1, like_count: 1 });
    expect(await countOf(id)).toBe(2);
    await act('DELETE', fan, root, '/like');
    await act('DELETE', owner, root);
    await deliverEvents();
    expect(await countOf(id)).toBe(1);
    expect(await reconcileCounters(context())).toMatchObject({ videos: 0, comments: 0 });
  });
});
