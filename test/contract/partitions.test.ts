import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type PostgresHandle, provision, startPostgres } from '../../local-cloud/postgres/index.ts';
import { migrateUp } from '../../scripts/lib/migrations.ts';

const root = join(import.meta.dirname, '..', '..');
let stateDir: string;
let postgres: PostgresHandle;
let owner: pg.Client;
let app: pg.Client;

beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'social-flow-partitions-'));
  postgres = await startPostgres({ dataDir: stateDir, port: 0, durable: false });
  const { primary } = await provision(postgres, {
    passwords: { owner: 'owner', app: 'app', replica: 'replica' },
  });
  await migrateUp({ connectionString: primary.owner, directory: join(root, 'migrations') });
  owner = new pg.Client({ connectionString: primary.owner });
  app = new pg.Client({ connectionString: primary.app });
  await owner.connect();
  await app.connect();
});

afterAll(async () => {
  await owner.end();
  await app.end();
  await postgres.stop({ removeData: true });
  await rm(stateDir, { recursive: true, force: true });
});

const now = new Date();
/** The first day of the month this many months from now, in UTC. */
const month = (offset: number): Date => new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + offset));
const day = (date: Date): string => date.toISOString().slice(0, 10);
const suffix = (date: Date): string => day(date).slice(0, 7).replace('-', '_');

const partitionsOf = async (parent: string): Promise<string[]> => {
  const { rows } = await owner.query<{ name: string }>(
    'SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = $1::regclass ORDER BY 1',
    [parent],
  );
  return rows.map(({ name }) => name);
};

const maintain = async () => {
  await app.query("SELECT ensure_monthly_partitions('audit_log', 3)");
  await app.query('SELECT keep_monthly_partitions(3)');
};

const makePartition = (parent: string, offset: number) =>
  owner.query(
    `CREATE TABLE ${parent}_${suffix(month(offset))} PARTITION OF ${parent}
     FOR VALUES FROM ('${day(month(offset))}T00:00:00Z') TO ('${day(month(offset + 1))}T00:00:00Z')`,
  );

const dropPartition = (parent: string, offset: number) =>
  owner.query(`DROP TABLE ${parent}_${suffix(month(offset))}`);

async function seedVideo(): Promise<string> {
  const { rows } = await owner.query<{ id: string }>(
    `WITH creator AS (
       INSERT INTO users (id, username, email, password_hash, display_name)
       SELECT gen_random_uuid(), name, name || '@example.com', 'x', name
       FROM (SELECT 'u' || left(replace(gen_random_uuid()::text, '-', ''), 20) AS name) AS made RETURNING id
     )
     INSERT INTO videos (id, owner_id, title, state, visibility)
     SELECT gen_random_uuid(), id, 'A film', 'uploading', 'private' FROM creator RETURNING id`,
  );
  return rows[0]?.id ?? '';
}

const watch = (videoId: string, at: Date) =>
  app.query(
    `INSERT INTO video_view_minutes AS known (video_id, minute, views) VALUES ($1, $2, 1)
     ON CONFLICT (video_id, minute) DO UPDATE SET views = known.views + excluded.views`,
    [videoId, at.toISOString()],
  );

const watched = async (videoId: string): Promise<{ place: string; views: number }[]> => {
  const { rows } = await app.query(
    'SELECT tableoid::regclass::text AS place, views::int FROM video_view_minutes WHERE video_id = $1 ORDER BY minute',
    [videoId],
  );
  return rows;
};

describe('the tables with a partition for each month', () => {
  it('are all looked after, from last month to three months ahead, and never refuse a row', async () => {
    await maintain();
    const { rows: tables } = await owner.query<{ name: string }>(
      'SELECT partrelid::regclass::text AS name FROM pg_partitioned_table ORDER BY 1',
    );
    expect(tables.map(({ name }) => name)).toEqual([
      'audit_log',
      'chat_actions',
      'chat_messages',
      'stream_samples',
      'video_view_days',
      'video_view_minutes',
      'video_view_parts',
    ]);
    for (const { name } of tables) {
      const expected = [-1, 0, 1, 2, 3].map((offset) => `${name}_${suffix(month(offset))}`);
      expect(await partitionsOf(name)).toEqual([...expected, `${name}_default`].sort());
    }
  });

  it('get the partition back that is missing', async () => {
    for (const parent of ['video_view_days', 'video_view_minutes', 'video_view_parts', 'audit_log']) {
      await dropPartition(parent, 2);
      await maintain();
      expect(await partitionsOf(parent)).toContain(`${parent}_${suffix(month(2))}`);
    }
  });
});

describe('minutes of watching', () => {
  let videoId: string;
  beforeEach(async () => {
    videoId = await seedVideo();
  });

  it('are dropped with their month once it is neither this one nor the last', async () => {
    await makePartition('video_view_minutes', -2);
    await makePartition('video_view_minutes', -14);
    for (const offset of [-14, -2, -1, 0]) await watch(videoId, month(offset));
    expect(await watched(videoId)).toHaveLength(4);
    await maintain();
    expect(await watched(videoId)).toEqual([
      { place: `video_view_minutes_${suffix(month(-1))}`, views: 1 },
      { place: `video_view_minutes_${suffix(month(0))}`, views: 1 },
    ]);
    const left = await partitionsOf('video_view_minutes');
    expect(left).not.toContain(`video_view_minutes_${suffix(month(-2))}`);
    expect(left).not.toContain(`video_view_minutes_${suffix(month(-14))}`);
  });

  it('that come for a month dropped long ago are taken, and expire too', async () => {
    await watch(videoId, month(-5));
    await watch(videoId, month(-1));
    expect(await watched(videoId)).toEqual([
      { place: 'video_view_minutes_default', views: 1 },
      { place: `video_view_minutes_${suffix(month(-1))}`, views: 1 },
    ]);
    await maintain();
    expect(await watched(videoId)).toEqual([{ place: `video_view_minutes_${suffix(month(-1))}`, views: 1 }]);
  });

  it('are kept where no partition is there, move to it once it is, and go on being added up', async () => {
    await dropPartition('video_view_minutes', 0);
    await watch(videoId, month(0));
    await watch(videoId, month(0));
    expect(await watched(videoId)).toEqual([{ place: 'video_view_minutes_default', views: 2 }]);
    await maintain();
    await watch(videoId, month(0));
    expect(await watched(videoId)).toEqual([{ place: `video_view_minutes_${suffix(month(0))}`, views: 3 }]);
  });
});

it('days of watching are kept for ever', async () => {
  const videoId = await seedVideo();
  await makePartition('video_view_days', -30);
  for (const offset of [-40, -30])
    await app.query('INSERT INTO video_view_days (video_id, day, views) VALUES ($1, $2, 1)', [
      videoId,
      day(month(offset)),
    ]);
  await maintain();
  const { rows } = await app.query('SELECT views::int FROM video_view_days WHERE video_id = $1', [videoId]);
  expect(rows).toEqual([{ views: 1 }, { views: 1 }]);
});

it('the application may not say what is kept', async () => {
  await expect(app.query('UPDATE monthly_tables SET keep_months = 1')).rejects.toMatchObject({
    code: '42501',
  });
  await expect(app.query(`DROP TABLE video_view_days_${suffix(month(0))}`)).rejects.toMatchObject({
    code: '42501',
  });
});
