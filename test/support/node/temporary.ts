import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import {
  type PostgresHandle,
  type StartPostgresOptions,
  startPostgres,
} from '../../../local-cloud/postgres/index.ts';

/** A directory every user may enter; the caller removes it. */
export async function makeTemporaryDir(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'social-flow-test-'));
  await chmod(directory, 0o755);
  return directory;
}

/** A directory that is gone when the current test ends. */
export async function temporaryDir(): Promise<string> {
  const directory = await makeTemporaryDir();
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** A server without crash safety that is stopped, and its data deleted, when the current test ends. */
export async function temporaryPostgres(
  options: Omit<StartPostgresOptions, 'port'>,
): Promise<PostgresHandle> {
  const postgres = await startPostgres({ port: 0, durable: false, ...options });
  onTestFinished(() => postgres.stop({ removeData: true }));
  return postgres;
}
