import { execFileSync } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import { cpus, platform, release } from 'node:os';
import { delimiter, join } from 'node:path';

/** The path of a program on PATH, or undefined. */
export function programPath(name: string): string | undefined {
  for (const directory of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(directory, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this directory.
    }
  }
  return undefined;
}

const taskset = programPath('taskset');

/** Numbers of the cores this process may use; none where the system does not tell. */
function allowedCores(): string[] {
  if (platform() !== 'linux') return [];
  const [, list = ''] = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => String(first + index));
  });
}

const [serverCore = '', loaderCore = '', ...otherCores] = allowedCores();
const canPin = taskset !== undefined && loaderCore !== '';

/** Which cores each part runs on: the server has one to itself. */
const coresFor = {
  server: serverCore,
  loader: loaderCore,
  database: otherCores.length > 0 ? otherCores.join(',') : loaderCore,
} as const;

export type CoreRole = keyof typeof coresFor;

/** The command line that runs `command` on the cores of its role; unchanged where pinning is impossible. */
export const pinned = (role: CoreRole, command: string, args: readonly string[]): [string, string[]] =>
  canPin && taskset !== undefined
    ? [taskset, ['-c', coresFor[role], command, ...args]]
    : [command, [...args]];

/** Moves a running process, all its threads and what it starts from now on to the cores of a role. */
export function pinRunning(role: CoreRole, pid: number): void {
  if (canPin && taskset !== undefined)
    execFileSync(taskset, ['-a', '-c', '-p', coresFor[role], String(pid)], { stdio: 'ignore' });
}

/** Lines that say what the figures were measured on. */
export function describeMachine(workerdVersion: string, postgresVersion: string, loader: string): string[] {
  const model = cpus()[0]?.model.trim() ?? 'unknown processor';
  return [
    `Machine: ${cpus().length} cores (${model}), ${platform()} ${release()}`,
    `Versions: ${workerdVersion}; node ${process.versions.node}; Postgres ${postgresVersion}`,
    `Loader: ${loader}`,
    canPin
      ? `Pinning: server on core ${coresFor.server}, loader on core ${coresFor.loader}, Postgres and Neon bridge on core ${coresFor.database}`
      : 'Pinning: none (needs taskset and two cores), so the parts compete for the same cores',
  ];
}
