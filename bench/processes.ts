import { type ChildProcess, spawn } from 'node:child_process';
import { type CoreRole, pinned } from './machine.ts';

export interface StartedProcess {
  readonly child: ChildProcess;
  readonly pid: number;
  /** The last lines it wrote to stderr, for failures. */
  complaints(): string;
  stop(): Promise<void>;
}

export interface StartProcessOptions {
  readonly role: CoreRole;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What stdout is for; descriptor 3 is a pipe (`control`) or an IPC channel when asked for. */
  readonly stdout: 'ignore' | 'pipe';
  readonly extra?: 'control' | 'ipc';
}

const graceMs = 3_000;

/** Starts a program on the cores of its role. taskset replaces itself by it, so the pid is the program's. */
export function startProcess(options: StartProcessOptions): StartedProcess {
  const [command, args] = pinned(options.role, options.command, options.args);
  const child = spawn(command, args, {
    stdio: [
      'ignore',
      options.stdout,
      'pipe',
      ...(options.extra === undefined
        ? []
        : [options.extra === 'ipc' ? ('ipc' as const) : ('pipe' as const)]),
    ],
    env: { ...process.env, ...options.env },
  });
  if (child.pid === undefined) throw new Error(`${command} could not be started`);
  let tail = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    tail = (tail + text).slice(-4_000);
  });
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  const stop = async (): Promise<void> => {
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill(signal);
      await Promise.race([exited, new Promise((resolve) => setTimeout(resolve, graceMs).unref())]);
    }
  };
  return { child, pid: child.pid, complaints: () => tail.trim(), stop };
}

/** What a program writes to stdout until it ends. @throws Error when it fails, with what it said. */
export async function outputOf(started: StartedProcess): Promise<string> {
  let output = '';
  started.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    started.child.once('error', reject);
    started.child.once('close', resolve);
  });
  if (code !== 0)
    throw new Error(`${started.child.spawnfile} ended with ${code}:\n${output}\n${started.complaints()}`);
  return output;
}
