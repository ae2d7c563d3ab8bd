import { mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CreateChannelCommand, IvsClient } from '@aws-sdk/client-ivs';
import { locateFfmpeg } from '../../local-cloud/ffmpeg/index.ts';
import { startIvs } from '../../local-cloud/ivs/index.ts';
import { chromiumPath, openBrowser } from '../../test/support/node/chromium.ts';
import { clockPoints, picture, startCamera } from '../../test/support/node/live/camera.ts';
import { type Watched, type WatchOrder, watch } from '../../test/support/node/live/screen.ts';
import { describeMachine } from '../machine.ts';
import type { Workshop } from '../peers.ts';
import { markdown, spread } from '../report.ts';
import { workerdVersion } from '../workerd/serve.ts';

const usage = 'npm run bench -- live [--quick] [--seconds 30] [--rounds 5]';
const region = 'us-east-1';
const credentials = { accessKeyId: 'AKIALOCALCLOUD', secretAccessKey: 'local-cloud-secret' };
/** What a player needs to find its place behind the live edge is not measured. */
const settleSeconds = 8;
const hlsScript = join(
  createRequire(import.meta.url).resolve('hls.js/package.json'),
  '..',
  'dist',
  'hls.min.js',
);
const page =
  '<!doctype html><meta charset="utf-8"><title>Live</title><video muted></video><script src="/hls.js"></script>';

/** How one player saw one broadcast. */
interface Viewing {
  readonly firstFrameMs: number;
  /** Glass to glass: half, 95 of a hundred, all are no older. */
  readonly ageMs: readonly [number, number, number];
  readonly stalls: number;
  readonly framesPerSecond: number;
}

/**
 * Measures the delay from a camera to a screen on this machine: frames with their time burnt in go through ffmpeg over RTMP into the
 * local IVS and come out in hls.js in Chromium, which reads the time off the frames it shows. In turn as low-latency HLS, and as the
 * same player plays plain HLS of the same stream.
 * @throws Error with the usage for arguments it does not know, and where no Chromium is installed.
 */
export async function benchLive(
  argv: readonly string[],
  workshop: Workshop,
  step: (line: string) => void,
): Promise<void> {
  const { seconds, rounds } = planOf(argv);
  if (chromiumPath === undefined) throw new Error('No Chromium found: install one or set CHROMIUM_PATH.');
  const players = [
    ['low-latency HLS', true],
    ['plain HLS', false],
  ] as const;
  const viewings = new Map<string, Viewing[]>(players.map(([name]) => [name, []]));
  for (let round = 1; round <= rounds; round += 1)
    for (const [name, lowLatency] of players) {
      const playbackUrl = await broadcast(workshop, `${round}-${lowLatency}`);
      const viewing = await view(
        workshop,
        { url: playbackUrl, lowLatency, query: '', width: picture.width, points: clockPoints },
        seconds,
      );
      await workshop.cleanup.run();
      viewings.get(name)?.push(viewing);
      step(
        `round ${round}/${rounds} ${name}: half of all frames no older than ${viewing.ageMs[0]} ms, 95 % than ${viewing.ageMs[1]} ms, ${viewing.stalls} stalls`,
      );
    }
  const source = `${picture.width}x${picture.height} at ${picture.rate} frames/s, a key frame each second, ${seconds} s after ${settleSeconds} s`;
  console.log(`\n${describeMachine(workerdVersion(), 'none', source).join('\n')}\n`);
  console.log(table(viewings));
}

