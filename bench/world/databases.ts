import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type NeonBridge, startNeonBridge } from '../../local-cloud/neon-bridge/index.ts';
import {
  type PostgresHandle,
  type Provisioned,
  provision,
  startPostgres,
} from '../../local-cloud/postgres/index.ts';
import { migrateUp } from '../../scripts/lib/migrations.ts';
import type { Cleanup } from '../cleanup.ts';
import { pinRunning } from '../machine.ts';

export interface BenchDatabases {
  readonly postgres: PostgresHandle;
  /** Runs in this process. */
  readonly bridge: NeonBridge;
  readonly urls: Provisioned;
}

/** A migrated, empty Postgres of the bench's own, and the Neon bridge in front of it. */
export async function startDatabases(
  root: string,
  directory: string,
  cleanup: Cleanup,
): Promise<BenchDatabases> {
  // Every process started from here on inherits these cores unless it is given others.
  pinRunning('database', process.pid);
  const dataDir = join(directory, 'postgres');
  const postgres = await startPostgres({ dataDir, port: 0, fresh: true, durable: false });
  cleanup.add(() => postgres.stop({ removeData: true }));
  const secret = (): string => randomBytes(18).toString('base64url');
  const passwords = { owner: secret(), app: secret(), replica: secret() };
  const urls = await provision(postgres, { passwords });
  const migrations = join(root, 'migrations');
  await migrateUp({ connectionString: urls.primary.owner, directory: migrations });
  for (const shard of urls.shards)
    await migrateUp({ connectionString: shard.owner, directory: join(migrations, 'shards') });
  const bridge = await startNeonBridge({ port: 0, postgres, log: (line) => console.error(line) });
  cleanup.add(() => bridge.close());
  return { postgres, bridge, urls };
}
