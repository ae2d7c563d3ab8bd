import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getTableColumns, getTableName, is } from 'drizzle-orm';
import { PgTable } from 'drizzle-orm/pg-core';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type PostgresHandle, provision, startPostgres } from '../../local-cloud/postgres/index.ts';
import { migrateUp } from '../../scripts/lib/migrations.ts';

const root = join(import.meta.dirname, '..', '..');
// By address, since the Worker's sources are type-checked against workerd's types and this test against Node's.
const schema = (await import(new URL('../../src/db/schema.ts', import.meta.url).href)) as Record<
  string,
  unknown
>;
let stateDir: string;
let postgres: PostgresHandle;
const columnsInDatabase = new Map<string, { nullable: boolean; type: string }>();

beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'social-flow-tables-'));
  postgres = await startPostgres({ dataDir: stateDir, port: 0, durable: false });
  const databases = await provision(postgres, {
    passwords: { owner: 'owner', app: 'app', replica: 'replica' },
  });
  const targets = [
    [databases.primary.owner, join(root, 'migrations')],
    [databases.shards[0]?.owner ?? '', join(root, 'migrations', 'shards')],
  ] as const;
  for (const [connectionString, directory] of targets) {
    await migrateUp({ connectionString, directory });
    const client = new pg.Client({ connectionString });
    await client.connect();
    const { rows } = await client.query<{ name: string; nullable: boolean; type: string }>(`
      SELECT table_name || '.' || column_name AS name, is_nullable = 'YES' AS nullable, data_type AS type
      FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'schema_migrations' AND table_name !~ '_(\\d{4}_\\d{2}|default)$'`);
    for (const { name, ...column } of rows) columnsInDatabase.set(name, column);
    await client.end();
  }
});

afterAll(async () => {
  await postgres.stop({ removeData: true });
  await rm(stateDir, { recursive: true, force: true });
});

const tables = Object.values(schema).filter((value) => is(value, PgTable));

it('every drizzle column exists in the migrated schema with the same nullability', () => {
  expect(tables.length).toBeGreaterThan(12);
  for (const table of tables)
    for (const column of Object.values(getTableColumns(table))) {
      const name = `${getTableName(table)}.${column.name}`;
      expect(columnsInDatabase.get(name), name).toBeDefined();
      expect(columnsInDatabase.get(name)?.nullable, name).toBe(!column.notNull);
    }
});

it('every column of the schema is known to drizzle', () => {
  const known = new Set(
    tables.flatMap((table) =>
      Object.values(getTableColumns(table)).map((column) => `${getTableName(table)}.${column.name}`),
    ),
  );
  expect([...columnsInDatabase.keys()].filter((name) => !known.has(name))).toEqual([]);
});