function planOf(argv: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        quick: { type: 'boolean', default: false },
        seconds: { type: 'string' },
        rounds: { type: 'string' },
      },
    });
    const number = (given: string | undefined, full: number, quick: number): number => {
      const value = given === undefined ? (values.quick ? quick : full) : Number(given);
      if (!Number.isSafeInteger(value) || value < 1) throw new Error(`${given} is no count`);
      return value;
    };
    return { seconds: number(values.seconds, 30, 5), rounds: number(values.rounds, 5, 1) };
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : String(error)}\nUsage: ${usage}`);
  }
}

/** Starts the local IVS and a camera that sends to it. @returns where to watch. */
async function broadcast({ directory, cleanup }: Workshop, name: string): Promise<string> {
  const dataDir = join(directory, `live-${name}`);
  mkdirSync(dataDir);
  const ffmpeg = await locateFfmpeg();
  const ivs = await startIvs({
    region,
    credentials: [credentials],
    accountId: '111122223333',
    dataDir,
    objectStore: {
      bucketExists: () => false,
      putFile: () => Promise.reject(new Error('nothing is recorded')),
    },
    emit: () => Promise.resolve(),
    ports: { rtmp: 0, rtmps: 0, playback: 0 },
    ffmpeg,
  });
  cleanup.add(() => ivs.close());
  const api = createServer(async (request, response) => {
    if (!(await ivs.handle(request, response))) response.writeHead(404).end();
  });
  const client = new IvsClient({ region, credentials, endpoint: await listening(api) });
  cleanup.add(() => {
    client.destroy();
    api.close();
    api.closeAllConnections();
  });
  const { channel, streamKey } = await client.send(
    new CreateChannelCommand({ insecureIngest: true, type: 'BASIC', latencyMode: 'LOW' }),
  );
  const camera = startCamera(ffmpeg.command, `rtmp://127.0.0.1:${ivs.rtmpPort}/app/${streamKey?.value}`);
  cleanup.add(() => camera.cut());
  const url = channel?.playbackUrl ?? '';
  for (let look = 0; !(await fetch(url)).ok; look += 1) {
    if (look === 150) throw new Error(`the broadcast did not begin\n${camera.complaints()}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return url;
}

/** Plays it in a browser of its own. */
async function view({ cleanup }: Workshop, order: WatchOrder, seconds: number): Promise<Viewing> {
  const cinema = createServer((request, response) => {
    if (request.url === '/hls.js')
      response.setHeader('content-type', 'text/javascript').end(readFileSync(hlsScript));
    else response.setHeader('content-type', 'text/html').end(page);
  });
  const address = await listening(cinema);
  cleanup.add(() => {
    cinema.close();
    cinema.closeAllConnections();
  });
  const browser = await openBrowser(['--autoplay-policy=no-user-gesture-required']);
  cleanup.add(() => browser.close());
  await browser.open(`${address}/`);
  await browser.evaluate(`(${watch})(${JSON.stringify(order)})`);
  const read = async (): Promise<Watched> => (await browser.evaluate('watched')) as Watched;
  await pause(settleSeconds);
  const before = await read();
  await pause(seconds);
  const after = await read();
  if (after.errors.length > 0) throw new Error(`the player gave up: ${after.errors.join(', ')}`);
  const ages = after.ages.slice(before.ages.length).sort((a, b) => a - b);
  if (ages.length === 0) throw new Error('the player showed nothing');
  const at = (share: number): number => ages[Math.min(ages.length - 1, Math.floor(share * ages.length))] ?? 0;
  return {
    firstFrameMs: Math.round(after.firstFrameMs ?? 0),
    ageMs: [at(0.5), at(0.95), at(1)],
    stalls: after.stalls - before.stalls,
    framesPerSecond: ages.length / seconds,
  };
}

function table(viewings: ReadonlyMap<string, readonly Viewing[]>): string {
  const [first = []] = viewings.values();
  const rows = [...viewings].map(([name, rounds]) => {
    const of = (value: (viewing: Viewing) => number, digits = 0): string => spread(rounds.map(value), digits);
    return [
      name,
      of(({ ageMs }) => ageMs[0]),
      of(({ ageMs }) => ageMs[1]),
      of(({ ageMs }) => ageMs[2]),
      of(({ firstFrameMs }) => firstFrameMs),
      of(({ framesPerSecond }) => framesPerSecond, 1),
      of(({ stalls }) => stalls),
      spread(
        rounds.flatMap(({ ageMs }, index) => {
          const own = first[index];
          return own === undefined ? [] : [own.ageMs[0] / ageMs[0]];
        }),
        2,
      ),
    ];
  });
  return markdown(
    [
      'player',
      'median delay ms',
      '95th ms',
      'greatest ms',
      'first frame ms',
      'frames/s',
      'stalls',
      'low latency / this',
    ],
    rows,
  );
}

const pause = (seconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, seconds * 1_000));

const listening = (server: ReturnType<typeof createServer>): Promise<string> =>
  new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () =>
      resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    );
  });
