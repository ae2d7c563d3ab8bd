import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  BUCKET,
  failure,
  filesUnder,
  objectUrl,
  sdkFailure,
  sendSigned,
  startTestServer,
  type TestServer,
} from './support/server.ts';

const ODD_KEYS = [
  'a+b',
  'a b',
  'a%b',
  'a%2Bb',
  'a%20b',
  '100%',
  '//',
  'a//b',
  'a/',
  '/leading',
  'dots../..not/...segments',
  'quote\'s "double" (round) [square] {curly}',
  '!*~-_.$&,;=:@?#|^`\\<>',
  'größe/ÅÄÖ',
  '日本語/ビデオ.mp4',
  'emoji \u{1F3AC}\u{1F44D}\u{1F3FD}',
  'combining e\u0301 is not \u00e9',
  'rtl \u05e9\u05dc\u05d5\u05dd',
  'CON',
  'bucket.json',
  'UPPER',
  'upper',
  'x'.repeat(1024),
  'ü'.repeat(512),
];

let test: TestServer;
beforeAll(async () => {
  test = await startTestServer();
});
afterAll(() => test.stop());

const get = async (Key: string): Promise<string | undefined> =>
  (await test.sdk.send(new GetObjectCommand({ Bucket: BUCKET, Key }))).Body?.transformToString();

describe('a key', () => {
  it.each(ODD_KEYS)('%s is stored by aws4fetch and found by the SDK, exactly', async (key) => {
    const stored = await test.aws.fetch(objectUrl(test.server, key), {
      method: 'PUT',
      body: `content of ${key}`,
    });
    expect(stored.status).toBe(200);
    expect(await get(key)).toBe(`content of ${key}`);
  });

  it.each(ODD_KEYS)('%s is stored by the SDK and found by aws4fetch, also presigned', async (Key) => {
    await test.sdk.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: `sdk ${Key}` }));
    expect(await (await test.aws.fetch(objectUrl(test.server, Key))).text()).toBe(`sdk ${Key}`);
    const presigned = await test.aws.sign(objectUrl(test.server, Key), { aws: { signQuery: true } });
    expect(await (await fetch(presigned.url)).text()).toBe(`sdk ${Key}`);
  });

  it('never shares content with another, and all are listed as they are', async () => {
    for (const key of ODD_KEYS) expect(await get(key)).toBe(`sdk ${key}`);
    const listed = await test.sdk.send(new ListObjectsV2Command({ Bucket: BUCKET, EncodingType: 'url' }));
    const decoded = (listed.Contents ?? []).map(({ Key }) => decodeURIComponent(Key ?? ''));
    expect(decoded).toEqual([...ODD_KEYS].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
  });

  it('with a control character is stored, and listed as an XML reference', async () => {
    const key = 'bell\u0007and\nnewline';
    await test.aws.fetch(objectUrl(test.server, key), { method: 'PUT', body: 'x' });
    const listing = await (await test.aws.fetch(`${test.server.url}/${BUCKET}?prefix=bell`)).text();
    expect(listing).toContain('<Key>bell&#x7;and&#xa;newline</Key>');
    await test.sdk.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: key }));
  });

  it('over 1024 bytes is too long', async () => {
    for (const key of ['x'.repeat(1025), 'ü'.repeat(513)]) {
      const response = await test.aws.fetch(objectUrl(test.server, key), { method: 'PUT', body: 'x' });
      expect(await failure(response)).toBe('400 KeyTooLongError');
    }
  });

  it.each([
    '..',
    '.',
    '../x',
    'a/../b',
    'a/./b',
    'a/..',
    '../../../../etc/passwd',
    '%2e%2e/x',
    'a/%2e%2e/b',
    'a/%2E/b',
  ])('with the segment of %s is refused for reading, writing and deleting', async (path) => {
    for (const method of ['GET', 'PUT', 'DELETE', 'HEAD']) {
      const canonical = path.replace(/%2e/gi, '.');
      const response = await sendSigned(test.server, { method, path: `/${BUCKET}/${canonical}` });
      expect([method, response.status]).toEqual([method, 400]);
      if (method !== 'HEAD') expect(await failure(response)).toBe('400 InvalidArgument');
    }
  });

  it('as a percent-encoded dot segment is the same segment', async () => {
    const source = `${BUCKET}/a/%2e%2e/b`;
    const response = await test.aws.fetch(objectUrl(test.server, 'copy'), {
      method: 'PUT',
      headers: { 'x-amz-copy-source': source },
    });
    expect(await failure(response)).toBe('400 InvalidArgument');
  });

  it('leaves nothing outside the data directory and no key text on disk', async () => {
    const names = await filesUnder(test.dataDir);
    const hex =
      /^(?:[a-z0-9-]+\/)?(?:objects\/[0-9a-f]{2}\/[0-9a-f]{64}(?:\.json|-[0-9a-f]{24}\.data)|bucket\.json)$/;
    expect(
      names.map((name) => name.slice(test.dataDir.length + 1)).filter((name) => !hex.test(name)),
    ).toEqual([]);
  });

  it('may be a directory name and a file name at once', async () => {
    for (const Key of ['tree', 'tree/branch', 'tree/branch/leaf']) {
      await test.sdk.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: Key }));
    }
    expect(await Promise.all(['tree', 'tree/branch', 'tree/branch/leaf'].map(get))).toEqual([
      'tree',
      'tree/branch',
      'tree/branch/leaf',
    ]);
    expect(await sdkFailure(test.sdk.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'tree/' })))).toBe(
      '404 NoSuchKey',
    );
  });
});
