import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';

export interface WorkerProcess {
  readonly url: string;
  /** Resolves with the exit code once the process is gone, whether asked to stop or not. */
  readonly exited: Promise<number>;
  /** Runs a cron expression now, as Cloudflare's scheduler would. */
  runCron(cron: string): Promise<void>;
  stop(): Promise<void>;
  /** Ends it at once, with nothing put in order, as a crash of the machine would. */
  kill(): Promise<void>;
}

export interface StartWorkerOptions {
  readonly root: string;
  readonly port: number;
  readonly onLine: (line: string) => void;
  readonly readyTimeoutMs?: number;
  /** Gives the start up. */
  readonly signal?: AbortSignal;
  /** Where the Worker's own state goes; wrangler's default when absent. */
  readonly persistTo?: string;
  /** Settings file used instead of `.dev.vars`. */
  readonly envFile?: string;
}

const crons = { '* * * * *': 60_000, '17 * * * *': 3_600_000, '41 3 * * *': 86_400_000 } as const;

/** Starts `wrangler dev` and waits until it answers. Nothing schedules crons locally, so this does. */
export async function startWorker(options: StartWorkerOptions): Promise<WorkerProcess> {
  const wrangler = join(
    dirname(createRequire(import.meta.url).resolve('wrangler/package.json')),
    'bin',
    'wrangler.js',
  );
  const child = spawn(
    process.execPath,
    [
      join(import.meta.dirname, 'guard.ts'),
      process.execPath,
      wrangler,
      'dev',
      '--ip',
      '127.0.0.1',
      '--port',
      String(options.port),
      '--inspector-port',
      '0',
      '--show-interactive-dev-session=false',
      ...(options.persistTo === undefined ? [] : ['--persist-to', options.persistTo]),
      ...(options.envFile === undefined ? [] : ['--env-file', options.envFile]),
    ],
    {
      cwd: options.root,
      // A group of its own, so that wrangler and the workerd under it end together. Its input stays open as long as we live.
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {
        ...process.env,
        WRANGLER_SEND_METRICS: 'false',
        CLOUDFLARE_CF_FETCH_ENABLED: 'false',
        NO_UPDATE_NOTIFIER: '1',
        CI: '1',
      },
    },
  );
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', options.onLine);
  const exited = new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
  const url = `http://127.0.0.1:${options.port}`;

  const timers: NodeJS.Timeout[] = [];
  const runCron = async (cron: string): Promise<void> => {
    const response = await fetch(`${url}/cdn-cgi/handler/scheduled?cron=${encodeURIComponent(cron)}`, {
      signal: AbortSignal.timeout(120_000),
    });
    await response.arrayBuffer();
  };
  const stop = async (): Promise<void> => {
    for (const timer of timers) clearInterval(timer);
    await stopGroup(child, exited);
  };
  const kill = async (): Promise<void> => {
    for (const timer of timers) clearInterval(timer);
    if (child.pid === undefined || !signalGroup(child.pid, 'SIGKILL')) return;
    await exited;
    await groupRemains(child.pid);
  };
  try {
    await waitUntilReady(url, exited, options);
  } catch (error) {
    await stop();
    throw error;
  }
  for (const [cron, everyMs] of Object.entries(crons))
    timers.push(setInterval(() => runCron(cron).catch(() => undefined), everyMs).unref());
  return { url, exited, runCron, stop, kill };
}

async function waitUntilReady(
  url: string,
  exited: Promise<number>,
  { signal, readyTimeoutMs: timeoutMs = 120_000 }: StartWorkerOptions,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  let gone = false;
  exited.then(() => {
    gone = true;
  });
  while (Date.now() < deadline) {
    signal?.throwIfAborted();
    if (gone) throw new Error('wrangler dev ended before it was ready; its last lines above say why');
    const response = await fetch(`${url}/livez`, { signal: AbortSignal.timeout(2_000) }).catch(
      () => undefined,
    );
    if (response?.ok === true) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`the Worker did not answer at ${url}/livez within ${timeoutMs / 1000} s`);
}

async function stopGroup(child: ChildProcess, exited: Promise<number>): Promise<void> {
  const { pid } = child;
  if (pid === undefined) return;
  for (const [signal, graceMs] of [
    ['SIGINT', 3_000],
    ['SIGTERM', 2_000],
    ['SIGKILL', 2_000],
  ] as const) {
    if (!signalGroup(pid, signal)) return;
    await Promise.race([exited, new Promise((resolve) => setTimeout(resolve, graceMs))]);
    if (!(await groupRemains(pid))) return;
  }
}

function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch {
    return false;
  }
}

// workerd outlives wrangler by a moment; the group is gone when no member is left.
async function groupRemains(pid: number): Promise<boolean> {
  for (let check = 0; check < 10; check += 1) {
    if (!signalGroup(pid, 0)) return false;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return true;
}
