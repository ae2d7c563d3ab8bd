import { createReadStream, openAsBlob, readFileSync } from 'node:fs';
import { Upload as TusUpload } from 'tus-js-client';
import {
  createUpload,
  type FileSource,
  fromFile,
  memoryStore,
  nodeTransport,
} from '../../clients/uploader/src/node.ts';

// One upload of one file by one client, in a process of its own: `node send.ts <client> <url> <file> <bytes>`.
const [client = '', url = '', file = '', size = '0'] = process.argv.slice(2);

const clients: Readonly<Record<string, () => Promise<unknown>>> = {
  idle: async () => undefined,
  ours: async () =>
    createUpload<FileSource>({
      source: await fromFile(file, 'video/mp4'),
      api: { baseUrl: url, getToken: () => 'token' },
      transport: nodeTransport,
      store: memoryStore(),
    }).start(),
  tus: () =>
    new Promise((resolve, reject) => {
      new TusUpload(createReadStream(file), {
        endpoint: `${url}/tus`,
        chunkSize: 10 * 1_024 * 1_024,
        uploadSize: Number(size),
        onError: reject,
        onSuccess: resolve,
      }).start();
    }),
  fetch: async () => {
    const response = await fetch(`${url}/part/1`, { method: 'PUT', body: await openAsBlob(file) });
    await response.text();
  },
};

const run = clients[client];
if (run === undefined) throw new Error(`there is no client ${client}`);
const startedAt = performance.now();
await run();
const seconds = (performance.now() - startedAt) / 1_000;
const { userCPUTime, systemCPUTime } = process.resourceUsage();
// What getrusage calls the peak is inherited from the parent; this one begins with the process (Linux).
const peakKiB = Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
process.send?.({ seconds, cpuSeconds: (userCPUTime + systemCPUTime) / 1e6, peakMiB: peakKiB / 1_024 });
process.disconnect?.();
