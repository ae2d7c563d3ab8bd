import { spawn } from 'node:child_process';
import {
  chmod,
  chown,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PostgresBinaries } from './binaries.ts';
import { canWrite, type Identity, spawnAs } from './identity.ts';
import { isErrno } from './lock.ts';
import { describeProcess, waitForExit } from './processes.ts';

const RELOCATED_PREFIX = 'social-flow-postgres-';

/** Where the cluster that belongs to `dataDir` was put when its server user cannot reach `dataDir`, else null. */
export async function readLocation(dataDir: string): Promise<string | null> {
  const location = (await readTextIfExists(join(dataDir, 'location')))?.trim();
  return location === undefined || location === '' ? null : location;
}

/**
 * The directory that holds `pgdata/` (and staged programs) for `dataDir`: inside it when `identity` can write there, else
 * a private directory under /var/tmp that `dataDir`/location points to, so that data is found again at the next start.
 */
export async function prepareHome(dataDir: string, identity: Identity): Promise<string> {
  const location = await readLocation(dataDir);
  if (location !== null && canWrite(identity, location)) return location;

  const inside = join(dataDir, 'cluster');
  await makePrivate(inside, identity);
  if (canWrite(identity, inside)) {
    await rm(join(dataDir, 'location'), { force: true });
    return inside;
  }
  await rm(inside, { recursive: true, force: true });

  for (const base of new Set(['/var/tmp', tmpdir()])) {
    await removeAbandoned(base, dataDir, identity);
    const relocated = await mkdtemp(join(base, RELOCATED_PREFIX)).catch(() => null);
    if (relocated === null) continue;
    await writeFile(join(relocated, 'belongs-to'), dataDir);
    await makePrivate(relocated, identity);
    if (canWrite(identity, relocated)) {
      await writeFile(join(dataDir, 'location'), relocated);
      return relocated;
    }
    await rm(relocated, { recursive: true, force: true });
  }
  throw new Error(
    `no directory for the database that user ${identity?.uid ?? process.geteuid?.()} can write to`,
  );
}

async function makePrivate(directory: string, identity: Identity): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  if (identity !== null) await chown(directory, identity.uid, identity.gid);
  await chmod(directory, 0o700);
}

/** Removes relocated homes whose data directory was deleted, or is `dataDir` itself, which no longer points there. */
async function removeAbandoned(base: string, dataDir: string, identity: Identity): Promise<void> {
  const ours = [process.geteuid?.(), identity?.uid];
  for (const name of await readdir(base).catch(() => [])) {
    if (!name.startsWith(RELOCATED_PREFIX)) continue;
    const home = join(base, name);
    const stats = await lstat(home).catch(() => null);
    if (stats === null || !stats.isDirectory() || !ours.includes(stats.uid)) continue;
    const owner = await readTextIfExists(join(home, 'belongs-to')).catch(() => undefined);
    if (owner === undefined || (await readServerPid(join(home, 'pgdata'))) !== null) continue;
    const wanted = owner !== dataDir && (await readLocation(owner).catch(() => home)) === home;
    if (!wanted) await rm(home, { recursive: true, force: true }).catch(() => undefined);
  }
}

/** Creates the cluster in `pgdata` unless there is one. UTF-8, built-in C.UTF-8 collation, SCRAM passwords only. */
export async function initialiseCluster(options: {
  home: string;
  pgdata: string;
  binaries: PostgresBinaries;
  identity: Identity;
  superuserPassword: string;
}): Promise<void> {
  const { home, pgdata, binaries, identity, superuserPassword } = options;
  const existing = (await readTextIfExists(join(pgdata, 'PG_VERSION')))?.trim();
  if (existing !== undefined) {
    if (existing === String(binaries.majorVersion)) return;
    throw new Error(
      `${pgdata} was made by Postgres ${existing} and this is ${binaries.majorVersion}; start with --fresh to replace it`,
    );
  }
  await rm(pgdata, { recursive: true, force: true });
  const unfinished = `${pgdata}.unfinished`;
  const passwordFile = join(home, 'initdb-password');
  await rm(unfinished, { recursive: true, force: true });
  try {
    await writeFile(passwordFile, `${superuserPassword}\n`, { mode: 0o600 });
    if (identity !== null) await chown(passwordFile, identity.uid, identity.gid);
    await runInitdb(binaries.initdb, identity, [
      `--pgdata=${unfinished}`,
      '--username=postgres',
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--locale=C',
      '--no-instructions',
    ]);
    await rename(unfinished, pgdata);
  } finally {
    await rm(passwordFile, { force: true });
  }
}

function runInitdb(initdb: string, identity: Identity, args: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(initdb, args, { ...spawnAs(identity), stdio: ['ignore', 'ignore', 'pipe'] });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString('utf8');
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`initdb failed with code ${code}: ${stderr.trim()}`));
    });
  });
}

/**
 * Makes sure no server runs on `pgdata`: one that outlived its supervisor is stopped in order, and the pid file of one
 * that crashed is removed, even when another program has been given its pid since.
 */
export async function stopLeftoverServer(pgdata: string): Promise<void> {
  const pid = await readServerPid(pgdata);
  if (pid !== null) {
    for (const [signal, timeoutMs] of [
      ['SIGINT', 15_000],
      ['SIGQUIT', 5_000],
      ['SIGKILL', 5_000],
    ] as const) {
      process.kill(pid, signal);
      if (await waitForExit(pid, timeoutMs)) break;
    }
  }
  await rm(join(pgdata, 'postmaster.pid'), { force: true });
}

/** Pid of the live server whose data directory is `pgdata`, else null. */
async function readServerPid(pgdata: string): Promise<number | null> {
  const lines = (await readTextIfExists(join(pgdata, 'postmaster.pid')))?.split('\n') ?? [];
  const pid = Number(lines[0]);
  const command = describeProcess(pid)?.command;
  return command?.includes('postgres') && command.includes(pgdata) ? pid : null;
}

async function readTextIfExists(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return undefined;
    throw error;
  }
}
