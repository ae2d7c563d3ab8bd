import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { resolveBinaries } from './binaries.ts';
import { initialiseCluster, prepareHome, readLocation, stopLeftoverServer } from './cluster.ts';
import { connectionString } from './connection.ts';
import { chooseIdentity } from './identity.ts';
import { acquireLock, isErrno } from './lock.ts';
import { startServer } from './server.ts';

export type StartPostgresOptions = {
  /** Directory this server owns; created when missing. Data is kept between starts. */
  dataDir: string;
  /** Preferred TCP port on 127.0.0.1; another is chosen when it is 0 or taken. */
  port: number;
  /** Throw away existing data first. */
  fresh?: boolean;
  /** False switches off fsync and its kin: faster, and data may be lost when the machine crashes. Default true. */
  durable?: boolean;
  /** Receives the server's log, a line at a time (warnings and worse). */
  log?: (line: string) => void;
};

export type PostgresHandle = {
  host: string;
  port: number;
  pid: number;
  dataDir: string;
  /** Where the cluster really lies, which is outside `dataDir` when the server's user cannot reach it. */
  pgdata: string;
  superuserUrl: string;
  /** Resolves with the reason when the server process is gone, whether asked to stop or not. */
  exited: Promise<string>;
  /** Stops the server in order, and with `removeData` deletes its databases too; safe to call twice. */
  stop(options?: { removeData?: boolean }): Promise<void>;
};

const HOST = '127.0.0.1';

/**
 * Starts the Postgres of `dataDir` on loopback and resolves once it answers. A server left running by a killed supervisor
 * is stopped first. Throws DataDirectoryInUseError when a live process already runs one from there.
 */
export async function startPostgres(options: StartPostgresOptions): Promise<PostgresHandle> {
  await mkdir(options.dataDir, { recursive: true });
  const dataDir = await realpath(options.dataDir);
  // Others may pass through to the cluster inside, but not list or read what lies here.
  await chmod(dataDir, 0o711);
  const releaseLock = await acquireLock(dataDir);
  try {
    const location = await readLocation(dataDir);
    const homes = [location, join(dataDir, 'cluster')].filter((home) => home !== null);
    for (const home of homes) await stopLeftoverServer(join(home, 'pgdata'));
    if (options.fresh === true)
      for (const home of homes) await rm(join(home, 'pgdata'), { recursive: true, force: true });

    const identity = chooseIdentity(homes);
    const home = await prepareHome(dataDir, identity);
    const binaries = await resolveBinaries(identity, home);
    const superuserPassword = await readOrCreateSecret(join(dataDir, 'superuser-password'));
    const pgdata = join(home, 'pgdata');
    await initialiseCluster({ home, pgdata, binaries, identity, superuserPassword });
    const server = await startServer({
      binaries,
      identity,
      pgdata,
      host: HOST,
      port: options.port,
      superuserPassword,
      durable: options.durable ?? true,
      log: options.log ?? (() => undefined),
    });
    const superuser = { host: HOST, port: server.port, user: 'postgres', password: superuserPassword };
    return {
      host: HOST,
      port: server.port,
      pid: server.pid,
      dataDir,
      pgdata,
      superuserUrl: connectionString({ ...superuser, database: 'postgres' }),
      exited: server.exited,
      stop: async (stopOptions) => {
        await server.stop();
        if (stopOptions?.removeData === true) await rm(home, { recursive: true, force: true });
        await releaseLock();
      },
    };
  } catch (error) {
    await releaseLock();
    throw error;
  }
}

async function readOrCreateSecret(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
    const secret = randomBytes(24).toString('base64url');
    await writeFile(path, secret, { mode: 0o600 });
    return secret;
  }
}
