import {
  ListObjectsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  paginateListObjectsV2,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUCKET, sdkFailure, startTestServer, type TestServer } from './support/server.ts';

const KEYS = [
  'a.txt',
  'photos/2025/1.jpg',
  'photos/2025/2.jpg',
  'photos/2026/1.jpg',
  'photos/index.html',
  'photos0',
  'videos/ä ö+%&<>.mp4',
  'z\u{FB01}',
  'z\u{1F600}',
  'z~',
];

let test: TestServer;
beforeAll(async () => {
  test = await startTestServer();
  for (const Key of [...KEYS].reverse())
    await test.sdk.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: Key }));
});
afterAll(() => test.stop());

const byBytes = (keys: readonly string[]): string[] =>
  [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
const list = (more: object = {}) => test.sdk.send(new ListObjectsV2Command({ Bucket: BUCKET, ...more }));
const keysOf = (answer: { Contents?: { Key?: string | undefined }[] | undefined }) =>
  (answer.Contents ?? []).map(({ Key }) => Key);
const prefixesOf = (answer: { CommonPrefixes?: { Prefix?: string | undefined }[] | undefined }) =>
  (answer.CommonPrefixes ?? []).map(({ Prefix }) => Prefix);

describe('ListObjectsV2', () => {
  it('lists every key in UTF-8 byte order, with size, ETag and time', async () => {
    const answer = await list();
    expect(keysOf(answer)).toEqual(byBytes(KEYS));
    expect(answer).toMatchObject({ KeyCount: KEYS.length, IsTruncated: false, MaxKeys: 1000, Name: BUCKET });
    expect(answer.Contents?.[0]).toMatchObject({
      Size: 5,
      StorageClass: 'STANDARD',
      ETag: expect.stringMatching(/^"[0-9a-f]{32}"$/),
    });
    expect(answer.Contents?.[0]?.LastModified).toBeInstanceOf(Date);
  });

  it('filters by prefix and rolls up at a delimiter', async () => {
    const root = await list({ Delimiter: '/' });
    expect(prefixesOf(root)).toEqual(['photos/', 'videos/']);
    expect(keysOf(root)).toEqual(byBytes(['a.txt', 'photos0', 'z\u{FB01}', 'z\u{1F600}', 'z~']));
    const photos = await list({ Prefix: 'photos/', Delimiter: '/' });
    expect(prefixesOf(photos)).toEqual(['photos/2025/', 'photos/2026/']);
    expect(keysOf(photos)).toEqual(['photos/index.html']);
    expect(keysOf(await list({ Prefix: 'photos' }))).toHaveLength(5);
    expect(keysOf(await list({ Prefix: 'nothing' }))).toEqual([]);
  });

  it.each([1, 2, 3, 4])(
    'pages by %i without losing or repeating an entry, prefixes included',
    async (pageSize) => {
      const flat: (string | undefined)[] = [];
      for await (const page of paginateListObjectsV2({ client: test.sdk, pageSize }, { Bucket: BUCKET })) {
        expect(page.KeyCount).toBeLessThanOrEqual(pageSize);
        flat.push(...keysOf(page));
      }
      expect(flat).toEqual(byBytes(KEYS));
      const rolled: (string | undefined)[] = [];
      for await (const page of paginateListObjectsV2(
        { client: test.sdk, pageSize },
        { Bucket: BUCKET, Delimiter: '/' },
      )) {
        rolled.push(...keysOf(page), ...prefixesOf(page));
      }
      expect(byBytes(rolled.map(String))).toEqual(
        byBytes(['a.txt', 'photos/', 'photos0', 'videos/', 'z\u{FB01}', 'z\u{1F600}', 'z~']),
      );
    },
  );

  it('starts after a key, shows owners when asked, and gives nothing for zero keys', async () => {
    expect(keysOf(await list({ StartAfter: 'photos/index.html' }))[0]).toBe('photos0');
    expect((await list({ FetchOwner: true })).Contents?.[0]?.Owner?.ID).toBe('local-cloud');
    expect(await list({ MaxKeys: 0 })).toMatchObject({ KeyCount: 0, IsTruncated: false });
  });

  it('encodes keys for URLs when asked and says so', async () => {
    const answer = await list({ EncodingType: 'url', Prefix: 'videos/ä' });
    expect(answer).toMatchObject({ EncodingType: 'url', Prefix: 'videos/%C3%A4' });
    expect(keysOf(answer)).toEqual(['videos/%C3%A4%20%C3%B6%2B%25%26%3C%3E.mp4']);
  });

  it('refuses a made-up token, a bad encoding and a bad number', async () => {
    expect(await sdkFailure(list({ ContinuationToken: 'made-up!' }))).toBe('400 InvalidArgument');
    expect(await sdkFailure(list({ EncodingType: 'html' }))).toBe('400 InvalidArgument');
    expect(await sdkFailure(list({ MaxKeys: -1 }))).toBe('400 InvalidArgument');
    expect(await sdkFailure(test.sdk.send(new ListObjectsV2Command({ Bucket: 'missing-bucket' })))).toBe(
      '404 NoSuchBucket',
    );
  });
});

describe('ListObjects, version 1', () => {
  it('pages by marker', async () => {
    const seen: (string | undefined)[] = [];
    let Marker: string | undefined;
    for (;;) {
      const page = await test.sdk.send(
        new ListObjectsCommand({ Bucket: BUCKET, MaxKeys: 2, Delimiter: '/', Marker }),
      );
      seen.push(...keysOf(page), ...prefixesOf(page));
      if (!page.IsTruncated) break;
      Marker = page.NextMarker;
    }
    expect(byBytes(seen.map(String))).toEqual(
      byBytes(['a.txt', 'photos/', 'photos0', 'videos/', 'z\u{FB01}', 'z\u{1F600}', 'z~']),
    );
  });
});
