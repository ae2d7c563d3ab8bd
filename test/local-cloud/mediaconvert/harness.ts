import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { MediaConvertClient } from '@aws-sdk/client-mediaconvert';
import type { EventBridgeEvent } from '../../../local-cloud/events/index.ts';
import type { Ffmpeg } from '../../../local-cloud/ffmpeg/index.ts';
import {
  createMediaConvertHandler,
  type MediaConvertOptions,
  type ObjectStore,
} from '../../../local-cloud/mediaconvert/index.ts';
import { newDirectory } from './directories.ts';

export const REGION = 'us-east-1';
export const ACCOUNT = '111122223333';
export const CREDENTIALS = { accessKeyId: 'AKIALOCALCLOUD', secretAccessKey: 'local-cloud-secret' };

export type FolderStore = ObjectStore & {
  root: string;
  types: Map<string, string>;
  keys(bucket: string): string[];
  path(bucket: string, key: string): string;
  put(bucket: string, key: string, content: string | Buffer): void;
  text(bucket: string, key: string): string;
};

/** Buckets as plain folders. */
export function folderStore(): FolderStore {
  const root = newDirectory('buckets');
  const types = new Map<string, string>();
  const path = (bucket: string, key: string): string => join(root, bucket, key);
  for (const bucket of ['raw', 'vod', 'assets']) mkdirSync(join(root, bucket));
  return {
    root,
    types,
    path,
    objectPath: (bucket, key) => (existsSync(path(bucket, key)) ? path(bucket, key) : undefined),
    async putFile(bucket, key, sourcePath, { contentType }) {
      if (!existsSync(join(root, bucket))) throw new Error('NoSuchBucket');
      mkdirSync(dirname(path(bucket, key)), { recursive: true });
      copyFileSync(sourcePath, path(bucket, key));
      types.set(key, contentType);
    },
    async deleteObject(bucket, key) {
      rmSync(path(bucket, key), { force: true });
    },
    keys: (bucket) =>
      readdirSync(join(root, bucket), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(join(root, bucket).length + 1))
        .sort(),
    put: (bucket, key, content) => {
      mkdirSync(dirname(path(bucket, key)), { recursive: true });
      writeFileSync(path(bucket, key), content);
    },
    text: (bucket, key) => readFileSync(path(bucket, key), 'utf8'),
  };
}

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
