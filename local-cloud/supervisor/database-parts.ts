import { join } from 'node:path';
import { migrateUp } from '../../scripts/lib/migrations.ts';
import { startNeonBridge } from '../neon-bridge/index.ts';
import { provision, startPostgres } from '../postgres/index.ts';
import { beginStep, type Parts, preferredPorts } from './parts.ts';
import { freePort } from './ports.ts';
import type { StackOptions } from './stack.ts';
import { status } from './status.ts';

type Postgres = Awaited<ReturnType<typeof startPostgres>>;

/** A Postgres that can be taken away and brought back, for tests of outages. */
export interface DatabaseServer {
  readonly postgres: Postgres;
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** Starts Postgres, with an empty folder if that is asked for. */
export async function startDatabaseServer(
  options: StackOptions,
  onStop: Parts['onStop'],
): Promise<DatabaseServer> {
  const start = (port: number, fresh: boolean): Promise<Postgres> =>
    startPostgres({
      dataDir: join(options.stateDir, 'postgres'),
      port,
      fresh,
      log: (line) => {
        if (!/\bLOG:|is starting up/.test(line)) status.service('postgres', line);
      },
    });
  const postgres = await start(preferredPorts.postgres, options.fresh);
  let running = postgres;
  onStop(() => running.stop());
  return {
    postgres,
    stop: () => running.stop(),
    start: async () => {
      running = await start(postgres.port, false);
    },
  };
}

export interface Databases {
  readonly databases: Awaited<ReturnType<typeof provision>>;
  readonly bridgeUrl: string;
}

/** Makes the databases, migrates them, and opens them to the Worker through the Neon bridge. */
export async function startDatabases(parts: Parts, { postgres }: DatabaseServer): Promise<Databases> {
  const { options, secrets } = parts;
  let startedAt = beginStep(options);
  const databases = await provision(postgres, {
    passwords: { owner: secrets.ownerPassword, app: secrets.appPassword, replica: secrets.replicaPassword },
  });
  status.ok(
    'postgres',
    `127.0.0.1:${postgres.port}, primary and ${databases.shards.length} timeline shards`,
    startedAt,
  );

  startedAt = beginStep(options);
  const migrations = join(options.root, 'migrations');
  const applied = await migrateUp({
    connectionString: databases.primary.owner,
    directory: migrations,
  });
  for (const shard of databases.shards)
    applied.push(
      ...(await migrateUp({ connectionString: shard.owner, directory: join(migrations, 'shards') })),
    );
  status.ok('migrations', applied.length === 0 ? 'up to date' : `${applied.length} applied`, startedAt);

  startedAt = beginStep(options);
  const bridge = await startNeonBridge({
    port: await freePort(preferredPorts.neon),
    postgres,
    ...(options.testControls === true ? { testControls: {} } : {}),
    log: (line) => status.service('neon', line),
  });
  parts.onStop(() => bridge.close());
  status.ok('neon', `${bridge.url}, the driver's HTTP and WebSocket protocol`, startedAt);
  return { databases, bridgeUrl: bridge.url };
}
