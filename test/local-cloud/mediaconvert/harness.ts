import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MediaConvertClient } from '@aws-sdk/client-mediaconvert';
import type { EventBridgeEvent } from '../../../local-cloud/events/index.ts';
import type { Ffmpeg } from '../../../local-cloud/ffmpeg/index.ts';
import {
  createMediaConvertHandler,
  type MediaConvertOptions,
} from '../../../local-cloud/mediaconvert/index.ts';
import { newDirectory } from './directories.ts';
import { ACCOUNT, CREDENTIALS, type FolderStore, openFolderStore, REGION } from './folder-store.ts';

export type { FolderStore } from './folder-store.ts';

export { ACCOUNT, CREDENTIALS, REGION } from './folder-store.ts';

/** Buckets as plain folders, gone when the test file is done. */
export const folderStore = (): FolderStore => openFolderStore(newDirectory('buckets'));

export type Cloud = {
  client: MediaConvertClient;
  url: string;
  store: FolderStore;
  dataDir: string;
  events: EventBridgeEvent[];
  logs: string[];
  /** Status of every event of a job, in the order of arrival. */
  statuses(jobId: string): string[];
  close(): Promise<void>;
};

export type CloudOptions = Partial<MediaConvertOptions> & { ffmpeg: Ffmpeg; store?: FolderStore };

/** The MediaConvert emulator on a free port, with the vendor's own client pointed at it. */
export async function startCloud(options: CloudOptions): Promise<Cloud> {
  const { store = folderStore(), ...overrides } = options;
  const dataDir = options.dataDir ?? newDirectory('mediaconvert');
  const events: EventBridgeEvent[] = [];
  const logs: string[] = [];
  const handler = createMediaConvertHandler({
    region: REGION,
    credentials: [CREDENTIALS],
    accountId: ACCOUNT,
    objectStore: store,
    emit: async (event) => {
      events.push(structuredClone(event));
    },
    statusUpdateIntervalMs: 0,
    log: (line) => logs.push(line),
    ...overrides,
    dataDir,
  });
  const server = createServer(async (request, response) => {
    if (!(await handler.handle(request, response))) response.writeHead(418).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const client = new MediaConvertClient({
    region: REGION,
    endpoint: url,
    credentials: CREDENTIALS,
    maxAttempts: 1,
  });
  return {
    client,
    url,
    store,
    dataDir,
    events,
    logs,
    statuses: (jobId) =>
      events.filter((event) => event.detail.jobId === jobId).map((event) => String(event.detail.status)),
    async close() {
      client.destroy();
      server.close();
      server.closeAllConnections();
      await handler.close();
    },
  };
}

/** Polls until a value is there; the test's own timeout bounds it. */
export async function until<T>(read: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (;;) {
    const value = await read();
    if (value !== undefined) return value;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
