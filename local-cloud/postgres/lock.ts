import { randomUUID } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describeProcess } from './processes.ts';

type LockRecord = { pid: number; startedAt: string; token: string };

/** Thrown when a live process already runs a Postgres from this data directory. */
export class DataDirectoryInUseError extends Error {
  override name = 'DataDirectoryInUseError';
  readonly pid: number;
  constructor(dataDir: string, pid: number) {
    super(`${dataDir} is in use by process ${pid}; stop it first or choose another data directory`);
    this.pid = pid;
  }
}

/**
 * Takes the exclusive right to run a server from `dataDir`; a lock left by a dead process is taken over.
 * Returns the function that gives it back. Throws DataDirectoryInUseError.
 */
export async function acquireLock(dataDir: string): Promise<() => Promise<void>> {
  const path = join(dataDir, 'supervisor.json');
  const self = describeProcess(process.pid);
  const record: LockRecord = { pid: process.pid, startedAt: self?.startedAt ?? '', token: randomUUID() };

  for (let attempt = 0; attempt < 5; attempt += 1) {
    try {
      await writeFile(path, JSON.stringify(record), { flag: 'wx', mode: 0o600 });
    } catch (error) {
      if (!isErrno(error, 'EEXIST')) throw error;
      const holder = await readLock(path);
      if (holder !== null && isAlive(holder)) throw new DataDirectoryInUseError(dataDir, holder.pid);
      await rm(path, { force: true });
      continue;
    }
    // Two processes may both have removed a stale lock; the later writer wins and the earlier one must notice.
    if (attempt > 0) await new Promise((resolve) => setTimeout(resolve, 100));
    const current = await readLock(path);
    if (current?.token === record.token) return () => releaseLock(path, record.token);
  }
  throw new DataDirectoryInUseError(dataDir, (await readLock(path))?.pid ?? 0);
}

async function releaseLock(path: string, token: string): Promise<void> {
  if ((await readLock(path))?.token === token) await rm(path, { force: true });
}

function isAlive(holder: LockRecord): boolean {
  return describeProcess(holder.pid)?.startedAt === holder.startedAt;
}

async function readLock(path: string): Promise<LockRecord | null> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (typeof value !== 'object' || value === null) return null;
    const { pid, startedAt, token } = value as Record<string, unknown>;
    if (typeof pid !== 'number' || typeof startedAt !== 'string' || typeof token !== 'string') return null;
    return { pid, startedAt, token };
  } catch {
    return null;
  }
}

/** True when `error` is a system error with this code, such as ENOENT. */
export function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
