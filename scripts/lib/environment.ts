import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';

const root = join(import.meta.dirname, '..', '..');

/** Settings for scripts: the process environment over `.dev.vars`, which the local cloud writes. */
export function loadEnvironment(): Record<string, string | undefined> {
  const file = join(root, '.dev.vars');
  const local = existsSync(file) ? parseEnv(readFileSync(file, 'utf8')) : {};
  return { ...local, ...process.env };
}
