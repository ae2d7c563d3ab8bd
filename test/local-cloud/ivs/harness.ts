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
export { type IngestTarget, type Publication, type PublishOptions, publish } from './encoder.ts';

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
