import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { getRange } from '../../../src/integrations/aws/index.ts';
import { resumeImports } from '../../../src/modules/videos/index.ts';
import { fetchImport } from '../../../src/modules/videos/usecases/fetch-import.ts';
import { call, callJson, seedUser, sqlRows, type TestUser } from '../../support/worker/client.ts';
import { contextOf, getVideo, mebibyte, uuidOf, type VideoJson } from '../../support/worker/films.ts';
import { deliver, takeMessages } from '../../support/worker/queues.ts';

const address = 'https://films.example/holiday.mp4';
const file = Uint8Array.from({ length: 21 * mebibyte }, (_, index) => (index * 31 + (index >> 9)) % 251);

type Origin = (request: {
  readonly from: number;
  readonly ifRange: string | undefined;
  readonly url: string;
}) => Response;

const realFetch = globalThis.fetch;
let requests: { readonly url: string; readonly from: number }[];
let origin: Origin;
/** Which calls of our own, S3 among them, fail. */
let breaks: (method: string, url: URL) => boolean;
let addresses: readonly string[];
let owner: TestUser;

beforeEach(async () => {
  owner = await seedUser();
  requests = [];
  breaks = () => false;
  addresses = ['93.184.216.34'];
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    const { hostname, searchParams } = new URL(url);
    if (hostname === 'cloudflare-dns.com')
      return Response.json({
        Status: 0,
        Answer: searchParams.get('type') === 'A' ? addresses.map((data) => ({ type: 1, data })) : [],
      });
    if (!hostname.endsWith('.example')) {
      const { method = 'GET' } = input instanceof Request ? input : (init ?? {});
      return breaks(method, new URL(url))
        ? new Response(null, { status: 500 })
        : realFetch(input as Request, init);
    }
    const headers = new Headers(init?.headers);
    const from = Number(/^bytes=(\d+)-$/.exec(headers.get('range') ?? '')?.[1]);
    requests.push({ url, from });
    return origin({ from, ifRange: headers.get('if-range') ?? undefined, url });
  });
});
afterEach(() => vi.restoreAllMocks());

/** A body that gives `bytes` and then ends, or breaks. */
const streamOf = (bytes: Uint8Array, breaks = false): ReadableStream<Uint8Array> => {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at < bytes.length) {
        controller.enqueue(bytes.slice(at, at + mebibyte));
        at += mebibyte;
      } else if (breaks) controller.error(new Error('connection reset'));
      else controller.close();
    },
  });
};

const ranged =
  (bytes: Uint8Array, options: { readonly etag?: string; readonly upTo?: number } = {}): Origin =>
  ({ from, ifRange }) => {
    const { etag = '"v1"', upTo } = options;
    const start = ifRange !== undefined && ifRange !== etag ? 0 : from;
    const body = streamOf(bytes.subarray(start, upTo), upTo !== undefined && upTo < bytes.length);
    if (ifRange !== undefined && ifRange !== etag)
      return new Response(body, { status: 200, headers: { etag } });
    const range = `bytes ${start}-${bytes.length - 1}/${bytes.length}`;
    return new Response(body, { status: 206, headers: { etag, 'content-range': range } });
  };

const start = (overrides: Record<string, unknown> = {}) =>
  callJson<VideoJson>(202, 'POST', '/v1/videos/imports', {
    token: owner.token,
    body: { url: address, title: 'Imported', ...overrides },
  });

/** Delivers what waits for the import, once; returns how many messages failed. */
async function run(): Promise<number> {
  const waiting = takeMessages().filter((message) => message.body.type === 'video.import_requested');
  return (await deliver(waiting)).retried;
}

/** Has the import asked for again, as the queue would after its backoff. */
async function again(): Promise<void> {
  await sqlRows(
    `UPDATE video_imports SET updated_at = now() - interval '1 hour', leased_until = NULL WHERE finished_at IS NULL`,
  );
  await resumeImports(contextOf());
}

const importOf = async (video: VideoJson) => {
  const [row] = await sqlRows<Record<string, unknown>>(
    `SELECT uploads.state, uploads.size_bytes::int AS size, uploads.object_key AS key, done_bytes::int AS done,
       failure_code AS failure, sealed_url IS NULL AS forgotten, failures, video_imports.finished_at IS NOT NULL AS finished
     FROM video_imports JOIN uploads ON uploads.id = upload_id WHERE uploads.video_id = $1`,
    [uuidOf(video.id)],
  );
  return row ?? {};
};

const digestOf = async (bytes: Uint8Array): Promise<string> =>
  [...new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))].join();

const stored = async (key: unknown, length: number): Promise<string> => {
  const { aws } = contextOf().config;
  const target = { bucket: aws.uploadsBucket, key: String(key) };
  return digestOf(await getRange(aws, target, { start: 0, end: length }));
};

