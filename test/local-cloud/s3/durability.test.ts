import { once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import {
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetBucketCorsCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutBucketCorsCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, it, vi } from 'vitest';
import {
  BUCKET,
  filesUnder,
  MIB,
  objectUrl,
  patternedBytes,
  startTestServer,
  type TestServer,
} from './support/server.ts';
import { signRaw } from './support/sign.ts';

const withServer = async (task: (test: TestServer) => Promise<TestServer>): Promise<void> => {
  const test = await startTestServer();
  let last = test;
  try {
    last = await task(test);
  } finally {
    await last.stop();
  }
};

const read = async (test: TestServer, Key: string): Promise<Buffer> => {
  const found = await test.sdk.send(new GetObjectCommand({ Bucket: BUCKET, Key }));
  return Buffer.from((await found.Body?.transformToByteArray()) ?? []);
};

describe('after a restart', () => {
  it('objects, metadata and CORS are there, and half-done uploads can be finished', () =>
    withServer(async (first) => {
      const one = patternedBytes(5 * MIB, 1);
      const put = new PutObjectCommand({
        Bucket: BUCKET,
        Key: 'kept ü',
        Body: 'bytes',
        ContentType: 'video/mp4',
        Metadata: { a: 'b' },
      });
      const stored = await first.sdk.send(put);
      const CORSRules = [{ AllowedOrigins: ['*'], AllowedMethods: ['GET'] }];
      await first.sdk.send(new PutBucketCorsCommand({ Bucket: BUCKET, CORSConfiguration: { CORSRules } }));
      const { UploadId } = await first.sdk.send(
        new CreateMultipartUploadCommand({ Bucket: BUCKET, Key: 'half', ContentType: 'video/webm' }),
      );
      const part = await first.sdk.send(
        new UploadPartCommand({ Bucket: BUCKET, Key: 'half', UploadId, PartNumber: 1, Body: one }),
      );

      const second = await first.restart();
      const found = await second.sdk.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'kept ü' }));
      expect(found).toMatchObject({ ETag: stored.ETag, ContentType: 'video/mp4', Metadata: { a: 'b' } });
      expect(await found.Body?.transformToString()).toBe('bytes');
      expect((await second.sdk.send(new GetBucketCorsCommand({ Bucket: BUCKET }))).CORSRules).toEqual(
        CORSRules,
      );
      const listed = await second.sdk.send(new ListPartsCommand({ Bucket: BUCKET, Key: 'half', UploadId }));
      expect(listed.Parts).toMatchObject([{ PartNumber: 1, Size: 5 * MIB, ETag: part.ETag }]);
      const last = await second.sdk.send(
        new UploadPartCommand({ Bucket: BUCKET, Key: 'half', UploadId, PartNumber: 2, Body: 'end' }),
      );
      const Parts: CompletedPart[] = [
        { PartNumber: 1, ETag: part.ETag },
        { PartNumber: 2, ETag: last.ETag },
      ];
      await second.sdk.send(
        new CompleteMultipartUploadCommand({
          Bucket: BUCKET,
          Key: 'half',
          UploadId,
          MultipartUpload: { Parts },
        }),
      );

      const third = await second.restart();
      expect((await read(third, 'half')).equals(Buffer.concat([one, Buffer.from('end')]))).toBe(true);
      expect(
        (await third.sdk.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }))).Uploads,
      ).toBeUndefined();
      expect((await third.sdk.send(new ListObjectsV2Command({ Bucket: BUCKET }))).KeyCount).toBe(2);
      return third;
    }));

  it('what a crash left between two steps is swept away', () =>
    withServer(async (first) => {
      await first.sdk.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'whole', Body: 'whole' }));
      const clean = (await filesUnder(first.dataDir)).length;
      const bucket = join(first.dataDir, BUCKET);
      const [prefix = ''] = await readdir(join(bucket, 'objects'));
      await writeFile(join(bucket, 'objects', prefix, 'orphan.data'), 'x');
      await writeFile(
        join(bucket, 'objects', prefix, 'half.json'),
        '{"key":"ghost","dataFile":"missing.data","eTag":"x"}',
      );
      await writeFile(join(bucket, 'objects', prefix, 'torn.json'), '{"key":');
      await writeFile(join(bucket, 'tmp', 'incoming'), 'x');
      const second = await first.restart();
      expect((await filesUnder(second.dataDir)).length).toBe(clean);
      expect(
        (await second.sdk.send(new ListObjectsV2Command({ Bucket: BUCKET }))).Contents?.map(({ Key }) => Key),
      ).toEqual(['whole']);
      expect((await read(second, 'whole')).toString()).toBe('whole');
      return second;
    }));
});

