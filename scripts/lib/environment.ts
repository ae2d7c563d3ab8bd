import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';

const root = join(import.meta.dirname, '..', '..');

/** Settings for scripts: the process environment over `.dev.vars`, which the local cloud writes. */
export function loadEnvironment(): Record<string, string | undefined> {
  const read = (file: string) => (existsSync(file) ? parseEnv(readFileSync(file, 'utf8')) : {});

  return {
    ...read(join(root, '.dev.vars')),
    ...read(join(root, '.local-cloud', 'owner.env')),
    ...process.env,
  };
}
