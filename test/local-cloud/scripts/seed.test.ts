import { rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Stack, startStack } from '../../../local-cloud/supervisor/stack.ts';
import { seed } from '../../../scripts/seed.ts';
import { makeTemporaryDir } from '../../support/node/temporary.ts';

const root = resolve(import.meta.dirname, '../../..');
let stateDir: string;
let stack: Stack;
let client: pg.Client;

beforeAll(async () => {
  stateDir = await makeTemporaryDir();
  stack = await startStack({
    root,
    stateDir,
    fresh: false,
    workerUrl: 'http://127.0.0.1:1',
    chaos: { duplicate: 0, reorder: 0, drop: 0 },
  });
  client = new pg.Client({ connectionString: stack.ownerSettings.DATABASE_OWNER_URL });
  await client.connect();
});

afterAll(async () => {
  await client.end();
  await stack.stop();
  await rm(stateDir, { recursive: true, force: true });
});

const settings = () => ({ ...stack.workerSettings, ...stack.ownerSettings });

/** Who and what there is, without what differs by its nature: salts, and the moment it was made. */
async function world(): Promise<unknown> {
  const tables = {
    users: 'SELECT id, username, display_name, bio FROM users ORDER BY id',
    follows: 'SELECT follower_id, followee_id FROM follows ORDER BY 1, 2',
    posts: 'SELECT id, author_id, text, video_id FROM posts ORDER BY id',
    videos: 'SELECT id, owner_id, title, state FROM videos ORDER BY id',
    waiting: 'SELECT type, payload FROM outbox ORDER BY type, payload::text',
  };
  const rows = Object.entries(tables).map(async ([name, query]) => [name, (await client.query(query)).rows]);
  return Object.fromEntries(await Promise.all(rows));
}

describe('the demo world', () => {
  it('is the same on every machine, and seeding it again adds nothing', async () => {
    const counts = await seed(settings());
    const first = (await world()) as Record<string, unknown[]>;
    expect(first.users).toHaveLength(counts.people);
    expect(first.posts).toHaveLength(counts.posts);
    expect(first.videos).toHaveLength(counts.videos);
    expect(first.follows?.length).toBeGreaterThan(counts.people);
    await seed(settings());
    expect(await world()).toEqual(first);

    await client.query('TRUNCATE users, outbox CASCADE');
    await seed(settings());
    expect(await world()).toEqual(first);
  });

  it('is refused anywhere but in development', async () => {
    await expect(seed({ ...settings(), ENVIRONMENT: 'production' })).rejects.toThrow(
      /ENVIRONMENT=development/,
    );
  });
});
