import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type Channel,
  CreateChannelCommand,
  type CreateChannelCommandInput,
  IvsClient,
  type StreamKey,
} from '@aws-sdk/client-ivs';
import type { EventBridgeEvent } from '../../../local-cloud/events/index.ts';
import { type Ffmpeg, locateFfmpeg } from '../../../local-cloud/ffmpeg/index.ts';
import { type Ivs, type IvsOptions, startIvs } from '../../../local-cloud/ivs/index.ts';
import { newDirectory } from '../mediaconvert/directories.ts';
import {
  ACCOUNT,
  CREDENTIALS,
  type FolderStore,
  openFolderStore,
  REGION,
} from '../mediaconvert/folder-store.ts';

export { ACCOUNT, CREDENTIALS, REGION } from '../mediaconvert/folder-store.ts';

export type Cloud = {
  readonly ivs: Ivs;
  readonly client: IvsClient;
  readonly url: string;
  readonly events: EventBridgeEvent[];
  readonly logs: string[];
  readonly store: FolderStore;
  readonly ffmpeg: Ffmpeg;
  /** Names of the events of a type about a channel, in the order in which they were told. */
  names(channelArn: string | undefined, type?: string): string[];
  createChannel(input?: CreateChannelCommandInput): Promise<{ channel: Made<Channel>; key: Made<StreamKey> }>;
  close(): Promise<void>;
};

type Made<T> = { readonly [K in keyof T]-?: Exclude<T[K], undefined> };

/** The IVS emulator on free ports, with the vendor's own client pointed at it. */
export async function startCloud(
  overrides: Partial<IvsOptions> & { store?: FolderStore } = {},
): Promise<Cloud> {
  const { store = openFolderStore(newDirectory('buckets')), ...options } = overrides;
  const events: EventBridgeEvent[] = [];
  const logs: string[] = [];
  const ffmpeg = options.ffmpeg ?? (await locateFfmpeg());
  const ivs = await startIvs({
    region: REGION,
    credentials: [CREDENTIALS],
    accountId: ACCOUNT,
    dataDir: newDirectory('ivs'),
    objectStore: { bucketExists: (bucket) => bucket === 'vod', putFile: store.putFile },
    emit: async (event) => {
      events.push(structuredClone(event));
    },
    ports: { rtmp: 0, rtmps: 0, playback: 0 },
    throttled: false,
    // Long enough for a machine that is busy with other things.
    starvationMs: 60_000,
    log: (line) => logs.push(line),
    ...options,
    ffmpeg,
  });
  const server = createServer(async (request, response) => {
    if (!(await ivs.handle(request, response))) response.writeHead(418).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = new IvsClient({ region: REGION, endpoint: url, credentials: CREDENTIALS, maxAttempts: 1 });
  return {
    ivs,
    client,
    url,
    events,
    logs,
    store,
    ffmpeg,
    names: (channelArn, type = 'IVS Stream State Change') =>
      events
        .filter((event) => event['detail-type'] === type && event.resources[0] === channelArn)
        .map(({ detail }) => String(detail.event_name ?? detail.recording_status ?? detail.limit_name)),
    async createChannel(input = {}) {
      const made = await client.send(
        new CreateChannelCommand({ insecureIngest: true, type: 'BASIC', ...input }),
      );
      return { channel: made.channel as Made<Channel>, key: made.streamKey as Made<StreamKey> };
    },
    async close() {
      client.destroy();
      server.close();
      server.closeAllConnections();
      await ivs.close();
    },
  };
}

export type Publication = {
  readonly child: ChildProcess;
  /** Exit code, null when it was killed. */
  readonly ended: Promise<number | null>;
  stderr(): string;
  stop(): Promise<void>;
};

export type PublishOptions = {
  secure?: boolean;
  seconds?: number;
  /** Arguments instead of those that make H.264 and AAC. */
  codecs?: readonly string[];
  size?: string;
  /** Between key frames. */
  gopSeconds?: number;
  query?: string;
};

const RATE = 15;

/** Where encoders connect to, and the ffmpeg that plays one. */
export type IngestTarget = {
  readonly ivs: Pick<Ivs, 'rtmpPort' | 'rtmpsPort'>;
  readonly ffmpeg: Ffmpeg;
};

/** ffmpeg publishes a small test picture with sound, as fast as it plays. */
export function publish(cloud: IngestTarget, key: string, options: PublishOptions = {}): Publication {
  const { secure = false, seconds = 600, size = '160x90', gopSeconds = 1, query = '' } = options;
  const port = secure ? cloud.ivs.rtmpsPort : cloud.ivs.rtmpPort;
  const codecs = options.codecs ?? [
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-pix_fmt', 'yuv420p'],
    ...['-g', String(RATE * gopSeconds), '-keyint_min', String(RATE * gopSeconds), '-sc_threshold', '0'],
    ...['-c:a', 'aac', '-b:a', '64k'],
  ];
  const child = spawn(
    cloud.ffmpeg.command,
    [
      ...['-hide_banner', '-loglevel', 'error', '-nostdin', '-re'],
      ...['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=${RATE}`],
      ...['-re', '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000'],
      ...['-t', String(seconds), ...codecs, '-f', 'flv'],
      `${secure ? 'rtmps' : 'rtmp'}://127.0.0.1:${port}/app/${key}${query}`,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  publications.add(child);
  ended.then(() => publications.delete(child));
  return {
    child,
    ended,
    stderr: () => stderr,
    async stop() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

const publications = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of publications) child.kill('SIGKILL');
});

/** Polls until a value is there; the test's own timeout bounds it. */
export async function until<T>(read: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (;;) {
    const value = await read();
    if (value !== undefined) return value;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Waits until an event about a channel was told. */
export const told = (
  cloud: Cloud,
  channelArn: string,
  name: string,
  type?: string,
  times = 1,
): Promise<true> =>
  until(() =>
    cloud.names(channelArn, type).filter((candidate) => candidate === name).length >= times
      ? true
      : undefined,
  );
