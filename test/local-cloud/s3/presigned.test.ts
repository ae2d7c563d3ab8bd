import {
  CreateMultipartUploadCommand,
  GetObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUCKET, failure, objectUrl, sdkClient, startTestServer, type TestServer } from './support/server.ts';

let clockOffsetMs = 0;
let test: TestServer;
beforeAll(async () => {
  test = await startTestServer({ now: () => new Date(Date.now() + clockOffsetMs) });
  await test.sdk.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'k', Body: 'presigned bytes' }));
});
afterAll(() => test.stop());

/** Presigns with aws4fetch; `headers` are signed too when given. */
const presign = async (
  key: string,
  input: {
    method?: string;
    query?: Record<string, string>;
    expiresSeconds?: string;
    headers?: Record<string, string>;
  } = {},
): Promise<string> => {
  const url = new URL(objectUrl(test.server, key));
  for (const [name, value] of Object.entries(input.query ?? {})) url.searchParams.set(name, value);
  url.searchParams.set('X-Amz-Expires', input.expiresSeconds ?? '300');
  const signed = await test.aws.sign(url.toString(), {
    method: input.method ?? 'GET',
    ...(input.headers && { headers: input.headers }),
    aws: { signQuery: true, ...(input.headers && { allHeaders: true }) },
  });
  return signed.url;
};

const newUpload = async (Key: string): Promise<string> =>
  (await test.sdk.send(new CreateMultipartUploadCommand({ Bucket: BUCKET, Key }))).UploadId ?? '';

describe('a presigned URL', () => {
  it('of aws4fetch and of the SDK reads the object', async () => {
    const sdkUrl = await getSignedUrl(test.sdk, new GetObjectCommand({ Bucket: BUCKET, Key: 'k' }), {
      expiresIn: 60,
    });
    for (const url of [await presign('k'), sdkUrl]) {
      const response = await fetch(url);
      expect([response.status, await response.text()]).toEqual([200, 'presigned bytes']);
    }
  });

  it('of the SDK stores an object, with metadata it moved into the query', async () => {
    const presigner = sdkClient(test.server.url, { requestChecksumCalculation: 'WHEN_REQUIRED' });
    const command = new PutObjectCommand({
      Bucket: BUCKET,
      Key: 'from sdk',
      ContentType: 'video/mp4',
      Metadata: { title: 'é' },
    });
    const url = await getSignedUrl(presigner, command, { expiresIn: 60 });
    const response = await fetch(url, {
      method: 'PUT',
      body: 'hello',
      headers: { 'content-type': 'video/mp4' },
    });
    expect(response.status).toBe(200);
    const found = await fetch(await presign('from sdk'));
    expect(found.headers.get('content-type')).toBe('video/mp4');
    expect(Buffer.from(found.headers.get('x-amz-meta-title') ?? '', 'latin1').toString('utf8')).toBe('é');
    presigner.destroy();
  });

  it('of the SDK with its default checksum setting stores any body', async () => {
    const url = await getSignedUrl(test.sdk, new PutObjectCommand({ Bucket: BUCKET, Key: 'sdk default' }));
    expect(url).toContain('x-amz-checksum-crc32=AAAAAA');
    expect((await fetch(url, { method: 'PUT', body: 'not empty' })).status).toBe(200);
  });

  it('works until its last second, then not', async () => {
    const url = await presign('k', { expiresSeconds: '60' });
    clockOffsetMs = 58_000;
    expect((await fetch(url)).status).toBe(200);
    clockOffsetMs = 62_000;
    const late = await fetch(url);
    const text = await late.text();
    expect([
      late.status,
      text.includes('<Code>AccessDenied</Code>'),
      text.includes('Request has expired'),
    ]).toEqual([403, true, true]);
    clockOffsetMs = -16 * 60_000;
    expect(await failure(await fetch(url))).toBe('403 AccessDenied');
    clockOffsetMs = 0;
  });

  it.each(['0', '-5', 'abc', '604801', '1e3', ''])(
    'with an expiry of "%s" is refused',
    async (expiresSeconds) => {
      expect(await failure(await fetch(await presign('k', { expiresSeconds })))).toBe(
        '400 AuthorizationQueryParametersError',
      );
    },
  );

  it('may live for a week', async () => {
    const url = await presign('k', { expiresSeconds: '604800' });
    clockOffsetMs = 7 * 24 * 3600_000 - 5000;
    expect((await fetch(url)).status).toBe(200);
    clockOffsetMs = 0;
  });

  it('is void when key, query, expiry or method are changed', async () => {
    const url = await presign('k', { query: { 'response-content-type': 'text/plain' } });
    expect((await fetch(url)).status).toBe(200);
    for (const changed of [
      url.replace(`/${BUCKET}/k`, `/${BUCKET}/other`),
      url.replace('text%2Fplain', 'text%2Fhtml'),
      url.replace('X-Amz-Expires=300', 'X-Amz-Expires=3000'),
      `${url}&response-cache-control=no-store`,
      url.replace('127.0.0.1', 'localhost'),
      url.replace(/X-Amz-Signature=..../, 'X-Amz-Signature=0000'),
    ]) {
      expect([changed, await failure(await fetch(changed))]).toEqual([changed, '403 SignatureDoesNotMatch']);
    }
    expect(await failure(await fetch(url, { method: 'DELETE' }))).toBe('403 SignatureDoesNotMatch');
    expect(await failure(await fetch(url.replace(/&X-Amz-Date=[^&]*/, '')))).toBe(
      '400 AuthorizationQueryParametersError',
    );
    expect(await failure(await fetch(`${url}&X-Amz-Expires=9`))).toBe('400 InvalidArgument');
    expect(await failure(await fetch(url, { headers: { 'x-amz-meta-a': '1' } }))).toBe('403 AccessDenied');
  });

  it('of the old version 2 is refused', async () => {
    const url = objectUrl(
      test.server,
      'k',
      'AWSAccessKeyId=LOCALTESTKEY&Signature=abc%3D&Expires=9999999999',
    );
    expect(await failure(await fetch(url))).toBe('400 InvalidRequest');
  });
});

