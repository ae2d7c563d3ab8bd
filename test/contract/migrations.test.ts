import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PostgresHandle, provision, startPostgres } from '../../local-cloud/postgres/index.ts';
import { migrateDown, migrateUp, readMigrations } from '../../scripts/lib/migrations.ts';
import { schemaOf } from '../support/node/schema.ts';

const root = join(import.meta.dirname, '..', '..');
let stateDir: string;
let postgres: PostgresHandle;
let owners: { primary: string; shard: string };

beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'social-flow-migrations-'));
  postgres = await startPostgres({ dataDir: stateDir, port: 0, durable: false });
  const databases = await provision(postgres, {
    passwords: { owner: 'owner', app: 'app', replica: 'replica' },
  });
  const [shard] = databases.shards;
  if (shard === undefined) throw new Error('no shard');
  owners = { primary: databases.primary.owner, shard: shard.owner };
});

afterAll(async () => {
  await postgres.stop({ removeData: true });
  await rm(stateDir, { recursive: true, force: true });
});

describe.each([
  ['primary', join(root, 'migrations')],
  ['shard', join(root, 'migrations', 'shards')],
] as const)('migrations of the %s', (kind, directory) => {
  it('give the same schema after up, down to nothing, and up again', async () => {
    const options = { connectionString: owners[kind], directory };
    const count = readMigrations(directory).length;
    const empty = await schemaOf(owners[kind]);

    expect(await migrateUp(options)).toHaveLength(count);
    const first = await schemaOf(owners[kind]);
    expect(first.length).toBeGreaterThan(empty.length);

    for (let step = count; step > 0; step -= 1)
      expect(await migrateDown({ ...options, steps: 1 })).toHaveLength(1);
    expect(await schemaOf(owners[kind])).toEqual(empty);

    expect(await migrateUp(options)).toHaveLength(count);
    expect(await schemaOf(owners[kind])).toEqual(first);
  });

  it('are each taken back to exactly what stood before them', async () => {
    const options = { connectionString: owners[kind], directory };
    for (const _ of readMigrations(directory)) {
      const after = await schemaOf(owners[kind]);
      await migrateDown({ ...options, steps: 1 });
      const before = await schemaOf(owners[kind]);
      expect(before).not.toEqual(after);
    }
    await migrateUp(options);
  });

  it('do nothing when run again', async () => {
    expect(await migrateUp({ connectionString: owners[kind], directory })).toEqual([]);
  });
});

/** Takes back whatever came after a migration of the primary, so that it is the last. */
const takeBackTo = async (version: number): Promise<void> => {
  const options = { connectionString: owners.primary, directory: join(root, 'migrations') };
  const steps = readMigrations(options.directory).length - version;
  if (steps > 0) expect(await migrateDown({ ...options, steps })).toHaveLength(steps);
};

it('gives up on a locked table instead of queueing every query behind it, then succeeds once the lock is gone', async () => {
  const options = { connectionString: owners.primary, directory: join(root, 'migrations') };
  await takeBackTo(6);
  const blocker = new pg.Client({ connectionString: owners.primary });
  await blocker.connect();
  await blocker.query('BEGIN');
  await blocker.query('LOCK TABLE audit_log IN ACCESS SHARE MODE');
  const waits: string[] = [];
  const release = setTimeout(() => void blocker.query('COMMIT'), 3_000);
  await migrateDown({ ...options, steps: 1, log: (line) => waits.push(line) });
  clearTimeout(release);
  await blocker.end();
  expect(waits).toEqual([
    'waiting for a lock held by another session, then trying again',
    'took back 0006_audit_partitions',
  ]);
  await migrateUp(options);
});

it('lets every role that writes audit entries make room for them, whatever it is called', async () => {
  const options = { connectionString: owners.primary, directory: join(root, 'migrations') };
  const owner = new pg.Client({ connectionString: owners.primary });
  await owner.connect();
  const superuser = new pg.Client({ connectionString: postgres.superuserUrl });
  await superuser.connect();
  await superuser.query('CREATE ROLE api_of_another_company; CREATE ROLE reader_of_another_company');
  await takeBackTo(6);
  await migrateDown({ ...options, steps: 2 });
  await owner.query('ALTER DEFAULT PRIVILEGES GRANT INSERT, SELECT ON TABLES TO api_of_another_company');
  await owner.query('ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO reader_of_another_company');
  await migrateUp(options);
  const { rows } = await owner.query(`
    SELECT rolname, has_function_privilege(oid, 'ensure_monthly_partitions(text, integer)', 'EXECUTE') AS may
    FROM pg_roles WHERE rolname ~ 'another_company$' ORDER BY rolname`);
  await owner.end();
  await superuser.end();
  expect(rows).toEqual([
    { rolname: 'api_of_another_company', may: true },
    { rolname: 'reader_of_another_company', may: false },
  ]);
});

it('takes the default audit partition back only when no entry would be lost', async () => {
  const options = { connectionString: owners.primary, directory: join(root, 'migrations') };
  await takeBackTo(6);
  const owner = new pg.Client({ connectionString: owners.primary });
  await owner.connect();
  await owner.query(
    "INSERT INTO audit_log (id, created_at, actor_kind, action, outcome) VALUES (gen_random_uuid(), now() + interval '5 months', 'system', 'test.future', 'success')",
  );
  await expect(migrateDown({ ...options, steps: 1 })).rejects.toThrow('audit_log_default has entries');
  await owner.query("SELECT ensure_monthly_partitions('audit_log', 6)");
  expect(await migrateDown({ ...options, steps: 1 })).toEqual(['0006_audit_partitions']);
  expect((await owner.query("SELECT FROM audit_log WHERE action = 'test.future'")).rowCount).toBe(1);
  await migrateUp(options);
  await owner.end();
});
