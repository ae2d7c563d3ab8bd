import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type NeonBridge, startNeonBridge } from '../../../local-cloud/neon-bridge/index.ts';
import {
  DataDirectoryInUseError,
  databaseUrls,
  ensureRoles,
  grantDatabase,
  type PostgresHandle,
  ROLES,
  type RolePasswords,
  startPostgres,
  superuserUrlFor,
  withClient,
} from '../../../local-cloud/postgres/index.ts';
import { migrateUp } from '../../../scripts/migrate.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const MAX_CONCURRENT_RUNS = 16;

/** Directory of migrations behind each template database. */
const TEMPLATES = {
  primary: { database: 'template_primary', migrations: join(root, 'migrations') },
  shard: { database: 'template_shard', migrations: join(root, 'migrations', 'shards') },
} as const;

export type DatabaseStack = {
  postgres: PostgresHandle;
  bridge: NeonBridge;
  passwords: RolePasswords;
  stop(): Promise<void>;
};

/**
 * Starts what the Worker's tests need of the database: an empty Postgres without crash safety, one migrated template per kind
 * of database, and the bridge with its test controls. Runs at the same time get a directory each under `baseDir`; a
 * directory left by a killed run is reused.
 */
export async function startDatabaseStack(
  baseDir: string = join(root, '.local-cloud', 'test-postgres'),
): Promise<DatabaseStack> {
  const postgres = await startInFreeDirectory(baseDir);
  try {
    const passwords = { owner: secret(), app: secret(), replica: secret() };
    await withClient(postgres.superuserUrl, (client) => ensureRoles(client, passwords));
    for (const template of Object.values(TEMPLATES)) await makeTemplate(postgres, passwords, template);
    const bridge = await startNeonBridge({
      port: 0,
      postgres,
      testControls: {
        databases: {
          superuserUrl: postgres.superuserUrl,
          passwords,
          templates: { primary: TEMPLATES.primary.database, shard: TEMPLATES.shard.database },
        },
      },
      log: (line) => console.error(line),
    });
    const stop = async (): Promise<void> => {
      await bridge.close();
      await postgres.stop({ removeData: true });
    };
    return { postgres, bridge, passwords, stop };
  } catch (error) {
    await postgres.stop({ removeData: true });
    throw error;
  }
}

function secret(): string {
  return randomBytes(18).toString('base64url');
}

async function startInFreeDirectory(baseDir: string): Promise<PostgresHandle> {
  for (let run = 0; run < MAX_CONCURRENT_RUNS; run += 1) {
    try {
      return await startPostgres({
        dataDir: join(baseDir, String(run)),
        port: 0,
        fresh: true,
        durable: false,
      });
    } catch (error) {
      if (!(error instanceof DataDirectoryInUseError)) throw error;
    }
  }
  throw new Error(`${MAX_CONCURRENT_RUNS} test runs are already using ${baseDir}`);
}

async function makeTemplate(
  postgres: PostgresHandle,
  passwords: RolePasswords,
  template: { database: string; migrations: string },
): Promise<void> {
  const { database, migrations } = template;
  await withClient(postgres.superuserUrl, (client) =>
    client.query(`CREATE DATABASE ${database} OWNER ${ROLES.owner} TEMPLATE template0`),
  );
  await withClient(superuserUrlFor(postgres.superuserUrl, database), (client) =>
    grantDatabase(client, database),
  );
  await migrateUp({
    connectionString: databaseUrls(postgres, database, passwords).owner,
    directory: migrations,
  });
  // Copying needs a template nobody is connected to.
  await withClient(postgres.superuserUrl, (client) =>
    client.query(`ALTER DATABASE ${database} WITH ALLOW_CONNECTIONS false IS_TEMPLATE true`),
  );
}
