import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';

export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly up: string;
  readonly down: string;
  readonly checksum: string;
}

export interface MigrateOptions {
  /** A direct (not pooled) connection of the role that owns the schema. */
  readonly connectionString: string;
  readonly directory: string;
  readonly log?: (line: string) => void;
}

const lockKey = 7_305_001;
const lockRetries = 5;
const fileName = /^(\d{4})_([a-z0-9_]+)\.up\.sql$/;

/** The migrations of a folder in order. @throws Error when numbers have gaps or a down file is missing. */
export function readMigrations(directory: string): Migration[] {
  const migrations = readdirSync(directory)
    .filter((file) => fileName.test(file))
    .sort()
    .map((file): Migration => {
      const [, version = '', name = ''] = fileName.exec(file) ?? [];
      const up = readFileSync(join(directory, file), 'utf8');
      const down = readFileSync(join(directory, file.replace('.up.sql', '.down.sql')), 'utf8');
      return {
        version: Number(version),
        name,
        up,
        down,
        checksum: createHash('sha256').update(up).digest('hex'),
      };
    });
  migrations.forEach((migration, index) => {
    if (migration.version <= (migrations[index - 1]?.version ?? 0))
      throw new Error(`${directory}: migration ${migration.version} is given twice`);
  });
  return migrations;
}

/** Applies what is not yet applied, each migration in its own transaction. @returns the names applied. */
export const migrateUp = (options: MigrateOptions): Promise<string[]> =>
  withClient(options.connectionString, async (client) => {
    const migrations = readMigrations(options.directory);
    const applied = await appliedVersions(client);
    for (const migration of migrations) {
      const checksum = applied.get(migration.version);
      if (checksum !== undefined && checksum !== migration.checksum)
        throw new Error(
          `${label(migration)} was changed after it was applied. Undo the edit and write a new migration; locally \`npm start -- --fresh\` starts over.`,
        );
    }
    const pending = migrations.filter((migration) => !applied.has(migration.version));
    for (const migration of pending) {
      await runScript(
        client,
        migration.up,
        [
          'INSERT INTO schema_migrations (version, name, checksum) VALUES ($1, $2, $3)',
          [migration.version, migration.name, migration.checksum],
        ],
        options.log,
      );
      options.log?.(`applied ${label(migration)}`);
    }
    return pending.map(label);
  });

/** Takes back the newest `steps` migrations. @returns the names taken back. */
export const migrateDown = (options: MigrateOptions & { readonly steps: number }): Promise<string[]> =>
  withClient(options.connectionString, async (client) => {
    const applied = await appliedVersions(client);
    const undone = readMigrations(options.directory)
      .filter((migration) => applied.has(migration.version))
      .reverse()
      .slice(0, options.steps);
    for (const migration of undone) {
      await runScript(
        client,
        migration.down,
        ['DELETE FROM schema_migrations WHERE version = $1', [migration.version]],
        options.log,
      );
      options.log?.(`took back ${label(migration)}`);
    }
    return undone.map(label);
  });

const label = (migration: Migration): string =>
  `${String(migration.version).padStart(4, '0')}_${migration.name}`;

async function withClient<T>(connectionString: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString, application_name: 'social-flow-migrations' });
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [lockKey]);
    return await work(client);
  } finally {
    await client.end();
  }
}

async function appliedVersions(client: pg.Client): Promise<Map<number, string>> {
  await client.query(`CREATE TABLE IF NOT EXISTS schema_migrations (
    version integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`);
  const { rows } = await client.query<{ version: number; checksum: string }>(
    'SELECT version, checksum FROM schema_migrations',
  );
  return new Map(rows.map((row) => [row.version, row.checksum]));
}

// A migration gives up after its lock_timeout instead of queueing every query behind it; waiting and trying again is ours.
async function runScript(
  client: pg.Client,
  script: string,
  record: [string, unknown[]],
  log: (line: string) => void = () => undefined,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await client.query('BEGIN');
      await client.query(script);
      await client.query(...record);
      await client.query('COMMIT');
      return;
    } catch (error) {
      await client.query('ROLLBACK');
      const blocked = error instanceof pg.DatabaseError && error.code === '55P03';
      if (!blocked || attempt >= lockRetries) throw error;
      log('waiting for a lock held by another session, then trying again');
      await new Promise((resolve) => setTimeout(resolve, 500 * 2 ** attempt));
    } finally {
      await client.query('RESET lock_timeout; RESET statement_timeout');
    }
  }
}
