import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { decodeId } from '../../../src/shared/ids.ts';
import { block, follow, post, unfollow } from '../../api/posts/actions.ts';
import { seedUser, type TestUser } from '../../support/worker/client.ts';
import { deliver, deliverEvents, takeMessages } from '../../support/worker/queues.ts';
import { entriesOf } from './timelines.ts';

Object.assign(env, { FEED_FOLLOW_BACKFILL_POSTS: '3' });

/** Two users, one of whom has posted five times. */
async function readerAndAuthor(): Promise<{ reader: TestUser; author: TestUser; newest: string[] }> {
  const [reader, author] = [await seedUser(), await seedUser()];
  const ids: string[] = [];
  for (let index = 0; index < 5; index += 1) {
    const { id } = await post(author, `post ${index}`);
    ids.unshift(decodeId('post', id) ?? '');
  }
  await deliverEvents();
  return { reader, author, newest: ids.slice(0, 3) };
}

describe('a timeline', () => {
  it('gets the newest posts of a newly followed author, once, however often the message comes', async () => {
    const { reader, author, newest } = await readerAndAuthor();
    await follow(reader, author);
    await deliverEvents({ times: 3 });
    expect(await entriesOf(reader)).toEqual(newest);
  });

  it('loses the posts of an author who is no longer followed, and only theirs', async () => {
    const { reader, author } = await readerAndAuthor();
    const other = await readerAndAuthor();
    await follow(reader, author);
    await follow(reader, other.author);
    await deliverEvents();
    await unfollow(reader, author);
    await deliverEvents({ times: 2 });
    expect(await entriesOf(reader)).toEqual(other.newest);
  });

  it('stays without an author who was unfollowed before the follow was heard of', async () => {
    const { reader, author } = await readerAndAuthor();
    await follow(reader, author);
    const followed = takeMessages();
    await unfollow(reader, author);
    await deliver(takeMessages());
    await deliver(followed);
    await deliverEvents();
    expect(await entriesOf(reader)).toEqual([]);
  });

  it('keeps an author who was unfollowed and followed again, in whatever order that is heard of', async () => {
    const { reader, author, newest } = await readerAndAuthor();
    await follow(reader, author);
    await deliverEvents();
    await unfollow(reader, author);
    await follow(reader, author);
    const messages = takeMessages();
    await deliver(messages.toReversed());
    await deliver(messages);
    await deliverEvents();
    expect(await entriesOf(reader)).toEqual(newest);
  });

  it('of either side is cleared of the other by a block', async () => {
    const { reader: bob, author: ada } = await readerAndAuthor();
    await post(bob, 'by bob');
    await follow(bob, ada);
    await follow(ada, bob);
    await deliverEvents();
    expect(await entriesOf(ada)).toHaveLength(1);
    expect(await entriesOf(bob)).toHaveLength(3);
    await block(ada, bob);
    await deliverEvents({ times: 2, reverse: true });
    expect(await entriesOf(ada)).toEqual([]);
    expect(await entriesOf(bob)).toEqual([]);
  });
});
