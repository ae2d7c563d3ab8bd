import { GetObjectCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  BUCKET,
  failure,
  objectUrl,
  patternedBytes,
  sdkFailure,
  startTestServer,
  type TestServer,
} from './support/server.ts';

const BODY = patternedBytes(1000);
let test: TestServer;
let eTag: string;
let lastModified: Date;

beforeAll(async () => {
  test = await startTestServer();
  const stored = await test.sdk.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'clip', Body: BODY }));
  eTag = stored.ETag ?? '';
  const head = await test.sdk.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'clip' }));
  lastModified = head.LastModified ?? new Date(0);
  await test.sdk.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'empty', Body: '' }));
});
afterAll(() => test.stop());

const fetchClip = (headers: Record<string, string>, key = 'clip') =>
  test.aws.fetch(objectUrl(test.server, key), { headers });

describe('a range', () => {
  it.each([
    ['bytes=0-9', 0, 10],
    ['bytes=990-', 990, 1000],
    ['bytes=-5', 995, 1000],
    ['bytes=-5000', 0, 1000],
    ['bytes=900-5000', 900, 1000],
    ['bytes=999-999', 999, 1000],
  ])('%s is answered with 206 and those bytes', async (Range, start, end) => {
    const response = await fetchClip({ range: Range });
    expect(response.status).toBe(206);
    expect(response.headers.get('content-range')).toBe(`bytes ${start}-${end - 1}/1000`);
    expect(response.headers.get('content-length')).toBe(String(end - start));
    expect(Buffer.from(await response.arrayBuffer())).toEqual(BODY.subarray(start, end));
    const found = await test.sdk.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'clip', Range }));
    expect(Buffer.from((await found.Body?.transformToByteArray()) ?? [])).toEqual(BODY.subarray(start, end));
  });

  it('beyond the end is a 416', async () => {
    for (const range of ['bytes=1000-', 'bytes=5000-6000', 'bytes=-0']) {
      expect(await failure(await fetchClip({ range }))).toBe('416 InvalidRange');
    }
    expect(await failure(await fetchClip({ range: 'bytes=0-' }, 'empty'))).toBe('416 InvalidRange');
  });

  it('that is malformed or multiple is ignored', async () => {
    for (const range of ['bytes=9-2', 'bytes=-', 'items=0-1', 'bytes=0-1,5-6', 'bytes=a-b']) {
      const response = await fetchClip({ range });
      expect([response.status, (await response.arrayBuffer()).byteLength]).toEqual([200, 1000]);
    }
  });

  it('is honoured by HEAD too', async () => {
    const response = await test.aws.fetch(objectUrl(test.server, 'clip'), {
      method: 'HEAD',
      headers: { range: 'bytes=0-99' },
    });
    expect([response.status, response.headers.get('content-length')]).toEqual([206, '100']);
  });

  it('with If-Range of another version gives the whole object', async () => {
    expect((await fetchClip({ range: 'bytes=0-9', 'if-range': eTag })).status).toBe(206);
    expect((await fetchClip({ range: 'bytes=0-9', 'if-range': '"other"' })).status).toBe(200);
    expect((await fetchClip({ range: 'bytes=0-9', 'if-range': lastModified.toUTCString() })).status).toBe(
      206,
    );
    expect((await fetchClip({ range: 'bytes=0-9', 'if-range': new Date(0).toUTCString() })).status).toBe(200);
  });
});

describe('a conditional read', () => {
  const later = () => new Date(lastModified.getTime() + 60_000).toUTCString();
  const earlier = () => new Date(lastModified.getTime() - 60_000).toUTCString();

  it('with If-None-Match of the current ETag is a bodiless 304', async () => {
    const response = await fetchClip({ 'if-none-match': eTag });
    expect([response.status, response.headers.get('etag'), await response.text()]).toEqual([304, eTag, '']);
    expect((await fetchClip({ 'if-none-match': `"x", W/${eTag}` })).status).toBe(304);
    expect((await fetchClip({ 'if-none-match': '*' })).status).toBe(304);
    expect((await fetchClip({ 'if-none-match': '"other"' })).status).toBe(200);
  });

  it('with If-Match of another ETag is a 412', async () => {
    expect((await fetchClip({ 'if-match': eTag })).status).toBe(200);
    expect(await failure(await fetchClip({ 'if-match': '"other"' }))).toBe('412 PreconditionFailed');
    expect(
      await sdkFailure(
        test.sdk.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'clip', IfMatch: '"other"' })),
      ),
    ).toBe('412 PreconditionFailed');
  });

  it('compares dates to the second, ETags going first', async () => {
    expect((await fetchClip({ 'if-modified-since': lastModified.toUTCString() })).status).toBe(304);
    expect((await fetchClip({ 'if-modified-since': earlier() })).status).toBe(200);
    expect((await fetchClip({ 'if-unmodified-since': earlier() })).status).toBe(412);
    expect((await fetchClip({ 'if-unmodified-since': later() })).status).toBe(200);
    expect((await fetchClip({ 'if-match': eTag, 'if-unmodified-since': earlier() })).status).toBe(200);
    expect((await fetchClip({ 'if-none-match': '"other"', 'if-modified-since': later() })).status).toBe(200);
    expect((await fetchClip({ 'if-modified-since': 'not a date' })).status).toBe(200);
  });
});

describe('a conditional write', () => {
  const put = (Key: string, Body: string, more: object) =>
    test.sdk.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body, ...more }));

  it('with If-None-Match: * happens once, also when many try at the same time', async () => {
    await put('once', 'first', { IfNoneMatch: '*' });
    expect(await sdkFailure(put('once', 'second', { IfNoneMatch: '*' }))).toBe('412 PreconditionFailed');
    const attempts = await Promise.allSettled(
      Array.from({ length: 8 }, (_unused, index) => put('race', `writer ${index}`, { IfNoneMatch: '*' })),
    );
    expect(attempts.filter((attempt) => attempt.status === 'fulfilled')).toHaveLength(1);
  });

  it('with If-Match replaces only that version', async () => {
    const first = await put('versioned', 'one', {});
    await put('versioned', 'two', { IfMatch: first.ETag });
    expect(await sdkFailure(put('versioned', 'three', { IfMatch: first.ETag }))).toBe(
      '412 PreconditionFailed',
    );
    expect(await sdkFailure(put('unborn', 'x', { IfMatch: first.ETag }))).toBe('404 NoSuchKey');
    expect(await sdkFailure(put('versioned', 'x', { IfNoneMatch: first.ETag }))).toBe('501 NotImplemented');
  });
});
