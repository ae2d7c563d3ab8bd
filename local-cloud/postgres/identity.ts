import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';

/** The unprivileged user a server is run as; null means the current user. */
export type Identity = { uid: number; gid: number } | null;

/**
 * Postgres refuses to run as root, so root must lend it another user: the one that already owns the data,
 * else the user behind sudo, else `nobody`. No user is ever created. Returns null when not root.
 */
export function chooseIdentity(existingData: readonly string[]): Identity {
  if (process.geteuid?.() !== 0) return null;
  for (const path of existingData) {
    const owner = ownerOf(path);
    if (owner !== null && owner.uid !== 0) return owner;
  }
  const sudo = { uid: Number(process.env.SUDO_UID), gid: Number(process.env.SUDO_GID) };
  if (Number.isInteger(sudo.uid) && Number.isInteger(sudo.gid) && sudo.uid > 0) return sudo;
  return lookupNobody();
}

function ownerOf(path: string): { uid: number; gid: number } | null {
  try {
    const { uid, gid } = statSync(path);
    return { uid, gid };
  } catch {
    return null;
  }
}

function lookupNobody(): { uid: number; gid: number } {
  const fromPasswd = /^nobody:[^:]*:(-?\d+):(-?\d+):/m.exec(readTextOrEmpty('/etc/passwd'));
  // macOS writes -2 for what the kernel calls 4294967294.
  const unsigned = (text: string | undefined): number => Number(text) >>> 0;
  if (fromPasswd !== null) return { uid: unsigned(fromPasswd[1]), gid: unsigned(fromPasswd[2]) };
  throw new Error(
    'Postgres cannot run as root and this system has no user "nobody" to run it as; start as another user',
  );
}

function readTextOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** The part of spawn options that runs a child as `identity`, from a directory every user may enter. */
export function spawnAs(identity: Identity): {
  cwd: string;
  env: NodeJS.ProcessEnv;
  uid?: number;
  gid?: number;
} {
  // Without a valid locale, macOS starts a thread inside the server, which then refuses to run.
  const common = { cwd: '/', env: { ...process.env, LC_ALL: 'C' } };
  // Node takes ids to spawn with as signed 32-bit numbers, but reports and chowns them unsigned.
  return identity === null ? common : { ...common, uid: identity.uid | 0, gid: identity.gid | 0 };
}

/** True when `identity` can enter `directory` and create files there (asked of the kernel, not guessed from modes). */
export function canWrite(identity: Identity, directory: string): boolean {
  const script = 'cd "$1" && : > .writable && rm .writable';
  return (
    spawnSync('/bin/sh', ['-c', script, 'sh', directory], { ...spawnAs(identity), stdio: 'ignore' })
      .status === 0
  );
}

/** True when `identity` can execute `binary --version`: the file, its directories and its shared libraries are reachable. */
export function canExecute(identity: Identity, binary: string): boolean {
  return spawnSync(binary, ['--version'], { ...spawnAs(identity), stdio: 'ignore' }).status === 0;
}
