import { env } from 'cloudflare:workers';
import { afterEach, expect, it, vi } from 'vitest';
import { slotOf } from '../../../src/db/slots.ts';
import { encodeId, uuidv7 } from '../../../src/shared/ids.ts';
import { seedUser, sqlRows, type TestUser } from '../../support/worker/client.ts';
import { deliverEvents } from '../../support/worker/queues.ts';
import { follow, homeTexts, post, readAll, unfollow } from '../posts/actions.ts';

Object.assign(env, { FEED_PULL_THRESHOLD: '3' });

afterEach(() => {
  vi.useRealTimers();
});

let movedMinutes = 11;

/** Delivers everything and moves past the time in which new follows are read straight from the author. */
const settle = async () => {
  await deliverEvents();
  vi.useRealTimers();
  vi.setSystemTime(Date.now() + movedMinutes++ * 60_000);
};

const entriesOf = async (owner: TestUser): Promise<number> => {
  const rows = await sqlRows(
    'SELECT 1 FROM timeline_entries WHERE owner_id = $1',
    [owner.uuid],
    slotOf(owner.uuid) < 240 ? 0 : 1,
  );
  return rows.length;
};

it('an author who grows large is pulled from then on, and shrinking again loses nothing', async () => {
  const star = await seedUser();
  const fans = await Promise.all(Array.from({ length: 4 }, () => seedUser()));
  const [first, second, third, fourth] = fans as [TestUser, TestUser, TestUser, TestUser];
  await follow(first, star);
  await follow(second, star);
  await deliverEvents();
  await post(star, 'small 1');
  await deliverEvents();
  expect(await entriesOf(first)).toBe(1);

  await follow(third, star);
  await deliverEvents();
  await post(star, 'large 1');
  await post(star, 'large 2');
  await settle();
  expect(await entriesOf(first)).toBe(1);
  for (const fan of [first, second, third])
    expect(await homeTexts(fan)).toEqual(['large 2', 'large 1', 'small 1']);

  // A new follower of a large author sees everything, too.
  await follow(fourth, star);
  await settle();
  expect(await homeTexts(fourth)).toEqual(['large 2', 'large 1', 'small 1']);

  await unfollow(third, star);
  await unfollow(fourth, star);
  await settle();
  await post(star, 'small again');
  await settle();
  expect(await entriesOf(first)).toBe(2);
  for (const fan of [first, second])
    expect(await homeTexts(fan)).toEqual(['small again', 'large 2', 'large 1', 'small 1']);
  expect(await homeTexts(third)).toEqual([]);
});

it('posts of large and ordinary authors merge into one order across pages', async () => {
  const [star, friend, viewer] = (await Promise.all(Array.from({ length: 3 }, () => seedUser()))) as [
    TestUser,
    TestUser,
    TestUser,
  ];
  await follow(viewer, star);
  await follow(viewer, friend);
  await deliverEvents();
  await sqlRows('UPDATE user_counters SET followers = 1000000 WHERE user_id = $1', [star.uuid]);
  const texts: string[] = [];
  for (let index = 0; index < 24; index += 1)
    texts.unshift((await post(index % 3 === 0 ? star : index % 3 === 1 ? friend : viewer, `${index}`)).text);
  await settle();
  expect(await entriesOf(viewer)).toBe(8);
  for (const limit of [1, 2, 5, 7, 23, 24, 25])
    expect([limit, (await readAll('/v1/feeds/home', viewer, limit)).map(({ text }) => text)]).toEqual([
      limit,
      texts,
    ]);
});

it('a timeline full of entries that are not shown hides nothing that lies between and below them', async () => {
  const [star, friend, former, viewer] = (await Promise.all(Array.from({ length: 4 }, () => seedUser()))) as [
    TestUser,
    TestUser,
    TestUser,
    TestUser,
  ];
  await follow(viewer, star);
  await follow(viewer, friend);
  await deliverEvents();
  await sqlRows('UPDATE user_counters SET followers = 1000000 WHERE user_id = $1', [star.uuid]);
  const startMs = Date.now();
  const posts = Array.from({ length: 260 }, (_, index) => ({
    id: uuidv7(startMs + index, crypto.getRandomValues(new Uint8Array(10))),
    author: index % 10 === 0 ? star : index % 10 === 5 ? friend : former,
  })).reverse();
  for (const author of [star, friend, former])
    await sqlRows(
      `INSERT INTO posts (id, author_id, text) SELECT id, $1, 'x' FROM unnest($2::uuid[]) AS id`,
      [author.uuid, posts.filter((item) => item.author === author).map(({ id }) => id)],
    );
  for (const author of [friend, former])
    await sqlRows(
      `INSERT INTO timeline_entries (owner_id, post_id, slot, author_id)
       SELECT $1, id, $2, $3 FROM unnest($4::uuid[]) AS id`,
      [
        viewer.uuid,
        slotOf(viewer.uuid),
        author.uuid,
        posts.filter((item) => item.author === author).map(({ id }) => id),
      ],
      slotOf(viewer.uuid) < 240 ? 0 : 1,
    );
  await settle();
  const shown = posts.filter(({ author }) => author !== former).map(({ id }) => encodeId('post', id));
  for (const limit of [3, 10, 20, 100])
    expect([limit, (await readAll('/v1/feeds/home', viewer, limit)).map(({ id }) => id)]).toEqual([
      limit,
      shown,
    ]);
});
