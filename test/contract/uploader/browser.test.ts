import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { buildClients } from '../../../scripts/build-clients.ts';
import { type BrowserPage, chromiumPath, openBrowser } from '../../support/node/chromium.ts';
import { type FakeUpload, partBytes, startUploadServer, type UploadServer } from './upload-server.ts';

if (chromiumPath === undefined)
  console.warn('NOT TESTED: the uploader in a real browser. Install Chromium or set CHROMIUM_PATH to one.');

const size = partBytes * 11 + 777;

// The page makes the same file again after each reload, as a user chooses the same film again.
const page = `<!doctype html><title>Upload</title><script type="module">
  import { createUpload, fromBlob, localStorageStore, xhrTransport } from '/uploader.js';
  const bytes = new Uint8Array(${size});
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = (at * 31 + (at >> 8)) & 255;
  window.file = new File([bytes], 'film.mp4', { type: 'video/mp4', lastModified: 1790000000000 });
  window.events = [];
  window.begin = (changes = {}) => {
    window.upload = createUpload({
      source: fromBlob(window.file),
      api: { baseUrl: location.origin, getToken: ({ refresh }) => refresh ? 'good' : (window.token ?? 'good') },
      transport: xhrTransport,
      store: localStorageStore(),
      retryBaseMs: 5,
      ...changes,
    });
    window.upload.on('state', (state) => window.events.push(state));
    window.running = window.upload.start().then((result) => ({ result }), (error) => ({ error: error.code + ': ' + error.message }));
  };
  window.ready = true;
</script>`;

const expected = () => {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at < size; at += 1) bytes[at] = (at * 31 + (at >> 8)) & 255;
  return createHash('sha256').update(bytes).digest('hex');
};

describe.skipIf(chromiumPath === undefined)('the uploader in Chromium', () => {
  let server: UploadServer;
  let browser: BrowserPage;
  let script: Buffer;
  let outdir: string;

  beforeAll(async () => {
    outdir = await mkdtemp(join(tmpdir(), 'social-flow-clients-'));
    await buildClients(outdir);
    script = await readFile(join(outdir, 'uploader.js'));
    browser = await openBrowser();
    await browser.send('Network.enable');
  });

  afterAll(async () => {
    await browser?.close();
    await rm(outdir, { recursive: true, force: true });
  });

  beforeEach(async () => {
    server = await startUploadServer();
    server.page = page;
    server.script = script;
    await load();
  });

  afterEach(async () => {
    await network(false);
    await server.close();
  });

  const load = async () => {
    await browser.open(`${server.url}/`);
    await until(async () => (await browser.evaluate('window.ready')) === true);
  };
  const network = (offline: boolean) =>
    browser.send('Network.emulateNetworkConditions', {
      offline,
      latency: 0,
      downloadThroughput: -1,
      uploadThroughput: -1,
    });
  const until = async (met: () => boolean | Promise<boolean>) => {
    for (let look = 0; look < 1_000; look += 1) {
      if (await met()) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect.fail('it never came to that');
  };
  const outcome = () => browser.evaluate('window.running');
  const only = (): FakeUpload => {
    const [upload, ...rest] = server.uploads.values();
    if (upload === undefined || rest.length > 0) throw new Error('not one upload');
    return upload;
  };
  const digestOf = (upload: FakeUpload) => createHash('sha256').update(server.joined(upload)).digest('hex');

  it('sends a file, with progress inside each part', async () => {
    await browser.evaluate(
      `window.seen = []; begin(); upload.on('progress', ({ percent }) => seen.push(percent))`,
    );
    expect(await outcome()).toEqual({ result: { uploadId: only().id, videoId: only().video_id } });
    expect(only().state).toBe('completed');
    expect(digestOf(only())).toBe(expected());
    expect(server.received).toHaveLength(12);
    expect(await browser.evaluate('window.events')).toEqual([
      'starting',
      'sending',
      'completing',
      'complete',
    ]);
    expect(await browser.evaluate('seen.at(-1)')).toBe(100);
    expect(await browser.evaluate('localStorage.length')).toBe(0);
  });

  it('goes on after the page was reloaded in the middle, and again after a second time', async () => {
    for (const held of [3, 7]) {
      server.partsTaken = held;
      await browser.evaluate('begin()');
      await until(() => server.received.length >= held);
      await load();
    }
    const before = only().held.size;
    expect(before).toBeGreaterThanOrEqual(6);
    expect(before).toBeLessThan(12);
    server.received.length = 0;
    server.partsTaken = Number.POSITIVE_INFINITY;
    await browser.evaluate('begin()');
    expect(await outcome()).toMatchObject({ result: { uploadId: only().id } });
    expect(server.received.length).toBeLessThanOrEqual(12 - before + 3);
    expect(digestOf(only())).toBe(expected());
  });

  it('pauses and resumes', async () => {
    server.partMs = 25;
    await browser.evaluate('begin()');
    await until(() => server.received.length >= 2);
    await browser.evaluate('upload.pause()');
    await new Promise((resolve) => setTimeout(resolve, 150));
    const held = server.received.length;
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(server.received.length).toBe(held);
    expect(await browser.evaluate('upload.state')).toBe('paused');
    await browser.evaluate('upload.resume()');
    expect(await outcome()).toHaveProperty('result');
    expect(digestOf(only())).toBe(expected());
  });

  it('waits while the machine is offline and goes on by itself', async () => {
    server.partMs = 25;
    await browser.evaluate('begin()');
    await until(() => server.received.length >= 2);
    await network(true);
    await until(async () => (await browser.evaluate('upload.state')) === 'offline');
    await new Promise((resolve) => setTimeout(resolve, 200));
    await network(false);
    expect(await outcome()).toHaveProperty('result');
    expect(digestOf(only())).toBe(expected());
  });

  it('comes through broken connections, stumbling servers and a token that ran out', async () => {
    const failed = new Set<string>();
    server.fault = ({ method, path, part }) => {
      const what = `${method} ${path} ${part ?? ''}`;
      if (method === 'OPTIONS' || !/\/(store|v1)\//.test(path) || failed.has(what)) return undefined;
      failed.add(what);
      return failed.size % 2 === 0 ? 503 : 'drop';
    };
    await browser.evaluate(`window.token = 'old'; begin()`);
    expect(await outcome()).toHaveProperty('result');
    expect(digestOf(only())).toBe(expected());
    expect(failed.size).toBeGreaterThan(12);
  });

  it('gives up when it is told to, and says so', async () => {
    server.partMs = 25;
    await browser.evaluate('begin()');
    await until(() => server.received.length >= 2);
    await browser.evaluate('upload.abort()');
    expect(await outcome()).toEqual({ error: 'aborted: The upload was given up.' });
    expect(only().state).toBe('aborted');
    expect(await browser.evaluate('localStorage.length')).toBe(0);
  });
});
