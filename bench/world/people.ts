import { createHash } from 'node:crypto';
import { slotOf } from '../../src/db/slots.ts';

/** How large the measured world is. */
export const size = {
  users: 2_000,
  /** Users with a session that calls the API, the first ones. */
  viewers: 500,
  posts: 20_000,
  /** Each by one of the first users, attached to every tenth post. */
  videos: 200,
  followsPerUser: 60,
  /** Users everybody follows, the last ones: their posts are pulled at read, not pushed. */
  largeAuthors: 3,
  timelineEntries: 200,
  likesPerViewer: 20,
  blocks: 300,
} as const;

/** Above this an author is large. The default of the Worker is for networks of more than 2,000 people. */
export const pullThreshold = 1_000;

const dayMs = 86_400_000;
/** Posts are spread over this many days before the start. */
const historyDays = 60;

/** The same UUIDv7 for the same name and time, every time. */
function namedId(name: string, atMs: number): string {
  const bytes = createHash('sha256').update(name).digest().subarray(0, 16);
  bytes.writeUIntBE(atMs, 0, 6);
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** A whole number in [0, below) that looks random and is the same for the same name. */
const pick = (name: string, below: number): number =>
  createHash('sha256').update(name).digest().readUInt32BE(0) % below;

export interface User {
  readonly id: string;
  readonly username: string;
  readonly displayName: string;
  readonly avatarKey: string | null;
}

export interface Post {
  readonly id: string;
  readonly author: number;
  readonly text: string;
  readonly facets: string;
  readonly video: number | undefined;
  readonly createdAt: string;
  readonly likes: number;
}

export interface Video {
  readonly id: string;
  readonly owner: number;
  readonly title: string;
  readonly createdAt: string;
}

export interface People {
  readonly users: readonly User[];
  readonly videos: readonly Video[];
  /** Oldest first. */
  readonly posts: readonly Post[];
  /** Indexes of whom each user follows. */
  readonly follows: readonly ReadonlySet<number>[];
  readonly blocks: readonly (readonly [blocker: number, blocked: number])[];
  /** Pairs of a viewer and a post. */
  readonly likes: readonly (readonly [viewer: number, post: number])[];
  /** What each viewer's timeline holds: the newest posts of followed authors who are not large. */
  readonly timelines: readonly {
    readonly owner: number;
    readonly slot: number;
    readonly posts: readonly Post[];
  }[];
}

const words =
  'river lantern quiet morning über the old bridge again and nobody knows why 静かな朝 slow trains carry strong coffee past small workshops where somebody is still learning to listen'.split(
    ' ',
  );

const isLarge = (user: number): boolean => user >= size.users - size.largeAuthors;

/** The measured world, the same every time but for the moment it ends at. */
export function imaginePeople(nowMs: number): People {
  const startMs = nowMs - historyDays * dayMs;
  const users = Array.from({ length: size.users }, (_, index): User => {
    const username = `person_${index}`;
    const avatarKey = index % 3 === 0 ? `avatars/${username}/1.jpg` : null;
    return {
      id: namedId(`user:${index}`, startMs - (size.users - index) * 60_000),
      username,
      displayName: `Person ${index} Ñandú`,
      avatarKey,
    };
  });
  const videos = Array.from({ length: size.videos }, (_, index): Video => {
    const atMs = startMs + index * 1_000;
    return {
      id: namedId(`video:${index}`, atMs),
      owner: index,
      title: `Film ${index}: ${sentence(`title:${index}`, 6)}`,
      createdAt: new Date(atMs).toISOString(),
    };
  });
  const posts = Array.from({ length: size.posts }, (_, index): Post => {
    // Ends an hour ago, so that nothing counts as written just now.
    const atMs = startMs + Math.floor(((historyDays * dayMs - 3_600_000) * index) / size.posts);
    const withVideo = index % 10 === 0;
    const video = withVideo ? pick(`attached:${index}`, size.videos) : undefined;
    const prose = sentence(`post:${index}`, 12 + pick(`length:${index}`, 18));
    const tagAt = Buffer.byteLength(prose) + 1;
    const tagged = index % 4 === 0;
    return {
      id: namedId(`post:${index}`, atMs),
      author: video ?? pick(`author:${index}`, size.users),
      text: tagged ? `${prose} #rivers` : prose,
      facets: tagged
        ? JSON.stringify([{ type: 'hashtag', tag: 'rivers', byteStart: tagAt, byteEnd: tagAt + 7 }])
        : '[]',
      video,
      createdAt: new Date(atMs).toISOString(),
      likes: pick(`likes:${index}`, 500),
    };
  });
  const follows = users.map((_, index) => followedBy(index));
  return {
    users,
    videos,
    posts,
    follows,
    blocks: distinctPairs('block', size.blocks, size.users, size.users),
    likes: distinctPairs('like', size.viewers * size.likesPerViewer, size.viewers, size.posts),
    timelines: users.slice(0, size.viewers).map(({ id }, owner) => ({
      owner,
      slot: slotOf(id),
      posts: timelineOf(posts, follows[owner] ?? new Set()),
    })),
  };
}

const sentence = (name: string, length: number): string =>
  Array.from({ length }, (_, index) => words[pick(`${name}:${index}`, words.length)]).join(' ');

function followedBy(user: number): Set<number> {
  const followed = new Set<number>();
  for (let large = size.users - size.largeAuthors; large < size.users; large += 1)
    if (large !== user) followed.add(large);
  for (let attempt = 0; followed.size < size.followsPerUser; attempt += 1) {
    const candidate = pick(`follow:${user}:${attempt}`, size.users);
    if (candidate !== user) followed.add(candidate);
  }
  return followed;
}

function timelineOf(posts: readonly Post[], followed: ReadonlySet<number>): Post[] {
  const entries: Post[] = [];
  for (let index = posts.length - 1; index >= 0 && entries.length < size.timelineEntries; index -= 1) {
    const post = posts[index];
    if (post !== undefined && followed.has(post.author) && !isLarge(post.author)) entries.push(post);
  }
  return entries;
}

function distinctPairs(name: string, count: number, left: number, right: number): [number, number][] {
  const pairs = new Map<string, [number, number]>();
  for (let attempt = 0; pairs.size < count; attempt += 1) {
    const pair: [number, number] = [pick(`${name}:a:${attempt}`, left), pick(`${name}:b:${attempt}`, right)];
    if (pair[0] !== pair[1]) pairs.set(pair.join(), pair);
  }
  return [...pairs.values()];
}