describe('an upload whose connection breaks', () => {
  it('leaves nothing behind, and the old object in place', () =>
    withServer(async (test) => {
      await test.sdk.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'k', Body: 'old' }));
      const before = (await filesUnder(test.dataDir)).length;
      const { headers } = signRaw({
        method: 'PUT',
        host: `127.0.0.1:${test.server.port}`,
        path: `/${BUCKET}/k`,
      });
      const lines = Object.entries({ ...headers, 'content-length': '1000000' }).map(
        ([name, value]) => `${name}: ${value}`,
      );
      const socket = connect(test.server.port, '127.0.0.1');
      await once(socket, 'connect');
      socket.write(`PUT /${BUCKET}/k HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
      socket.write(Buffer.alloc(300_000, 'x'));
      await vi.waitFor(async () => expect((await filesUnder(test.dataDir)).length).toBe(before + 1), 5000);
      socket.destroy();
      await vi.waitFor(async () => expect((await filesUnder(test.dataDir)).length).toBe(before), 5000);
      expect((await read(test, 'k')).toString()).toBe('old');
      return test;
    }));

  it('is cut off by a stopping server without leaving anything', () =>
    withServer(async (test) => {
      const before = (await filesUnder(test.dataDir)).length;
      const { headers } = signRaw({
        method: 'PUT',
        host: `127.0.0.1:${test.server.port}`,
        path: `/${BUCKET}/k`,
      });
      const lines = Object.entries({ ...headers, 'content-length': '1000000' }).map(
        ([name, value]) => `${name}: ${value}`,
      );
      const socket = connect(test.server.port, '127.0.0.1');
      socket.on('error', () => undefined);
      await once(socket, 'connect');
      socket.write(`PUT /${BUCKET}/k HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\npartial`);
      await vi.waitFor(async () => expect((await filesUnder(test.dataDir)).length).toBe(before + 1), 5000);
      const again = await test.restart();
      expect((await filesUnder(again.dataDir)).length).toBe(before);
      socket.destroy();
      return again;
    }));
});

describe('readers and writers at the same time', () => {
  it('never show a mixture: a reader gets one version from first to last byte', () =>
    withServer(async (test) => {
      const size = 2 * MIB;
      const version = (index: number) => Buffer.alloc(size, index);
      await test.sdk.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'hot', Body: version(0) }));
      const writes = async () => {
        for (let index = 1; index <= 12; index += 1) {
          const response = await test.aws.fetch(objectUrl(test.server, 'hot'), {
            method: 'PUT',
            body: version(index),
          });
          expect(response.status).toBe(200);
        }
      };
      const reads = async () => {
        for (let index = 0; index < 25; index += 1) {
          const response = await test.aws.fetch(objectUrl(test.server, 'hot'));
          const bytes = Buffer.from(await response.arrayBuffer());
          expect([response.status, bytes.length]).toEqual([200, size]);
          expect(bytes.equals(version(bytes[0] ?? 255))).toBe(true);
        }
      };
      await Promise.all([writes(), reads(), reads()]);
      expect((await read(test, 'hot')).equals(version(12))).toBe(true);
      expect((await filesUnder(join(test.dataDir, BUCKET, 'objects'))).length).toBe(2);
      return test;
    }));

  it('many puts of many keys all arrive', () =>
    withServer(async (test) => {
      const keys = Array.from({ length: 60 }, (_unused, index) => `many/${index}`);
      await Promise.all(
        keys.map((Key) => test.sdk.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: Key }))),
      );
      const listed = await test.sdk.send(new ListObjectsV2Command({ Bucket: BUCKET }));
      expect(listed.Contents?.map(({ Key }) => Key)).toEqual([...keys].sort());
      return test;
    }));
});
