import { join } from 'node:path';
import { loadEnvironment } from './lib/environment.ts';
import { migrateDown, migrateUp } from './lib/migrations.ts';
import { runScript } from './lib/run-script.ts';

export { migrateDown, migrateUp } from './lib/migrations.ts';

const usage = `Usage: node scripts/migrate.ts up | down [--steps N]
Reads DATABASE_OWNER_URL and DATABASE_SHARD_OWNER_URLS (comma-separated) from the environment or .dev.vars:
direct connections of the role that owns the schema.`;

if (import.meta.main) {
  const [command, flag, value] = process.argv.slice(2);
  const environment = loadEnvironment();
  const primary = environment.DATABASE_OWNER_URL;
  const shards = (environment.DATABASE_SHARD_OWNER_URLS ?? '').split(',').filter((url) => url !== '');
  const steps = flag === '--steps' ? Number(value) : 1;
  if (
    primary === undefined ||
    shards.length === 0 ||
    !['up', 'down'].includes(command ?? '') ||
    !Number.isInteger(steps) ||
    steps < 1
  ) {
    console.error(usage);
    process.exit(2);
  }
  const targets = [
    { name: 'primary', connectionString: primary, directory: join(import.meta.dirname, '..', 'migrations') },
    ...shards.map((connectionString, index) => ({
      name: `shard ${index}`,
      connectionString,
      directory: join(import.meta.dirname, '..', 'migrations', 'shards'),
    })),
  ];
  await runScript(async () => {
    for (const target of targets) {
      const log = (line: string) => console.log(`${target.name}: ${line}`);
      const changed =
        command === 'up' ? await migrateUp({ ...target, log }) : await migrateDown({ ...target, steps, log });
      if (changed.length === 0) log('nothing to do');
    }
  });
}
