import { spawnSync } from 'node:child_process';
import { chmod, cp, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { locatePackage, resolveBinaries } from '../../../local-cloud/postgres/binaries.ts';
import { canExecute, chooseIdentity } from '../../../local-cloud/postgres/identity.ts';
import { startPostgres, withClient } from '../../../local-cloud/postgres/index.ts';
import { temporaryDir } from '../../support/node/temporary.ts';

function ownerOfProcess(pid: number): number {
  return Number(spawnSync('ps', ['-o', 'uid=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim());
}

/** A copy of the platform package as npm leaves it when it may not run install scripts: no links, nothing executable. */
async function copyPackageWithoutInstallScript(target: string): Promise<void> {
  await cp(locatePackage(), target, { recursive: true, verbatimSymlinks: true });
  const lib = join(target, 'native', 'lib');
  for (const entry of await readdir(lib, { withFileTypes: true })) {
    if (entry.isSymbolicLink()) await rm(join(lib, entry.name));
  }
  const bin = join(target, 'native', 'bin');
  for (const program of await readdir(bin)) await chmod(join(bin, program), 0o644);
}

test('the server never runs as root, and runs as whoever starts it otherwise', async () => {
  const postgres = await startPostgres({ dataDir: await temporaryDir(), port: 0, durable: false });
  onTestFinished(() => postgres.stop({ removeData: true }));
  const starter = process.geteuid?.();
  const owner = ownerOfProcess(postgres.pid);
  expect(owner).not.toBe(0);
  if (starter !== 0) expect(owner).toBe(starter);
});

test('it runs from inside a directory other users may not enter, and finds its data there again', async () => {
  const locked = join(await temporaryDir(), 'locked');
  await mkdir(locked, { mode: 0o700 });
  const dataDir = join(locked, 'clone', '.local-cloud', 'postgres');

  const first = await startPostgres({ dataDir, port: 0, durable: false });
  await withClient(first.superuserUrl, (client) => client.query('CREATE TABLE kept AS SELECT 42 AS answer'));
  await first.stop();
  const second = await startPostgres({ dataDir, port: 0, durable: false });
  onTestFinished(() => second.stop({ removeData: true }));
  expect(second.pgdata).toBe(first.pgdata);
  const { rows } = await withClient(second.superuserUrl, (client) => client.query('SELECT answer FROM kept'));
  expect(rows).toEqual([{ answer: 42 }]);

  expect((await stat(second.pgdata)).mode & 0o077).toBe(0);
  expect((await stat(join(dataDir, 'superuser-password'))).mode & 0o077).toBe(0);
  await second.stop({ removeData: true });
  await expect(stat(second.pgdata)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('data moved away from a deleted clone is cleared when the next one needs the room', async () => {
  const locked = join(await temporaryDir(), 'locked');
  await mkdir(locked, { mode: 0o700 });
  const deleted = await startPostgres({ dataDir: join(locked, 'deleted'), port: 0, durable: false });
  await deleted.stop();
  await rm(join(locked, 'deleted'), { recursive: true });
  const next = await startPostgres({ dataDir: join(locked, 'next'), port: 0, durable: false });
  onTestFinished(() => next.stop({ removeData: true }));
  await expect(stat(deleted.pgdata)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('a package whose install script was blocked is repaired in place', async () => {
  const directory = await temporaryDir();
  const packageRoot = join(directory, 'package');
  await copyPackageWithoutInstallScript(packageRoot);
  const identity = chooseIdentity([]);
  const binaries = await resolveBinaries(identity, join(directory, 'staging'), packageRoot);
  expect(binaries.postgres).toBe(join(packageRoot, 'native', 'bin', 'postgres'));
  expect(canExecute(identity, binaries.postgres)).toBe(true);
  expect(canExecute(identity, binaries.initdb)).toBe(true);
});

test('programs the server user cannot reach are copied to where it can', async () => {
  const directory = await temporaryDir();
  const packageRoot = join(directory, 'locked', 'package');
  await mkdir(join(directory, 'locked'), { mode: 0o700 });
  await copyPackageWithoutInstallScript(packageRoot);
  const identity = chooseIdentity([]);
  const binaries = await resolveBinaries(identity, join(directory, 'staging'), packageRoot);
  // Only root has to hand the programs to another user; anyone else reaches their own files.
  const expected = identity === null ? packageRoot : join(directory, 'staging');
  expect(binaries.postgres.startsWith(expected)).toBe(true);
  expect(canExecute(identity, binaries.postgres)).toBe(true);
});