describe('a presigned part', () => {
  it('is stored with its ETag exposed, and cannot be used for another part', async () => {
    const uploadId = await newUpload('film');
    const url = await presign('film', { method: 'PUT', query: { partNumber: '1', uploadId } });
    const stored = await fetch(url, { method: 'PUT', body: 'part one' });
    expect([stored.status, stored.headers.get('etag')]).toEqual([
      200,
      expect.stringMatching(/^"[0-9a-f]{32}"$/),
    ]);
    const swapped = url.replace('partNumber=1', 'partNumber=2');
    expect(await failure(await fetch(swapped, { method: 'PUT', body: 'part two' }))).toBe(
      '403 SignatureDoesNotMatch',
    );
    const other = url.replace(uploadId, await newUpload('film'));
    expect(await failure(await fetch(other, { method: 'PUT', body: 'part one' }))).toBe(
      '403 SignatureDoesNotMatch',
    );
  });

  it('of the SDK is stored', async () => {
    const presigner = sdkClient(test.server.url, { requestChecksumCalculation: 'WHEN_REQUIRED' });
    const command = new UploadPartCommand({
      Bucket: BUCKET,
      Key: 'film',
      UploadId: await newUpload('film'),
      PartNumber: 3,
    });
    const response = await fetch(await getSignedUrl(presigner, command), { method: 'PUT', body: 'part' });
    expect(response.status).toBe(200);
    presigner.destroy();
  });

  it('binds length and type when those are signed', async () => {
    const uploadId = await newUpload('bound');
    const url = await presign('bound', {
      method: 'PUT',
      query: { partNumber: '1', uploadId },
      headers: { 'content-length': '8', 'content-type': 'video/mp4' },
    });
    expect(new URL(url).searchParams.get('X-Amz-SignedHeaders')).toBe('content-length;content-type;host');
    const put = (body: string, type: string) =>
      fetch(url, { method: 'PUT', body, headers: { 'content-type': type } });
    expect(await failure(await put('123456789', 'video/mp4'))).toBe('403 SignatureDoesNotMatch');
    expect(await failure(await put('1234567', 'video/mp4'))).toBe('403 SignatureDoesNotMatch');
    expect(await failure(await put('12345678', 'text/html'))).toBe('403 SignatureDoesNotMatch');
    expect((await put('12345678', 'video/mp4')).status).toBe(200);
  });
});
