import { rmSync } from 'node:fs';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AwsClient } from 'aws4fetch';
import pg from 'pg';
import { locateFfmpeg } from '../local-cloud/ffmpeg/index.ts';
import { loadEnvironment } from './lib/environment.ts';
import { runScript } from './lib/run-script.ts';
import { clipSeconds, clips, follows, namedId, people, posts } from './seed-world.ts';

// The Worker's own rules, imported by address: its sources are type-checked against workerd's types, scripts against Node's.
const source = (path: string): string => new URL(`../src/modules/${path}`, import.meta.url).href;
const { hashPassword } = (await import(source('auth/usecases/hash-password.ts'))) as {
  hashPassword(
    config: {
      passwordPepper: string;
      passwordPepperVersion: number;
      oldPasswordPeppers: ReadonlyMap<number, string>;
      maxConcurrentHashes: number;
    },
    password: string,
  ): Promise<string>;
};
const { extractFacets } = (await import(source('posts/posts.policy.ts'))) as {
  extractFacets(
    text: string,
  ): readonly ({ type: 'mention'; username: string } | { type: 'hashtag' | 'link' })[];
};

/** Everyone in the demo world has this password. It exists only where `ENVIRONMENT` is `development`. */
const demoPassword = 'believable-small-world';

export interface SeededWorld {
  readonly people: number;
  readonly posts: number;
  readonly videos: number;
  readonly password: string;
}

type Settings = Readonly<Record<string, string | undefined>>;

/**
 * Writes the demo world, once; running it again changes nothing. Only rows and original clips are written: timelines,
 * counters and renditions come from the events beside them, through the same queues as everything else.
 * @throws Error outside development.
 */
export async function seed(settings: Settings): Promise<SeededWorld> {
  if (settings.ENVIRONMENT !== 'development')
    throw new Error('db:seed writes demo accounts and only runs with ENVIRONMENT=development');
  const client = new pg.Client({ connectionString: required(settings, 'DATABASE_OWNER_URL') });
  // A server that goes away is told by the query that fails.
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT FROM users WHERE id = $1', [people[0]?.id]);
    if (rowCount === 0) {
      const clipBytes = await uploadClips(settings);
      await client.query('BEGIN');
      await insertWorld(client, settings, clipBytes);
      await client.query('COMMIT');
    }
  } finally {
    await client.end();
  }
  return { people: people.length, posts: posts.length, videos: clips.length, password: demoPassword };
}

const required = (settings: Settings, name: string): string => {
  const value = settings[name];
  if (value === undefined || value === '')
    throw new Error(`${name} is not set; run npm start, which writes it`);
  return value;
};

const sourceKeyOf = (clipId: string): string => `uploads/${clipId}/original.mp4`;

async function insertWorld(
  client: pg.Client,
  settings: Settings,
  clipBytes: ReadonlyMap<string, number>,
): Promise<void> {
  const passwordHash = await hashPassword(
    {
      passwordPepper: required(settings, 'PASSWORD_PEPPER'),
      passwordPepperVersion: Number(settings.PASSWORD_PEPPER_VERSION ?? 1),
      oldPasswordPeppers: new Map(),
      maxConcurrentHashes: 1,
    },
    demoPassword,
  );
  for (const { id, username, displayName, bio } of people) {
    await client.query(
      'INSERT INTO users (id, username, email, email_verified_at, password_hash, display_name, bio) VALUES ($1, $2, $3, now(), $4, $5, $6)',
      [id, username, `${username}@example.com`, passwordHash, displayName, bio],
    );
    await client.query('INSERT INTO user_counters (user_id) VALUES ($1)', [id]);
  }
  for (const clip of clips) {
    await client.query(
      `INSERT INTO videos (id, owner_id, title, description, state, source_key, source_bytes) VALUES ($1, $2, $3, $4, 'probing', $5, $6)`,
      [
        clip.id,
        people[clip.owner]?.id,
        clip.title,
        clip.description,
        sourceKeyOf(clip.id),
        clipBytes.get(clip.id),
      ],
    );
    await emit(client, `uploaded:${clip.id}`, 'video.released', { video_id: clip.id, revision: 1 });
  }
  for (const [follower, followee] of follows) {
    const ids = [people[follower]?.id, people[followee]?.id] as const;
    // Long-standing follows: the timelines are filled by the posts' own fan-out.
    await client.query(
      `INSERT INTO follows (follower_id, followee_id, created_at) VALUES ($1, $2, now() - interval '30 days')`,
      [...ids],
    );
    await emit(client, `follow:${ids.join(':')}`, 'user.followed', {
      follower_id: ids[0],
      followee_id: ids[1],
    });
  }
  for (const post of posts) {
    const authorId = people[post.author]?.id;
    const clip = post.clip === undefined ? undefined : clips[post.clip];
    await client.query(
      'INSERT INTO posts (id, author_id, text, facets, video_id, created_at) VALUES ($1, $2, $3, $4, $5, $6)',
      [post.id, authorId, post.text, JSON.stringify(facetsOf(post.text)), clip?.id ?? null, post.createdAt],
    );
    await client.query('INSERT INTO post_counters (post_id) VALUES ($1)', [post.id]);
    await emit(client, `post:${post.id}`, 'post.created', { post_id: post.id, author_id: authorId });
  }
}

