import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CdnServer, startCdnServer } from '../../../local-cloud/cdn/server.ts';
import { failure, sendRaw, startTestServer, type TestServer } from '../s3/support/server.ts';

const MEDIA = 'media-bucket';
const RAW = 'raw-bucket';
let test: TestServer;
let cdn: CdnServer;

beforeAll(async () => {
  test = await startTestServer({ buckets: [{ name: MEDIA }, { name: RAW }] });
  cdn = await startCdnServer({ port: 0, originBucket: MEDIA, s3: test.server });
  const put = (Bucket: string, Key: string, more: object = {}) =>
    test.sdk.send(
      new PutObjectCommand({
        Bucket,
        Key,
        Body: `0123456789 ${Key}`,
        ContentType: 'application/octet-stream',
        ...more,
      }),
    );
  for (const key of [
    'v/master.m3u8',
    'v/manifest.mpd',
    'v/seg_1.m4s',
    'v/clip.MP4',
    'v/t.0000000.jpg',
    'v/preview.gif',
    'v/en.vtt',
    'v/odd ü+%.mp4',
  ]) {
    await put(MEDIA, key);
  }
  await put(MEDIA, 'live/live.m3u8', { CacheControl: 'max-age=1' });
  await put(MEDIA, 'v/notes.bin', { ContentType: 'text/x-notes', Metadata: { owner: 'usr_1' } });
  await put(RAW, 'upload.mp4');
});
afterAll(async () => {
  await cdn.close();
  await test.stop();
});

const get = (path: string, init: RequestInit = {}) => fetch(`${cdn.url}${path}`, init);

describe('the CDN', () => {
  it.each([
    ['/v/master.m3u8', 'application/vnd.apple.mpegurl'],
    ['/v/manifest.mpd', 'application/dash+xml'],
    ['/v/seg_1.m4s', 'video/mp4'],
    ['/v/clip.MP4', 'video/mp4'],
    ['/v/t.0000000.jpg', 'image/jpeg'],
    ['/v/preview.gif', 'image/gif'],
    ['/v/en.vtt', 'text/vtt; charset=utf-8'],
    ['/v/notes.bin', 'text/x-notes'],
  ])('serves %s as %s without a signature, to any origin', async (path, contentType) => {
    const response = await get(path, { headers: { origin: 'https://player.example' } });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe(contentType);
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(response.headers.get('access-control-expose-headers')).toContain('Content-Range');
    expect(await response.text()).toBe(`0123456789 ${path.slice(1)}`);
  });

  it('lets segments be cached for good, manifests shortly, and keeps what the object says', async () => {
    const cacheControl = async (path: string) => (await get(path)).headers.get('cache-control');
    expect(await cacheControl('/v/seg_1.m4s')).toBe('public, max-age=31536000, immutable');
    expect(await cacheControl('/v/master.m3u8')).toBe('public, max-age=5');
    expect(await cacheControl('/live/live.m3u8')).toBe('max-age=1');
    expect(await cacheControl('/v/missing.m4s')).toBe('no-store');
  });

  it('serves ranges, 416, HEAD and 304', async () => {
    const range = await get('/v/seg_1.m4s', { headers: { range: 'bytes=2-4' } });
    expect([range.status, range.headers.get('content-range'), await range.text()]).toEqual([
      206,
      'bytes 2-4/22',
      '234',
    ]);
    expect(await failure(await get('/v/seg_1.m4s', { headers: { range: 'bytes=99-' } }))).toBe(
      '416 InvalidRange',
    );
    const head = await get('/v/seg_1.m4s', { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '22', '']);
    const eTag = head.headers.get('etag') ?? '';
    expect((await get('/v/seg_1.m4s', { headers: { 'if-none-match': eTag } })).status).toBe(304);
    expect((await get('/v/seg_1.m4s', { headers: { 'if-match': '"other"' } })).status).toBe(412);
  });

  it('finds odd keys and ignores the query', async () => {
    const path = `/${encodeURIComponent('v')}/${encodeURIComponent('odd ü+%.mp4')}?token=1`;
    expect((await get(path)).status).toBe(200);
  });

  it('answers a preflight', async () => {
    const response = await get('/v/seg_1.m4s', {
      method: 'OPTIONS',
      headers: {
        origin: 'https://player.example',
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'range',
      },
    });
    expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([204, '*']);
    expect(response.headers.get('access-control-allow-headers')?.toLowerCase()).toContain('range');
  });

  it('answers what is not there with an XML 404', async () => {
    const response = await get('/v/missing.m4s');
    expect(response.headers.get('content-type')).toBe('application/xml');
    expect(await failure(response)).toBe('404 NoSuchKey');
    const head = await get('/v/missing.m4s', { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([404, '']);
  });

  it('reaches nothing but objects of its bucket, and only for reading', async () => {
    expect(await failure(await get('/'))).toBe('403 AccessDenied');
    expect(await failure(await get('/upload.mp4'))).toBe('404 NoSuchKey');
    expect(await failure(await get(`/${RAW}/upload.mp4`))).toBe('404 NoSuchKey');
    for (const target of [
      `/../${RAW}/upload.mp4`,
      `/%2e%2e/${RAW}/upload.mp4`,
      '/v/../v/seg_1.m4s',
      '/..%2f..%2fetc/passwd',
    ]) {
      const raw = await sendRaw(cdn, { method: 'GET', target, headers: { host: 'cdn' } });
      expect([target, await failure(raw)]).toEqual([target, '400 InvalidArgument']);
    }
    for (const method of ['PUT', 'POST', 'DELETE', 'PATCH']) {
      expect(await failure(await get('/v/seg_1.m4s', { method }))).toBe('403 AccessDenied');
    }
    expect(await failure(await get('/v/%E0%A4%A'))).toBe('400 InvalidURI');
    expect((await get('/v/seg_1.m4s')).status).toBe(200);
  });
});
