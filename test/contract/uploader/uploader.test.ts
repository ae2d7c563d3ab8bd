import { randomBytes } from 'node:crypto';
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { retryAfterMs, waitBefore } from '../../../clients/uploader/src/backoff.ts';
import {
  createUpload,
  type FileSource,
  fileStore,
  fromFile,
  memoryStore,
  nodeTransport,
  type UploadOptions,
  type UploadState,
} from '../../../clients/uploader/src/node.ts';
import { partBytes, startUploadServer, type UploadServer } from './upload-server.ts';

let server: UploadServer;
let folder: string;
let path: string;
let bytes: Buffer;

beforeEach(async () => {
  server = await startUploadServer();
  folder = await mkdtemp(join(tmpdir(), 'social-flow-uploader-'));
  path = join(folder, 'film.mp4');
  bytes = randomBytes(partBytes * 9 + 1_234);
  await writeFile(path, bytes);
});

afterEach(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

const uploadOf = async (changes: Partial<UploadOptions<FileSource>> = {}) =>
  createUpload<FileSource>({
    source: await fromFile(path, 'video/mp4'),
    api: { baseUrl: server.url, getToken: () => 'good' },
    transport: nodeTransport,
    store: memoryStore(),
    retryBaseMs: 5,
    ...changes,
  });

const only = () => {
  expect(server.uploads.size).toBe(1);
  const [upload] = server.uploads.values();
  if (upload === undefined) throw new Error('no upload');
  return upload;
};

const until = async (met: () => boolean) => {
  for (let look = 0; look < 2_000 && !met(); look += 1)
    await new Promise((resolve) => setTimeout(resolve, 5));
  expect(met()).toBe(true);
};

describe('an upload', () => {
  it('sends the file whole, every part once, and says how far it is', async () => {
    const states: UploadState[] = [];
    const percents: number[] = [];
    const upload = await uploadOf({ metadata: { title: 'A film', visibility: 'unlisted' } });
    upload.on('state', (state) => states.push(state));
    upload.on('progress', ({ percent }) => percents.push(percent));
    const result = await upload.start();
    expect(upload.start()).toBe(upload.start());
    const sent = only();
    expect(result).toEqual({ uploadId: sent.id, videoId: sent.video_id });
    expect(sent.state).toBe('completed');
    expect(server.joined(sent).equals(bytes)).toBe(true);
    expect(server.received.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(server.mostAtOnce).toBeLessThanOrEqual(3);
    expect(sent.body).toEqual({
      title: 'A film',
      visibility: 'unlisted',
      file_name: 'film.mp4',
      size_bytes: bytes.length,
      content_type: 'video/mp4',
    });
    expect(states).toEqual(['starting', 'sending', 'completing', 'complete']);
    expect(percents.at(-1)).toBe(100);
    expect(upload.progress).toMatchObject({ bytesSent: bytes.length, bytesTotal: bytes.length });
  });

  it('sends several parts at once, as many as it may', async () => {
    server.partMs = 20;
    await (await uploadOf({ concurrency: 5 })).start();
    expect(server.mostAtOnce).toBe(5);
    const alone = await startUploadServer();
    alone.partMs = 5;
    await (await uploadOf({ concurrency: 1, api: { baseUrl: alone.url, getToken: () => 'good' } })).start();
    expect(alone.mostAtOnce).toBe(1);
    await alone.close();
  });

  it('comes through a network that breaks and servers that stumble, and sends no part in vain', async () => {
    const failed = new Map<string, number>();
    server.fault = ({ method, path: asked, part }) => {
      if (method === 'OPTIONS') return undefined;
      const what = `${method} ${asked} ${part ?? ''}`;
      const times = failed.get(what) ?? 0;
      if (times >= 2) return undefined;
      failed.set(what, times + 1);
      return times === 0 ? 'drop' : 503;
    };
    const retries: string[] = [];
    const upload = await uploadOf();
    upload.on('retry', ({ what }) => retries.push(what));
    await upload.start();
    expect(server.joined(only()).equals(bytes)).toBe(true);
    expect(server.received).toHaveLength(10);
    expect(retries.filter((what) => what.startsWith('part')).length).toBeGreaterThanOrEqual(20);
    expect(retries).toContain('POST /');
  });

  it('waits as long as it is told to', async () => {
    let refusedAtMs = 0;
    server.fault = ({ part }) => {
      if (part !== 4 || refusedAtMs !== 0) return undefined;
      refusedAtMs = Date.now();
      return { status: 503, retryAfter: '1' };
    };
    const waits: number[] = [];
    const upload = await uploadOf();
    upload.on('retry', ({ waitMs }) => waits.push(waitMs));
    await upload.start();
    expect(waits).toHaveLength(1);
    expect(waits[0]).toBeGreaterThanOrEqual(1_000);
  });

  it('has addresses signed anew once they ran out', async () => {
    server.urlLifeMs = 40_000;
    const upload = await uploadOf({ concurrency: 1 });
    let parts = 0;
    upload.on('part', () => {
      parts += 1;
      // From the third part on, every address is already over when it is used.
      if (parts === 3) server.urlLifeMs = -1_000;
      if (parts === 4) server.urlLifeMs = 40_000;
    });
    upload.on('retry', () => {
      server.urlLifeMs = 40_000;
    });
    await upload.start();
    expect(server.joined(only()).equals(bytes)).toBe(true);
  });

  it('asks for another token when its own is refused, and ends when that is refused too', async () => {
    let token = 'old';
    const asked: boolean[] = [];
    const getToken = ({ refresh }: { refresh: boolean }) => {
      asked.push(refresh);
      if (refresh) token = 'good';
      return token;
    };
    await (await uploadOf({ api: { baseUrl: server.url, getToken } })).start();
    expect(asked.filter(Boolean)).toHaveLength(1);
    const refused = await uploadOf({ api: { baseUrl: server.url, getToken: () => 'bad' } });
    await expect(refused.start()).rejects.toMatchObject({ code: 'api_refused', status: 401 });
    expect(refused.state).toBe('failed');
  });

  it('shows why the API refuses', async () => {
    server.fault = ({ path: asked }) => (asked === '/v1/videos/uploads' ? 422 : undefined);
    await expect((await uploadOf()).start()).rejects.toMatchObject({
      name: 'UploadError',
      code: 'api_refused',
      status: 422,
      problem: { code: 'test.fault' },
    });
    expect(server.uploads.size).toBe(0);
  });

  it('gives a part up after so many failures, and goes on from there another time', async () => {
    const store = memoryStore();
    server.fault = ({ part }) => (part === 6 ? 'drop' : undefined);
    await expect((await uploadOf({ store, maxAttempts: 3 })).start()).rejects.toMatchObject({
      code: 'network',
    });
    const before = server.received.length;
    expect(before).toBeGreaterThan(0);
    server.fault = () => undefined;
    await (await uploadOf({ store })).start();
    expect(server.joined(only()).equals(bytes)).toBe(true);
    expect(server.received).toHaveLength(10);
  });

  it.each([
    ['the API', 503],
    ['the API', 429],
    ['the storage', 503],
  ])('goes on another time where it was when %s answered %i all the time', async (where, status) => {
    const store = memoryStore();
    const upload = await uploadOf({ store, maxAttempts: 2 });
    server.fault = ({ path: asked, part }) =>
      (where === 'the API' ? asked.endsWith('/complete') : part === 6) ? status : undefined;
    await expect(upload.start()).rejects.toMatchObject({ status });
    server.fault = () => undefined;
    await (await uploadOf({ store })).start();
    expect(server.joined(only()).equals(bytes)).toBe(true);
    expect(server.received).toHaveLength(10);
  });

  it('goes on another time where it was when its account was signed out meanwhile', async () => {
    const store = memoryStore();
    const upload = await uploadOf({ store });
    upload.on('part', () => {
      server.token = 'other';
    });
    await expect(upload.start()).rejects.toMatchObject({ status: 401 });
    server.token = 'good';
    await (await uploadOf({ store })).start();
    expect(server.joined(only()).equals(bytes)).toBe(true);
  });

  it('does not try what the storage refuses for good', async () => {
    server.fault = ({ part }) => (part === 2 ? 404 : undefined);
    await expect((await uploadOf()).start()).rejects.toMatchObject({ code: 'storage_refused', status: 404 });
    expect(server.log.filter((line) => line.startsWith('PUT /store')).length).toBeLessThan(12);
  });
});

describe('an upload that is held up', () => {
  it('stops when it is paused, and goes on where it was', async () => {
    server.partMs = 15;
    const upload = await uploadOf({ concurrency: 2 });
    const running = upload.start();
    await until(() => server.received.length >= 3);
    upload.pause();
    expect(upload.state).toBe('paused');
    await new Promise((resolve) => setTimeout(resolve, 80));
    const held = server.received.length;
    await new Promise((resolve) => setTimeout(resolve, 80));
    expect(server.received).toHaveLength(held);
    expect(upload.progress.bytesSent).toBeLessThan(bytes.length);
    upload.resume();
    await running;
    expect(server.joined(only()).equals(bytes)).toBe(true);
    // Only what was on its way when it stopped may have come twice.
    expect(server.received.length).toBeLessThanOrEqual(12);
  });

  it('goes on although its news of sent parts hung when it was paused', async () => {
    bytes = randomBytes(partBytes * 45);
    await writeFile(path, bytes);
    let hangs = true;
    const abortOf = (signal: AbortSignal | null | undefined, ms: number) =>
      new Promise<never>((_, reject) =>
        signal?.addEventListener('abort', () => setTimeout(() => reject(signal.reason), ms)),
      );
    const upload = await uploadOf({
      api: {
        baseUrl: server.url,
        getToken: () => 'good',
        // Browsers end a fetch some time after it was aborted.
        fetch: (input, init) =>
          hangs && init?.method === 'PUT' ? abortOf(init.signal, 30) : fetch(input, init),
      },
      transport: (part) =>
        hangs && part.start >= partBytes * 42 ? abortOf(part.signal, 0) : nodeTransport(part),
    });
    const running = upload.start();
    await until(() => server.received.length === 42);
    await new Promise((resolve) => setTimeout(resolve, 30));
    upload.pause();
    await new Promise((resolve) => setTimeout(resolve, 100));
    hangs = false;
    upload.resume();
    await running;
    expect(server.joined(only()).equals(bytes)).toBe(true);
  });

  it('may be paused before it begins, and at any time', async () => {
    const upload = await uploadOf();
    upload.pause();
    const running = upload.start();
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(server.log).toEqual([]);
    upload.resume();
    for (let turn = 0; turn < 20; turn += 1) {
      await new Promise((resolve) => setTimeout(resolve, 2));
      upload.pause();
      await new Promise((resolve) => setTimeout(resolve, 1));
      upload.resume();
    }
    await running;
    expect(server.joined(only()).equals(bytes)).toBe(true);
  });

  it('is taken up by another process from what the folder remembers', async () => {
    const store = fileStore(join(folder, 'state'));
    server.partMs = 15;
    const first = await uploadOf({ store, concurrency: 1 });
    void first.start().catch(() => undefined);
    await until(() => server.received.length >= 4);
    first.pause();
    const second = await uploadOf({ store: fileStore(join(folder, 'state')) });
    await second.start();
    expect(server.joined(only()).equals(bytes)).toBe(true);
    expect(server.received.length).toBeLessThanOrEqual(11);
    const third = await uploadOf({ store });
    await third.start();
    expect(server.uploads.size).toBe(2);
  });

  it('makes one upload although the answer to its first request was lost', async () => {
    const store = memoryStore();
    const lost = createUpload<FileSource>({
      source: await fromFile(path, 'video/mp4'),
      api: {
        baseUrl: server.url,
        getToken: () => 'good',
        fetch: async (input, init) => {
          await fetch(input, init);
          throw new TypeError('lost');
        },
      },
      transport: nodeTransport,
      store,
      maxAttempts: 2,
      retryBaseMs: 1,
    });
    await expect(lost.start()).rejects.toMatchObject({ code: 'network' });
    await (await uploadOf({ store, metadata: { title: 'said otherwise' } })).start();
    expect(server.joined(only()).equals(bytes)).toBe(true);
  });

  it.each(['expired', 'aborted', 'gone'] as const)('begins anew when the server says: %s', async (end) => {
    const store = memoryStore();
    server.fault = ({ part }) => (part === 8 ? 'drop' : undefined);
    await expect((await uploadOf({ store, maxAttempts: 2 })).start()).rejects.toMatchObject({
      code: 'network',
    });
    const first = only();
    if (end === 'gone') server.uploads.delete(first.id);
    else first.state = end;
    server.fault = () => undefined;
    const { uploadId } = await (await uploadOf({ store })).start();
    expect(uploadId).not.toBe(first.id);
    expect(server.uploads.get(uploadId)?.state).toBe('completed');
  });

  it('is known as complete when only the last answer was lost', async () => {
    let lost = 0;
    const upload = await uploadOf({
      api: {
        baseUrl: server.url,
        getToken: () => 'good',
        fetch: async (input, init) => {
          const response = await fetch(input, init);
          if (!String(input).endsWith('/complete') || lost > 0) return response;
          lost += 1;
          throw new TypeError('lost');
        },
      },
    });
    await upload.start();
    expect(lost).toBe(1);
    expect(only().state).toBe('completed');
  });

  it('sends again what the server turns out not to have', async () => {
    const upload = await uploadOf();
    let dropped = false;
    server.fault = ({ path: asked }) => {
      if (asked.endsWith('/complete') && !dropped) {
        dropped = true;
        only().held.delete(5);
      }
      return undefined;
    };
    await upload.start();
    expect(server.joined(only()).equals(bytes)).toBe(true);
    expect(server.received.filter((part) => part === 5)).toHaveLength(2);
  });

  it('is gone here and there once it is given up', async () => {
    server.partMs = 15;
    const store = memoryStore();
    const upload = await uploadOf({ store });
    const running = upload.start();
    const refused = expect(running).rejects.toMatchObject({ code: 'aborted' });
    await until(() => server.received.length >= 2);
    await upload.abort();
    await refused;
    expect(upload.state).toBe('aborted');
    expect(only().state).toBe('aborted');
    await (await uploadOf({ store })).start();
    expect(server.uploads.size).toBe(2);
  });
});

describe('a file', () => {
  it('that changes while it is sent is not published half old, half new', async () => {
    const upload = await uploadOf({ concurrency: 1 });
    upload.on('part', ({ partNumber }) => {
      if (partNumber === 3) void appendFile(path, 'more');
    });
    await expect(upload.start()).rejects.toMatchObject({ code: 'file_changed' });
    expect(only().state).toBe('open');
  });

  it('of the same name and size but other content is another one', async () => {
    const store = memoryStore();
    server.fault = ({ part }) => (part === 8 ? 'drop' : undefined);
    await expect((await uploadOf({ store, maxAttempts: 2 })).start()).rejects.toMatchObject({
      code: 'network',
    });
    server.fault = () => undefined;
    bytes = randomBytes(bytes.length);
    await writeFile(path, bytes);
    const { uploadId } = await (await uploadOf({ store })).start();
    expect(server.uploads.size).toBe(2);
    const second = server.uploads.get(uploadId);
    expect(second === undefined ? undefined : server.joined(second).equals(bytes)).toBe(true);
  });
});

describe('waiting', () => {
  it('doubles at random, at most to half a minute, and never below what the server asks for', () => {
    const wait = (attempt: number, retryAfter: string | null = null) =>
      waitBefore(attempt, { baseMs: 500, retryAfter, random: () => 1 });
    expect([1, 2, 3, 4, 5, 6, 7, 8, 50].map((attempt) => wait(attempt))).toEqual([
      500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000,
    ]);
    expect(waitBefore(9, { baseMs: 500, retryAfter: null, random: () => 0 })).toBe(0);
    expect(wait(1, '7')).toBe(7_000);
  });

  it('reads Retry-After in seconds and as a date, and nothing else', () => {
    expect(retryAfterMs('120', 0)).toBe(120_000);
    expect(retryAfterMs('Thu, 01 Jan 1970 00:00:10 GMT', 4_000)).toBe(6_000);
    expect(retryAfterMs('Thu, 01 Jan 1970 00:00:10 GMT', 20_000)).toBe(0);
    for (const value of [null, '', 'soon', '-5', '1e9']) expect(retryAfterMs(value, 0)).toBe(0);
    expect(retryAfterMs('99999999', 0)).toBe(300_000);
  });
});
