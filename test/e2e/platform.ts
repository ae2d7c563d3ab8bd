import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dotenv, writePrivateFile } from '../../local-cloud/supervisor/files.ts';
import { freePort } from '../../local-cloud/supervisor/ports.ts';
import { type Stack, startStack } from '../../local-cloud/supervisor/stack.ts';
import { startWorker, type WorkerProcess } from '../../local-cloud/supervisor/worker.ts';

const root = join(import.meta.dirname, '..', '..');

/** The whole platform in a folder of its own: the local cloud and `wrangler dev`, each of which can be stopped and started. */
export interface Platform {
  readonly apiUrl: string;
  stack(): Stack;
  worker(): WorkerProcess;
  stopWorker(): Promise<void>;
  /** Takes the Worker down without a word. */
  killWorker(): Promise<void>;
  startWorker(): Promise<void>;
  stopStack(): Promise<void>;
  startStack(): Promise<void>;
  /** The last lines the Worker printed, for failure messages. */
  log(): string;
  close(): Promise<void>;
}

export async function startPlatform(
  options: {
    readonly chaos?: { duplicate: number; reorder: number; drop: number };
    /** Of the Worker, beside those of the local cloud. */
    readonly settings?: Readonly<Record<string, string>>;
  } = {},
): Promise<Platform> {
  const stateDir = await mkdtemp(join(tmpdir(), 'social-flow-e2e-'));
  const envFile = join(stateDir, 'worker.env');
  const port = await freePort(18_787 + Math.floor(Math.random() * 1_000));
  const apiUrl = `http://127.0.0.1:${port}`;
  const lines: string[] = [];
  let stack: Stack | undefined;
  let worker: WorkerProcess | undefined;

  const platform: Platform = {
    apiUrl,
    stack: () => present(stack, 'stack'),
    worker: () => present(worker, 'worker'),
    async startStack() {
      stack = await startStack({
        root,
        stateDir,
        fresh: false,
        workerUrl: apiUrl,
        chaos: options.chaos ?? { duplicate: 0, reorder: 0, drop: 0 },
        testControls: true,
      });
      writePrivateFile(
        envFile,
        dotenv('e2e', {
          ...stack.workerSettings,
          LOG_LEVEL: 'info',
          DEBUG_ERRORS: 'true',
          ...options.settings,
        }),
      );
    },
    async stopStack() {
      await stack?.stop();
      stack = undefined;
    },
    async killWorker() {
      await worker?.kill();
      worker = undefined;
    },
    async startWorker() {
      worker = await startWorker({
        root,
        port,
        envFile,
        persistTo: join(stateDir, 'worker'),
        onLine: (line) => {
          lines.push(line);
          if (lines.length > 400) lines.shift();
        },
      });
    },
    async stopWorker() {
      await worker?.stop();
      worker = undefined;
    },
    log: () => lines.slice(-80).join('\n'),
    async close() {
      await platform.stopWorker();
      await platform.stopStack();
      await rm(stateDir, { recursive: true, force: true });
    },
  };
  try {
    await platform.startStack();
    await platform.startWorker();
  } catch (error) {
    console.error(platform.log());
    await platform.close();
    throw error;
  }
  return platform;
}

function present<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new Error(`the ${name} is not running`);
  return value;
}