// As a post made through the API stores them: mentions hold the id of the person they name.
const facetsOf = (text: string): object[] =>
  extractFacets(text).flatMap((facet): object[] => {
    if (facet.type !== 'mention') return [facet];
    const { username, ...rest } = facet;
    const mentioned = people.find((person) => person.username === username);
    return mentioned === undefined ? [] : [{ ...rest, userId: mentioned.id }];
  });

const emit = (client: pg.Client, name: string, type: string, payload: object) =>
  client.query('INSERT INTO outbox (id, type, payload) VALUES ($1, $2, $3)', [
    namedId(`event:${name}`),
    type,
    JSON.stringify(payload),
  ]);

/** Makes the clips and puts them into the bucket of originals. @returns their sizes by id. */
async function uploadClips(settings: Settings): Promise<Map<string, number>> {
  const aws = new AwsClient({
    accessKeyId: required(settings, 'AWS_ACCESS_KEY_ID'),
    secretAccessKey: required(settings, 'AWS_SECRET_ACCESS_KEY'),
    service: 's3',
    region: required(settings, 'AWS_REGION'),
    retries: 0,
  });
  const base = `${required(settings, 'S3_ENDPOINT')}/${required(settings, 'UPLOADS_BUCKET')}`;
  const ffmpeg = await locateFfmpeg();
  const sizes = new Map<string, number>();
  const folder = await mkdtemp(join(tmpdir(), 'social-flow-seed-'));
  const removeFolder = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', removeFolder);
  try {
    for (const clip of clips) {
      await ffmpeg.run(
        [
          '-f',
          'lavfi',
          '-i',
          clip.picture,
          '-f',
          'lavfi',
          '-i',
          clip.sound,
          '-t',
          String(clipSeconds),
          '-c:v',
          'libx264',
          '-preset',
          'ultrafast',
          '-crf',
          '30',
          '-pix_fmt',
          'yuv420p',
          '-c:a',
          'aac',
          '-movflags',
          '+faststart',
          '-y',
          'clip.mp4',
        ],
        { cwd: folder },
      );
      const body = await readFile(join(folder, 'clip.mp4'));
      sizes.set(clip.id, body.length);
      const response = await aws.fetch(`${base}/${sourceKeyOf(clip.id)}`, {
        method: 'PUT',
        headers: { 'content-type': 'video/mp4' },
        body,
      });
      if (!response.ok)
        throw new Error(
          `could not upload the demo clip "${clip.title}": ${response.status} ${await response.text()}`,
        );
    }
    return sizes;
  } finally {
    process.off('exit', removeFolder);
    removeFolder();
  }
}

if (import.meta.main)
  await runScript(async () => {
    const world = await seed(loadEnvironment());
    console.log(
      `${world.people} people, ${world.posts} posts, ${world.videos} videos; everyone's password: ${world.password}`,
    );
  });
