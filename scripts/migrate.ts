import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadEnvironment } from './lib/environment.ts';
import { migrateDown, migrateUp } from './lib/migrations.ts';
import { runScript } from './lib/run-script.ts';

export { migrateDown, migrateUp } from './lib/migrations.ts';

const usage = `Usage: node scripts/migrate.ts up | down [--database primary|shards] [--steps N]
\`up\` brings the primary and every timeline shard up to date. \`down\` takes back the newest migration of the primary, or
with --database shards that of every shard; --steps takes back more.
Reads DATABASE_OWNER_URL and DATABASE_SHARD_OWNER_URLS (comma-separated) from the environment or, locally, from what
npm start wrote: direct connections of the role that owns the schema.`;

type Which = 'primary' | 'shards';

interface Request {
  readonly command: 'up' | 'down';
  readonly steps: number;
  readonly databases: readonly Which[];
}

function readRequest(): Request | undefined {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { steps: { type: 'string', default: '1' }, database: { type: 'string' } },
    });
    const [command, ...rest] = positionals;
    const steps = Number(values.steps);
    const { database } = values;
    if (command !== 'up' && command !== 'down') return undefined;
    if (rest.length > 0 || !Number.isInteger(steps) || steps < 1) return undefined;
    if (database !== undefined && database !== 'primary' && database !== 'shards') return undefined;
    const usual: readonly Which[] = command === 'up' ? ['primary', 'shards'] : ['primary'];
    return { command, steps, databases: database === undefined ? usual : [database] };
  } catch {
    return undefined;
  }
}

if (import.meta.main) {
  const environment = loadEnvironment();
  const request = readRequest();
  const primary = environment.DATABASE_OWNER_URL;
  const shards = (environment.DATABASE_SHARD_OWNER_URLS ?? '').split(',').filter((url) => url !== '');
  if (request === undefined || primary === undefined || shards.length === 0) {
    console.error(usage);
    process.exit(2);
  }
  const migrations = join(import.meta.dirname, '..', 'migrations');
  const targets = [
    { which: 'primary', name: 'primary', connectionString: primary, directory: migrations },
    ...shards.map((connectionString, index) => ({
      which: 'shards',
      name: `shard ${index}`,
      connectionString,
      directory: join(migrations, 'shards'),
    })),
  ] as const;
  await runScript(async () => {
    for (const { which, ...target } of targets) {
      if (!request.databases.includes(which as Which)) continue;
      const log = (line: string) => console.log(`${target.name}: ${line}`);
      const { command, steps } = request;
      const changed =
        command === 'up' ? await migrateUp({ ...target, log }) : await migrateDown({ ...target, steps, log });
      if (changed.length === 0) log('nothing to do');
    }
  });
}