const failureOf = async (video: VideoJson) => (await getVideo(video.id, owner)).failure?.code;

describe('importing a video', () => {
  it('stores the file part by part, tells of its progress and sends the video on', async () => {
    origin = ranged(file);
    const video = await start();
    expect(video).toMatchObject({ title: 'Imported', state: 'uploading', progress_percent: 0 });
    expect(await run()).toBe(0);
    const row = await importOf(video);
    expect(row).toMatchObject({ state: 'completed', size: file.length, finished: true, forgotten: true });
    expect(await stored(row.key, file.length)).toBe(await digestOf(file));
    expect(requests).toEqual([{ url: address, from: 0 }]);
    const told = takeMessages().map((message) => message.body.type);
    expect(told.filter((type) => type === 'upload.progressed')).toHaveLength(4);
    expect(told).toContain('video.uploaded');
    expect(['scanning', 'probing']).toContain((await getVideo(video.id, owner)).state);
  });

  it('goes on where a transfer broke off, and stores the very same file', async () => {
    origin = ranged(file, { upTo: 12 * mebibyte });
    const video = await start();
    expect(await run()).toBe(1);
    expect(await importOf(video)).toMatchObject({ done: 10 * mebibyte, failures: 1, finished: false });
    expect((await getVideo(video.id, owner)).progress_percent).toBe(47);
    origin = ranged(file);
    await again();
    expect(await run()).toBe(0);
    expect(requests.map((request) => request.from)).toEqual([0, 10 * mebibyte]);
    const row = await importOf(video);
    expect(await stored(row.key, file.length)).toBe(await digestOf(file));
  });

  it('begins anew when the file has become another one meanwhile', async () => {
    origin = ranged(file, { upTo: 12 * mebibyte });
    const video = await start();
    expect(await run()).toBe(1);
    const other = file.slice(0, 15 * mebibyte).reverse();
    origin = ranged(other, { etag: '"v2"' });
    await again();
    expect(await run()).toBe(0);
    const row = await importOf(video);
    expect(row).toMatchObject({ state: 'completed', size: other.length });
    expect(await stored(row.key, other.length)).toBe(await digestOf(other));
  });

  it('takes files whose server tells no size', async () => {
    origin = () => new Response(streamOf(file.subarray(0, 11 * mebibyte)));
    const video = await start();
    expect(await run()).toBe(0);
    const row = await importOf(video);
    expect(row).toMatchObject({ state: 'completed', size: 11 * mebibyte });
    expect(await stored(row.key, 11 * mebibyte)).toBe(await digestOf(file.slice(0, 11 * mebibyte)));
  });

  it('is joined later when S3 does not join the parts at once, and not fetched again', async () => {
    origin = () => new Response(streamOf(file.subarray(0, 11 * mebibyte)));
    const video = await start();
    breaks = (method, { searchParams }) => method === 'POST' && searchParams.has('uploadId');
    expect(await run()).toBe(1);
    expect(await importOf(video)).toMatchObject({ state: 'completing', finished: false });
    breaks = () => false;
    await again();
    expect(await run()).toBe(0);
    expect(requests).toHaveLength(1);
    const row = await importOf(video);
    expect(row).toMatchObject({ state: 'completed', size: 11 * mebibyte, finished: true });
    expect(await stored(row.key, 11 * mebibyte)).toBe(await digestOf(file.slice(0, 11 * mebibyte)));
  });

  it('stays with its run however slowly the server sends', async () => {
    let nowMs = Date.now();
    let sent = 0;
    const takenOver: string[] = [];
    origin = () =>
      new Response(
        new ReadableStream({
          async pull(controller) {
            // A minute and a half for each of these pieces of one part: the lease ends meanwhile.
            nowMs += 90_000;
            sent += 1;
            if (sent === 2)
              await sqlRows(
                `UPDATE video_imports SET leased_until = now() - interval '1 second', updated_at = now() - interval '1 hour'
                 WHERE finished_at IS NULL`,
              );
            if (sent === 4) {
              await resumeImports(contextOf());
              takenOver.push(...takeMessages().map(({ body }) => body.type));
            }
            if (sent <= 4) controller.enqueue(file.slice((sent - 1) * 1_000, sent * 1_000));
            else controller.close();
          },
        }),
      );
    const video = await start();
    const [message] = takeMessages().filter(({ body }) => body.type === 'video.import_requested');
    const ctx = { ...contextOf(), clock: { now: () => nowMs } };
    await fetchImport(ctx, message?.body as Parameters<typeof fetchImport>[1]);
    expect(takenOver).not.toContain('video.import_requested');
    expect(await importOf(video)).toMatchObject({ state: 'completed', size: 4_000 });
  });

  it('is done by one run at a time, and once', async () => {
    origin = ranged(file);
    const video = await start();
    const waiting = takeMessages().filter((message) => message.body.type === 'video.import_requested');
    await Promise.all([deliver(waiting), deliver(waiting)]);
    await deliver(waiting);
    expect(requests).toHaveLength(1);
    expect(await importOf(video)).toMatchObject({ state: 'completed' });
  });

  it('calls nothing that is not public, at the start and at every redirect', async () => {
    origin = () => new Response(null, { status: 302, headers: { location: 'https://inside.example/x' } });
    addresses = ['93.184.216.34'];
    const video = await start();
    addresses = ['10.0.0.7'];
    expect(await run()).toBe(0);
    expect(requests).toEqual([]);
    expect(await failureOf(video)).toBe('import_address_refused');

    addresses = ['93.184.216.34'];
    origin = () =>
      new Response(null, { status: 307, headers: { location: 'https://169.254.169.254/latest/' } });
    const redirected = await start();
    await run();
    expect(await failureOf(redirected)).toBe('import_address_refused');
    expect(requests).toHaveLength(1);
  });

  it.each([
    ['http://films.example/a.mp4', 'scheme'],
    ['https://user:pw@films.example/a.mp4', 'credentials'],
    ['https://127.0.0.1/a.mp4', 'private_address'],
    ['https://0x7f.1/a.mp4', 'private_address'],
    ['https://[::ffff:10.0.0.1]/a.mp4', 'private_address'],
    ['https://films.example:22/a.mp4', 'port'],
    ['https://localhost/a.mp4', 'host'],
    ['film', 'malformed'],
  ])('refuses %s at once', async (url, code) => {
    const response = await call('POST', '/v1/videos/imports', { token: owner.token, body: { url } });
    expect([response.status, await response.json()]).toMatchObject([
      422,
      { code: 'videos.address_refused', errors: [{ pointer: '/url', code }] },
    ]);
    expect(await sqlRows('SELECT 1 FROM videos WHERE owner_id = $1', [owner.uuid])).toEqual([]);
  });

  it.each([
    ['what is not there', () => new Response('gone', { status: 404 }), 'import_not_available'],
    ['what is private', () => new Response('no', { status: 403 }), 'import_not_available'],
    [
      'an empty file',
      () => new Response(null, { status: 200, headers: { 'content-length': '0' } }),
      'import_not_available',
    ],
    [
      'a file beyond the limit',
      () =>
        new Response(streamOf(new Uint8Array(10)), {
          status: 206,
          headers: { 'content-range': `bytes 0-${2 ** 40 - 1}/${2 ** 40}` },
        }),
      'import_too_large',
    ],
    [
      'more than was announced',
      () =>
        new Response(streamOf(file.subarray(0, 2_000)), {
          status: 206,
          headers: { 'content-range': 'bytes 0-999/1000' },
        }),
      'import_not_available',
    ],
  ] as const)('fails with a reason for %s', async (_, respond, code) => {
    origin = respond;
    const video = await start();
    expect(await run()).toBe(0);
    expect(await failureOf(video)).toBe(code);
    expect(await importOf(video)).toMatchObject({ state: 'aborted', forgotten: true, finished: true });
  });

  it('gives up on a server that never answers, after a number of tries', async () => {
    origin = () => new Response('busy', { status: 503 });
    const video = await start();
    let tries = 1;
    while ((await run()) > 0 && tries < 20) {
      tries += 1;
      await again();
    }
    expect(tries).toBe(8);
    expect(await failureOf(video)).toBe('import_unreachable');
  });

  it('holds to what its owner may store', async () => {
    origin = ranged(file);
    await sqlRows(
      `INSERT INTO videos (id, owner_id, title, state, source_key, source_bytes)
       VALUES (gen_random_uuid(), $1, 'x', 'transcoding', 'k', 1099511627776 - 1000)`,
      [owner.uuid],
    );
    const video = await start();
    await run();
    expect(await failureOf(video)).toBe('import_over_quota');
  });

  it('ends with the video, and takes no parts from others', async () => {
    origin = ranged(file);
    const video = await start();
    const [row] = await sqlRows<{ id: string }>('SELECT id FROM uploads WHERE video_id = $1', [
      uuidOf(video.id),
    ]);
    const { encodeId } = await import('../../../src/shared/ids.ts');
    const path = `/v1/videos/uploads/${encodeId('upload', row?.id ?? '')}`;
    const { token } = owner;
    expect((await call('POST', `${path}/parts`, { token, body: { part_numbers: [1] } })).status).toBe(409);
    expect((await call('POST', `${path}/complete`, { token, body: {} })).status).toBe(409);
    expect((await call('DELETE', `/v1/videos/${video.id}`, { token })).status).toBe(204);
    expect(await run()).toBe(0);
    expect(requests).toEqual([]);
    await again();
    expect(await importOf(video)).toMatchObject({ forgotten: true, finished: true });
  });
});
