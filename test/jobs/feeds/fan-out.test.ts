import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { slotOf } from '../../../src/db/slots.ts';
import { decodeId } from '../../../src/shared/ids.ts';
import { follow, post } from '../../api/posts/actions.ts';
import { call, seedUser, sqlRows, type TestUser } from '../../support/worker/client.ts';
import { deliver, deliverEvents, takeMessages } from '../../support/worker/queues.ts';
import { breakShard, entriesOf, shardIndexOf } from './timelines.ts';

Object.assign(env, { FEED_FAN_OUT_BATCH_SIZE: '3' });

const uuidOf = (postId: string) => decodeId('post', postId) ?? '';

async function authorWithFollowers(count: number): Promise<{ author: TestUser; followers: TestUser[] }> {
  const author = await seedUser();
  const followers = await Promise.all(Array.from({ length: count }, () => seedUser()));
  for (const follower of followers) await follow(follower, author);
  await deliverEvents();
  return { author, followers };
}

const fanOuts = (messages: readonly { body: { type: string } }[]) =>
  messages.filter(({ body }) => body.type === 'feed.fan_out').length;

describe('fanning a post out', () => {
  it('reaches every follower on every shard, page by page, and nobody else', async () => {
    const { author, followers } = await authorWithFollowers(10);
    const stranger = await seedUser();
    expect(new Set(followers.map(shardIndexOf)).size).toBe(2);
    const { id } = await post(author, 'news');
    const delivered = await deliverEvents();
    expect(fanOuts(delivered)).toBe(4);
    for (const follower of followers) expect(await entriesOf(follower)).toEqual([uuidOf(id)]);
    expect(await entriesOf(stranger)).toEqual([]);
    expect(await entriesOf(author)).toEqual([]);
    const rows = await sqlRows(
      'SELECT slot, author_id FROM timeline_entries WHERE owner_id = $1',
      [followers[0]?.uuid],
      shardIndexOf(followers[0] as TestUser),
    );
    expect(rows).toEqual([{ slot: slotOf(followers[0]?.uuid ?? ''), author_id: author.uuid }]);
  });

  it('asks for one page more when the last was exactly full, and no more', async () => {
    const { author, followers } = await authorWithFollowers(6);
    await post(author, 'news');
    expect(fanOuts(await deliverEvents())).toBe(3);
    for (const follower of followers) expect(await entriesOf(follower)).toHaveLength(1);
  });

  it('changes nothing more when messages come three times, and queues no page twice', async () => {
    const { author, followers } = await authorWithFollowers(8);
    await post(author, 'one');
    await post(author, 'two');
    const delivered = await deliverEvents({ times: 3, reverse: true });
    expect(fanOuts(delivered)).toBe(6);
    for (const follower of followers) expect(await entriesOf(follower)).toHaveLength(2);
  });

  it.each(['before', 'after'] as const)(
    'is finished by a redelivery when a shard fails %s it wrote its part',
    async (when) => {
      const { author, followers } = await authorWithFollowers(7);
      await post(author, 'news');
      await deliver(takeMessages());
      const [page] = takeMessages();
      if (page === undefined) throw new Error('no page was queued');
      await breakShard(1, { mode: 'down', when, count: 1 });
      await breakShard(0, { mode: 'down', when, count: 1 });
      let attempts = 0;
      while ((await deliver([page])).acked === 0) attempts += 1;
      expect(attempts).toBeGreaterThan(0);
      for (const index of [0, 1]) await breakShard(index, { mode: 'none' });
      await deliverEvents();
      for (const follower of followers) expect(await entriesOf(follower)).toHaveLength(1);
    },
  );

  it('does not happen for a post that was deleted first, or in the middle', async () => {
    const { author, followers } = await authorWithFollowers(4);
    const early = await post(author, 'early regret');
    await call('DELETE', `/v1/posts/${early.id}`, { token: author.token });
    expect(fanOuts(await deliverEvents())).toBe(0);
    const late = await post(author, 'late regret');
    await deliver(takeMessages());
    const pages = takeMessages();
    await call('DELETE', `/v1/posts/${late.id}`, { token: author.token });
    await deliver(pages);
    await deliverEvents();
    for (const follower of followers) expect(await entriesOf(follower)).toEqual([]);
  });
});
