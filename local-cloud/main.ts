import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { seed } from '../scripts/seed.ts';
import { dotenv, writePrivateFile } from './supervisor/files.ts';
import { parseOptions, type StartOptions, usage } from './supervisor/options.ts';
import { freePort } from './supervisor/ports.ts';
import { type Stack, startStack } from './supervisor/stack.ts';
import { status } from './supervisor/status.ts';
import { startWorker, type WorkerProcess } from './supervisor/worker.ts';
import { readableLine } from './supervisor/worker-log.ts';

// The local cloud: everything Social Flow needs, on this machine, with no account. For development only.

const root = resolve(import.meta.dirname, '..');

function showWorkerLine(line: string): void {
  const readable = readableLine(line);
  if (readable !== undefined) status.service('worker', readable);
}

async function main(options: StartOptions): Promise<number> {
  const startedAt = Date.now();
  const stateDir = resolve(root, options.stateDir ?? '.local-cloud');
  const workerPort = await freePort(options.workerPort);
  const workerUrl = `http://127.0.0.1:${workerPort}`;
  let stack: Stack | undefined;
  let worker: WorkerProcess | undefined;
  let stopping: Promise<void> | undefined;

  const stopAll = (): Promise<void> => {
    stopping ??= (async () => {
      status.title('Stopping');
      await worker?.stop();
      await stack?.stop();
      status.ok('stopped', 'nothing is left running; data is kept for the next start');
    })();
    return stopping;
  };
  const interruption = new AbortController();
  const { signal } = interruption;
  const interrupted = new Promise<'interrupted'>((done) => {
    signal.addEventListener('abort', () => done('interrupted'));
  });
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(name, () => interruption.abort(new Error('interrupted')));
  /** What `work` comes to, unless the user does not want to wait for it. */
  const unlessInterrupted = async <T>(work: Promise<T>): Promise<T> => {
    const outcome = await Promise.race([work, interrupted]);
    signal.throwIfAborted();
    return outcome as T;
  };

  try {
    status.title('Social Flow local cloud (for development only)');
    stack = await startStack({
      root,
      stateDir,
      fresh: options.fresh,
      workerUrl,
      chaos: options.chaos,
      signal,
    });
    if (options.fresh) rmSync(join(root, '.wrangler', 'state'), { recursive: true, force: true });
    writePrivateFile(
      join(root, '.dev.vars'),
      dotenv('Settings of the Worker for the local cloud. Written by npm start.', stack.workerSettings),
    );
    if (options.seed) {
      const seededAt = Date.now();
      const world = await unlessInterrupted(seed({ ...stack.workerSettings, ...stack.ownerSettings }));
      status.ok(
        'demo data',
        `${world.people} people, ${world.posts} posts, ${world.videos} videos; password: ${world.password}`,
        seededAt,
      );
    }
    if (options.worker) {
      const workerStartedAt = Date.now();
      worker = await startWorker({
        root,
        port: workerPort,
        onLine: showWorkerLine,
        signal,
      });
      status.ok('worker', `${worker.url}`, workerStartedAt);
      const firstCron = worker
        .runCron('* * * * *')
        .catch(() => status.warn('the first cron run did not finish; the next is in a minute'));
      await unlessInterrupted(firstCron);
    }
    status.title(`Ready after ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
    status.note(`API        ${workerUrl}`);
    status.note(`Reference  ${workerUrl}/docs`);
    status.note(`Mails      ${stack.mailUrl}`);
    status.note(`Webhooks   ${stack.webhookInboxUrl}   (give an endpoint ${stack.webhookInboxUrl}/in/me)`);
    status.note(
      `Log in by  ${stack.oauthUrl}   (Google, Facebook, X, GitHub, Apple: stand-ins, offered by the API)`,
    );
    status.note(
      options.worker ? 'Tour       npm run demo   (in a second terminal)' : 'Now run    npx wrangler dev',
    );
    status.note('Stop       Ctrl-C');

    const ended = await Promise.race([
      interrupted,
      stack.broken,
      ...(worker === undefined ? [] : [worker.exited.then((code) => `wrangler dev ended with code ${code}`)]),
    ]);
    if (ended !== 'interrupted') status.fail(ended);
    await stopAll();
    return ended === 'interrupted' ? 0 : 1;
  } catch (error) {
    if (!signal.aborted) status.fail(error instanceof Error ? error.message : String(error));
    await stopAll();
    return signal.aborted ? 0 : 1;
  }
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) console.log(usage);
  // At once: a start given up half-way may still have work on its hands.
  else process.exit(await main(options));
} catch (error) {
  console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
  process.exitCode = 2;
}
