import { afterEach, describe, expect, it, vi } from 'vitest';
import { slotOf } from '../../../src/db/slots.ts';
import { encodeId, uuidv7 } from '../../../src/shared/ids.ts';
import { call, roundTripsOf, seedUser, sqlRows, type TestUser } from '../../support/worker/client.ts';
import { deliverEvents, takeMessages } from '../../support/worker/queues.ts';
import {
  block,
  follow,
  homeFeed,
  homeTexts,
  like,
  post,
  readAll,
  refusal,
  seedVideo,
  unblock,
  unfollow,
} from '../posts/actions.ts';

/** Moves past the time in which new follows are read straight from the author, so that only timelines count. */
const settle = async () => {
  await deliverEvents();
  vi.setSystemTime(Date.now() + 11 * 60_000);
};

afterEach(() => {
  vi.useRealTimers();
});

const people = async (count: number): Promise<TestUser[]> =>
  Promise.all(Array.from({ length: count }, () => seedUser()));

describe('the home feed', () => {
  it('is the posts of the followed and one’s own, newest first, complete with author, video and likes', async () => {
    const [viewer, ada, bob, stranger] = (await people(4)) as [TestUser, TestUser, TestUser, TestUser];
    await follow(viewer, ada);
    await follow(viewer, bob);
    await post(ada, 'ada 1');
    await post(stranger, 'noise');
    const video = await seedVideo(bob, { title: 'Bob’s film' });
    const film = await post(bob, 'bob 1', { video_id: encodeId('video', video) });
    await post(viewer, 'mine');
    await post(ada, 'ada 2');
    await like(viewer, film.id);
    await settle();
    const { data, next_cursor } = await homeFeed(viewer);
    expect(data.map(({ text }) => text)).toEqual(['ada 2', 'mine', 'bob 1', 'ada 1']);
    expect(next_cursor).toBeNull();
    expect(data[2]).toMatchObject({
      id: film.id,
      author: { id: bob.id, username: bob.username },
      video: { title: 'Bob’s film' },
      liked: true,
      like_count: 1,
    });
    expect(await homeTexts(stranger)).toEqual(['noise']);
  });

  it('takes two round trips a page: the timeline, then the posts', async () => {
    const [viewer, ada] = (await people(2)) as [TestUser, TestUser];
    await follow(viewer, ada);
    for (let index = 0; index < 5; index += 1) await post(ada, `post ${index}`);
    await settle();
    const first = await call('GET', '/v1/feeds/home?limit=2', { token: viewer.token });
    expect((await roundTripsOf(first)).roundTrips).toBe(2);
    const { next_cursor } = (await first.json()) as { next_cursor: string };
    const second = await call('GET', `/v1/feeds/home?limit=2&cursor=${next_cursor}`, { token: viewer.token });
    expect((await roundTripsOf(second)).roundTrips).toBe(2);
    expect((await readAll('/v1/feeds/home', viewer, 2)).map(({ text }) => text)).toEqual([
      'post 4',
      'post 3',
      'post 2',
      'post 1',
      'post 0',
    ]);
  });

  it('shows a newly followed author at once, before any message has arrived', async () => {
    const [viewer, ada] = (await people(2)) as [TestUser, TestUser];
    await post(ada, 'before');
    await follow(viewer, ada);
    await post(ada, 'after');
    expect(await homeTexts(viewer)).toEqual(['after', 'before']);
    await settle();
    expect(await homeTexts(viewer)).toEqual(['after', 'before']);
  });

  it('drops an unfollowed author at once, and has them back when followed again', async () => {
    const [viewer, ada, bob] = (await people(3)) as [TestUser, TestUser, TestUser];
    await follow(viewer, ada);
    await follow(viewer, bob);
    await post(ada, 'ada');
    await post(bob, 'bob');
    await settle();
    await unfollow(viewer, ada);
    expect(await homeTexts(viewer)).toEqual(['bob']);
    await deliverEvents();
    expect(await homeTexts(viewer)).toEqual(['bob']);
    await follow(viewer, ada);
    await settle();
    expect(await homeTexts(viewer)).toEqual(['bob', 'ada']);
  });

  it('loses a deleted post at once, in every feed', async () => {
    const [viewer, other, ada] = (await people(3)) as [TestUser, TestUser, TestUser];
    await follow(viewer, ada);
    await follow(other, ada);
    const { id } = await post(ada, 'regret');
    await post(ada, 'kept');
    await settle();
    await call('DELETE', `/v1/posts/${id}`, { token: ada.token });
    takeMessages();
    for (const reader of [viewer, other, ada]) expect(await homeTexts(reader)).toEqual(['kept']);
  });

  it('respects a block at once, whichever of the two set it', async () => {
    const [ada, bob, carol] = (await people(3)) as [TestUser, TestUser, TestUser];
    for (const [follower, followee] of [
      [ada, bob],
      [bob, ada],
      [ada, carol],
      [bob, carol],
    ] as const)
      await follow(follower, followee);
    await post(ada, 'by ada');
    await post(bob, 'by bob');
    await post(carol, 'by carol');
    await settle();
    await block(ada, bob);
    expect(await homeTexts(ada)).toEqual(['by carol', 'by ada']);
    expect(await homeTexts(bob)).toEqual(['by carol', 'by bob']);
    await deliverEvents({ times: 2 });
    await unblock(ada, bob);
    // The follows ended with the block.
    expect(await homeTexts(ada)).toEqual(['by carol', 'by ada']);
    expect(await homeTexts(bob)).toEqual(['by carol', 'by bob']);
  });

  it('respects a block even where a follow is left over', async () => {
    const [ada, bob] = (await people(2)) as [TestUser, TestUser];
    await follow(ada, bob);
    await post(bob, 'by bob');
    await settle();
    for (const [blocker, blocked] of [
      [ada, bob],
      [bob, ada],
    ] as const) {
      await sqlRows('INSERT INTO blocks (blocker_id, blocked_id) VALUES ($1, $2)', [
        blocker.uuid,
        blocked.uuid,
      ]);
      expect(await homeTexts(ada)).toEqual([]);
      await sqlRows('DELETE FROM blocks WHERE blocker_id = $1', [blocker.uuid]);
      expect(await homeTexts(ada)).toEqual(['by bob']);
    }
  });

  it('leaves out accounts that are gone, and posts whose only content is a video that is not to be seen', async () => {
    const [viewer, ada, bob] = (await people(3)) as [TestUser, TestUser, TestUser];
    await follow(viewer, ada);
    await follow(viewer, bob);
    await post(bob, 'by bob');
    const video = await seedVideo(ada);
    await post(ada, '', { video_id: encodeId('video', video) });
    await post(ada, 'with words', { video_id: encodeId('video', video) });
    await settle();
    expect((await homeFeed(viewer)).data).toHaveLength(3);
    await sqlRows(`UPDATE videos SET visibility = 'private' WHERE id = $1`, [video]);
    await sqlRows(`UPDATE users SET status = 'suspended' WHERE id = $1`, [bob.uuid]);
    const { data } = await homeFeed(viewer);
    expect(data.map(({ text, video: shown }) => [text, shown])).toEqual([['with words', null]]);
  });

  it('fills its pages when the timeline is full of what may not be shown any more', async () => {
    const [viewer, loud, quiet] = (await people(3)) as [TestUser, TestUser, TestUser];
    await follow(viewer, loud);
    await follow(viewer, quiet);
    const quietTexts: string[] = [];
    for (let index = 0; index < 150; index += 1) {
      if (index % 30 === 0) quietTexts.unshift((await post(quiet, `quiet ${index}`)).text);
      await sqlRows(
        `INSERT INTO posts (id, author_id, text) VALUES ($1, $2, $3)`,
        // Between the quiet ones in time: same clock, made here.
        [nextId(), loud.uuid, `loud ${index}`],
      );
    }
    await settle();
    const loudIds = await sqlRows<{ id: string }>('SELECT id FROM posts WHERE author_id = $1', [loud.uuid]);
    await fillTimeline(
      viewer,
      loud,
      loudIds.map(({ id }) => id),
    );
    expect((await readAll('/v1/feeds/home', viewer, 50)).length).toBe(155);
    // Nothing is delivered: the entries of the unfollowed author are all still there.
    await unfollow(viewer, loud);
    takeMessages();
    for (const limit of [1, 2, 5, 100])
      expect((await readAll('/v1/feeds/home', viewer, limit)).map(({ text }) => text)).toEqual(quietTexts);
    expect((await homeFeed(viewer, '?limit=3')).data.map(({ text }) => text)).toEqual(quietTexts.slice(0, 3));
    expect((await homeFeed(viewer, '?limit=5')).next_cursor).toBeNull();
  });

  it('reaches past deleted and hidden posts of an author who is read directly', async () => {
    const [viewer, ada] = (await people(2)) as [TestUser, TestUser];
    const video = await seedVideo(ada);
    await post(ada, 'old');
    for (let index = 0; index < 3; index += 1) {
      await post(ada, '', { video_id: encodeId('video', video) });
      const { id } = await post(ada, 'regret');
      await call('DELETE', `/v1/posts/${id}`, { token: ada.token });
    }
    await sqlRows(`UPDATE videos SET visibility = 'private' WHERE id = $1`, [video]);
    await follow(viewer, ada);
    expect((await homeFeed(viewer, '?limit=1')).data.map(({ text }) => text)).toEqual(['old']);
  });

  it('gives out as much as it found and a cursor when even that is not enough, and ends in the end', async () => {
    const [viewer, loud] = (await people(2)) as [TestUser, TestUser];
    const first = await post(viewer, 'my first');
    const ids: string[] = [];
    for (let index = 0; index < 700; index += 1) ids.push(nextId());
    await fillTimeline(viewer, loud, ids);
    const page = await homeFeed(viewer, '?limit=1');
    expect(page).toMatchObject({ data: [], next_cursor: expect.any(String) });
    const rest = await homeFeed(viewer, `?limit=1&cursor=${page.next_cursor}`);
    expect(rest.data.map(({ id }) => id)).toEqual([first.id]);
    expect(rest.next_cursor).toBeNull();
  });

  it('is empty for someone new', async () => {
    expect(await homeFeed(await seedUser())).toEqual({ data: [], next_cursor: null });
  });

  it('is for signed-in people, each with their own cursors', async () => {
    const [ada, bob] = (await people(2)) as [TestUser, TestUser];
    for (const text of ['1', '2']) {
      await post(ada, text);
      await post(bob, text);
    }
    expect((await refusal('GET', '/v1/feeds/home')).status).toBe(401);
    const { next_cursor: cursor } = await homeFeed(ada, '?limit=1');
    expect((await homeFeed(ada, `?limit=1&cursor=${cursor}`)).data).toHaveLength(1);
    expect(await refusal('GET', `/v1/feeds/home?cursor=${cursor}`, { token: bob.token })).toMatchObject({
      status: 400,
      code: 'request.invalid_cursor',
    });
    const profile = await call('GET', `/v1/users/${ada.id}/posts?limit=1`);
    const { next_cursor: foreign } = (await profile.json()) as { next_cursor: string };
    for (const wrong of [foreign, 'x', `${cursor}x`])
      expect(await refusal('GET', `/v1/feeds/home?cursor=${wrong}`, { token: ada.token })).toMatchObject({
        status: 400,
        code: 'request.invalid_cursor',
      });
    for (const query of ['limit=0', 'limit=1e2', 'limit=101', 'since=1'])
      expect((await refusal('GET', `/v1/feeds/home?${query}`, { token: ada.token })).code).toBe(
        'request.invalid_parameters',
      );
  });
});

let lastMs = 0;

function nextId(): string {
  lastMs = Math.max(lastMs + 1, Date.now());
  return uuidv7(lastMs, crypto.getRandomValues(new Uint8Array(10)));
}

async function fillTimeline(owner: TestUser, author: TestUser, postIds: readonly string[]): Promise<void> {
  const slot = slotOf(owner.uuid);
  await sqlRows(
    `INSERT INTO timeline_entries (owner_id, post_id, slot, author_id)
     SELECT $1, post_id, $2, $3 FROM unnest($4::uuid[]) AS post_id ON CONFLICT DO NOTHING`,
    [owner.uuid, slot, author.uuid, postIds],
    slot < 240 ? 0 : 1,
  );
}
