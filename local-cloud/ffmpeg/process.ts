import { type ChildProcess, spawn } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import { FfmpegError, lastErrorLine } from './errors.ts';
import { noteProcess } from './leftovers.ts';
import { createProgressParser } from './progress.ts';
import type { FfmpegResult, RunOptions } from './types.ts';

const STDERR_TAIL_CHARS = 16_384;
const DEFAULT_STALL_TIMEOUT_MS = 120_000;

/** A program and the arguments that come before ffmpeg's own, so that the wasm build runs like a native one. */
export type Launcher = { command: string; prefixArgs: readonly string[] };

const living = new Set<ChildProcess>();
let exitHookInstalled = false;

/** Starts a child that cannot outlive this process. */
function spawnTracked(launcher: Launcher, args: readonly string[], cwd: string): ChildProcess {
  if (!exitHookInstalled) {
    exitHookInstalled = true;
    process.once('exit', () => {
      for (const child of living) child.kill('SIGKILL');
    });
  }
  const child = spawn(launcher.command, [...launcher.prefixArgs, ...args], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  living.add(child);
  child.once('close', () => living.delete(child));
  child.once('error', () => living.delete(child));
  if (child.pid !== undefined) {
    try {
      setPriority(child.pid, constants.priority.PRIORITY_BELOW_NORMAL);
    } catch {
      // A child that is already gone, or a platform without priorities, is not a reason to fail.
    }
  }
  return child;
}

/** Number of ffmpeg processes of this process that are still alive. */
export function livingChildren(): number {
  return living.size;
}

/** Runs a launcher's program to its end; see `Ffmpeg.run`. */
export async function runProcess(
  launcher: Launcher,
  args: readonly string[],
  options: RunOptions,
): Promise<FfmpegResult> {
  const { signal } = options;
  signal?.throwIfAborted();
  const stallTimeoutMs = options.stallTimeoutMs ?? DEFAULT_STALL_TIMEOUT_MS;
  const progressArgs = options.onProgress ? ['-progress', 'pipe:1', '-stats_period', '0.25'] : [];
  const child = spawnTracked(
    launcher,
    ['-hide_banner', '-nostdin', '-nostats', '-y', ...progressArgs, ...args],
    options.cwd,
  );

  if (options.noteFile !== undefined) noteProcess(options.noteFile, child.pid);

  let stderrTail = '';
  let stalled = false;
  const stallTimer = setTimeout(() => {
    stalled = true;
    child.kill('SIGKILL');
  }, stallTimeoutMs);
  const abort = (): void => {
    child.kill('SIGKILL');
  };
  signal?.addEventListener('abort', abort, { once: true });

  const parse = options.onProgress ? createProgressParser(options.onProgress) : undefined;
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    stallTimer.refresh();
    parse?.(chunk);
  });
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    stallTimer.refresh();
    stderrTail = (stderrTail + chunk).slice(-STDERR_TAIL_CHARS);
  });

  try {
    const [exitCode, killedBy] = await new Promise<[number | null, NodeJS.Signals | null]>(
      (resolve, reject) => {
        child.once('error', reject);
        child.once('close', (code, signalName) => resolve([code, signalName]));
      },
    );
    signal?.throwIfAborted();
    if (stalled)
      throw new FfmpegError(`ffmpeg gave no sign of life for ${stallTimeoutMs} ms`, null, stderrTail);
    if (exitCode === null) throw new FfmpegError(`ffmpeg was killed by ${killedBy}`, null, stderrTail);
    if (exitCode !== 0) throw new FfmpegError(lastErrorLine(stderrTail), exitCode, stderrTail);
    return { stderrTail };
  } finally {
    clearTimeout(stallTimer);
    signal?.removeEventListener('abort', abort);
  }
}

/** Runs a query such as `-encoders` and returns what it printed on stdout, at most 1 MB of it. */
export async function queryProcess(
  launcher: Launcher,
  args: readonly string[],
  timeoutMs = 20_000,
): Promise<string> {
  const child = spawnTracked(launcher, ['-hide_banner', ...args], process.cwd());
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    if (output.length < 1_000_000) output += chunk;
  });
  child.stderr?.resume();
  try {
    return await new Promise<string>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) =>
        code === 0 ? resolve(output) : reject(new FfmpegError(`exit code ${code}`, code, '')),
      );
    });
  } finally {
    clearTimeout(timer);
  }
}
