import type pg from 'pg';
import { type Provisioned, withClient } from '../../local-cloud/postgres/index.ts';
import { parseSlotMap } from '../../src/db/slots.ts';
import type { People, User, Video } from './people.ts';

/** Which slots live on which of the two shards; what the Worker is configured with too. */
export const slotMap = '0-239=0,240-479=1';

const rowsPerInsert = 5_000;

/** Writes the world straight into the databases, and has Postgres gather statistics about it. */
export async function seedWorld(urls: Provisioned, people: People): Promise<void> {
  await withClient(urls.primary.owner, async (client) => {
    await seedUsers(client, people);
    await seedVideos(client, people);
    await seedPosts(client, people);
    await client.query('VACUUM ANALYZE');
  });
  const shardBySlot = parseSlotMap(slotMap, urls.shards.length);
  for (const [shard, { owner }] of urls.shards.entries())
    await withClient(owner, async (client) => {
      const entries = people.timelines
        .filter(({ slot }) => shardBySlot[slot] === shard)
        .flatMap(({ owner, slot, posts }) =>
          posts.map((post) => [idOf(people, owner), post.id, slot, idOf(people, post.author)]),
        );
      await insert(
        client,
        'timeline_entries (owner_id uuid, post_id uuid, slot smallint, author_id uuid)',
        entries,
      );
      await client.query('VACUUM ANALYZE');
    });
}

const idOf = ({ users }: People, index: number): string => existing(users[index]).id;

function existing<T>(item: T | undefined): T {
  if (item === undefined) throw new RangeError('the world names somebody or something it does not have');
  return item;
}

/** Inserts rows into `table (column type, ...)`. */
async function insert(
  client: pg.Client,
  target: string,
  rows: readonly (readonly unknown[])[],
): Promise<void> {
  const [, table = '', list = ''] = /^(\w+) \((.+)\)$/.exec(target) ?? [];
  const columns = list.split(', ').map((column) => column.split(' '));
  const names = columns.map(([name]) => name).join(', ');
  const arrays = columns.map(([, type], index) => `$${index + 1}::${type}[]`).join(', ');
  for (let start = 0; start < rows.length; start += rowsPerInsert) {
    const chunk = rows.slice(start, start + rowsPerInsert);
    await client.query(
      `INSERT INTO ${table} (${names}) SELECT * FROM unnest(${arrays})`,
      columns.map((_, index) => chunk.map((row) => row[index])),
    );
  }
}

async function seedUsers(client: pg.Client, people: People): Promise<void> {
  const { users, follows, blocks } = people;
  const followers = users.map(() => 0);
  for (const followed of follows)
    for (const index of followed) followers[index] = (followers[index] ?? 0) + 1;
  await insert(
    client,
    'users (id uuid, username text, email text, display_name text, avatar_key text)',
    users.map((user: User) => [
      user.id,
      user.username,
      `${user.username}@example.com`,
      user.displayName,
      user.avatarKey,
    ]),
  );
  await insert(
    client,
    'user_counters (user_id uuid, followers integer, following integer)',
    users.map(({ id }, index) => [id, followers[index], follows[index]?.size]),
  );
  // Long ago: follows of the last minutes are read straight from the author's posts.
  const since = new Date(Date.now() - 30 * 86_400_000).toISOString();
  await insert(
    client,
    'follows (follower_id uuid, followee_id uuid, created_at timestamptz)',
    follows.flatMap((followed, index) =>
      [...followed].map((followee) => [idOf(people, index), idOf(people, followee), since]),
    ),
  );
  await insert(
    client,
    'blocks (blocker_id uuid, blocked_id uuid)',
    blocks.map(([blocker, blocked]) => [idOf(people, blocker), idOf(people, blocked)]),
  );
}

const ladder = [
  ['240p', 426, 240, 400_000],
  ['360p', 640, 360, 800_000],
  ['480p', 854, 480, 1_400_000],
  ['720p', 1280, 720, 2_800_000],
  ['1080p', 1920, 1080, 5_000_000],
] as const;
const thumbnailsPerVideo = 5;

async function seedVideos(client: pg.Client, people: People): Promise<void> {
  const { videos } = people;
  const folder = ({ id }: Video): string => `videos/${id}/1`;
  await insert(
    client,
    'videos (id uuid, owner_id uuid, title text, description text, state text, progress_percent smallint, duration_ms bigint, width integer, height integer, frame_rate float8, video_codec text, audio_codec text, hls_key text, dash_key text, created_at timestamptz, published_at timestamptz)',
    videos.map((video, index) => [
      video.id,
      idOf(people, video.owner),
      video.title,
      `What happened by the river, part ${index}.\n`.repeat(8),
      'published',
      100,
      60_000 + index * 1_000,
      1920,
      1080,
      29.97,
      'avc',
      'aac',
      `${folder(video)}/main.m3u8`,
      `${folder(video)}/main.mpd`,
      video.createdAt,
      video.createdAt,
    ]),
  );
  await insert(
    client,
    'encode_jobs (id uuid, video_id uuid, revision integer, attempt integer, provider_job_id text, state text, percent smallint, plan jsonb)',
    videos.map(({ id }, index) => [id, id, 1, 1, `bench-${index}`, 'complete', 100, '{}']),
  );
  await insert(
    client,
    'renditions (video_id uuid, revision integer, name text, width integer, height integer, max_bitrate integer)',
    videos.flatMap(({ id }) => ladder.map((rung) => [id, 1, ...rung])),
  );
  await insert(
    client,
    'thumbnails (video_id uuid, revision integer, position smallint, object_key text)',
    videos.flatMap((video) =>
      Array.from({ length: thumbnailsPerVideo }, (_, position) => [
        video.id,
        1,
        position,
        `${folder(video)}/thumbnails/frame.000000${position}.jpg`,
      ]),
    ),
  );
}

async function seedPosts(client: pg.Client, people: People): Promise<void> {
  const { posts, videos, likes } = people;
  await insert(
    client,
    'posts (id uuid, author_id uuid, text text, facets jsonb, video_id uuid, created_at timestamptz)',
    posts.map((post) => [
      post.id,
      idOf(people, post.author),
      post.text,
      post.facets,
      post.video === undefined ? null : existing(videos[post.video]).id,
      post.createdAt,
    ]),
  );
  await insert(
    client,
    'post_counters (post_id uuid, likes integer)',
    posts.map(({ id, likes }) => [id, likes]),
  );
  await insert(
    client,
    'post_likes (post_id uuid, user_id uuid)',
    likes.map(([viewer, post]) => [existing(posts[post]).id, idOf(people, viewer)]),
  );
}
