import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUCKET, MIB, sendRaw } from './support/server.ts';
import { signRaw } from './support/sign.ts';

const NODE = join(import.meta.dirname, '../../../node_modules/.bin/node');
const SERVER = join(import.meta.dirname, 'support/server-process.ts');
const ALLOWED_GROWTH_BYTES = 140 * MIB;

let child: ChildProcess;
let dataDir: string;
let port: number;
let peakAtStart: number;

type Report = { port: number; peakBytes: number };
const nextReport = async (): Promise<Report> => (await once(child, 'message'))[0] as Report;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 's3-memory-'));
  child = fork(SERVER, [dataDir, BUCKET], { execPath: NODE });
  const report = await nextReport();
  port = report.port;
  peakAtStart = report.peakBytes;
});
afterAll(async () => {
  const exited = once(child, 'exit');
  child.disconnect();
  await exited;
  await rm(dataDir, { recursive: true, force: true });
});

const growthBytes = async (): Promise<number> => {
  const report = nextReport();
  child.send('report');
  return (await report).peakBytes - peakAtStart;
};

const zeros = (totalBytes: number): Readable =>
  Readable.from(
    (function* () {
      for (let sent = 0; sent < totalBytes; sent += MIB) yield Buffer.alloc(MIB);
    })(),
  );

const upload = (path: string, query: string | undefined, bytes: number) => {
  const { headers } = signRaw({ method: 'PUT', host: `127.0.0.1:${port}`, path, ...(query && { query }) });
  const target = query === undefined ? path : `${path}?${query}`;
  return sendRaw(
    { port },
    { method: 'PUT', target, headers: { ...headers, 'content-length': String(bytes) }, body: zeros(bytes) },
  );
};

const download = async (path: string): Promise<number> => {
  const { headers } = signRaw({ method: 'GET', host: `127.0.0.1:${port}`, path });
  const outgoing = request({ host: '127.0.0.1', port, path, headers, agent: false });
  outgoing.end();
  const [incoming] = (await once(outgoing, 'response')) as [Readable];
  let received = 0;
  for await (const chunk of incoming) received += (chunk as Buffer).length;
  return received;
};

describe('the memory of the server', () => {
  it('does not grow with the size of an upload, a multipart completion or a download', async () => {
    const path = `/${BUCKET}/large`;
    expect((await upload(path, undefined, 200 * MIB)).status).toBe(200);

    const post = async (query: string, body?: Buffer) => {
      const { headers } = signRaw({ method: 'POST', host: `127.0.0.1:${port}`, path, query });
      return sendRaw(
        { port },
        {
          method: 'POST',
          target: `${path}?${query}`,
          headers: { ...headers, 'content-length': String(body?.length ?? 0) },
          ...(body && { body }),
        },
      );
    };
    const uploadId = /<UploadId>(.*?)<\/UploadId>/.exec((await post('uploads=')).text)?.[1] ?? '';
    const parts = await Promise.all(
      [1, 2, 3, 4].map((number) => upload(path, `partNumber=${number}&uploadId=${uploadId}`, 50 * MIB)),
    );
    const list = parts.map(
      (part, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>${part.headers.etag}</ETag></Part>`,
    );
    const body = Buffer.from(`<CompleteMultipartUpload>${list.join('')}</CompleteMultipartUpload>`);
    expect((await post(`uploadId=${uploadId}`, body)).status).toBe(200);
    expect(await Promise.all([download(path), download(path)])).toEqual([200 * MIB, 200 * MIB]);

    expect(await growthBytes()).toBeLessThan(ALLOWED_GROWTH_BYTES);
  });
});
