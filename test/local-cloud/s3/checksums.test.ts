import { createHash } from 'node:crypto';
import { Agent } from 'node:http';
import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import {
  ChecksumAlgorithm,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCrc32c, createCrc64Nvme } from '../../../local-cloud/s3/crc.ts';
import {
  BUCKET,
  failure,
  filesUnder,
  MIB,
  objectUrl,
  patternedBytes,
  sdkFailure,
  sendRaw,
  startTestServer,
  type TestServer,
} from './support/server.ts';
import { type RawSigned, signedChunks, signRaw } from './support/sign.ts';

let test: TestServer;
beforeAll(async () => {
  test = await startTestServer();
});
afterAll(() => test.stop());

const crc32Base64 = (data: Buffer): string => {
  const out = Buffer.alloc(4);
  out.writeUInt32BE(crc32(data));
  return out.toString('base64');
};

const runningDigest = (running: ReturnType<typeof createCrc32c>, data: Buffer): string => {
  running.update(data);
  return running.digest().toString('base64');
};

const digestOf = (algorithm: 'CRC32' | 'CRC32C' | 'CRC64NVME' | 'SHA1' | 'SHA256', data: Buffer): string => {
  if (algorithm === 'CRC32') return crc32Base64(data);
  if (algorithm === 'CRC32C') return runningDigest(createCrc32c(), data);
  if (algorithm === 'CRC64NVME') return runningDigest(createCrc64Nvme(), data);
  return createHash(algorithm.toLowerCase()).update(data).digest('base64');
};

const bytesOf = async (key: string): Promise<Buffer> =>
  Buffer.from(await (await test.aws.fetch(objectUrl(test.server, key))).arrayBuffer());

describe('the CRCs', () => {
  it('give the published check values for "123456789"', () => {
    const check = (running: ReturnType<typeof createCrc32c>) => {
      running.update(Buffer.from('1234'));
      running.update(Buffer.from('56789'));
      return running.digest().toString('hex');
    };
    expect(check(createCrc32c())).toBe('e3069283');
    expect(check(createCrc64Nvme())).toBe('ae8b14860a799888');
  });
});

describe('an upload of the SDK', () => {
  it('carries a CRC32 by default, which is kept and returned', async () => {
    const body = patternedBytes(100_000);
    const stored = await test.sdk.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'crc', Body: body }));
    expect(stored.ChecksumCRC32).toBe(crc32Base64(body));
    const head = await test.sdk.send(
      new HeadObjectCommand({ Bucket: BUCKET, Key: 'crc', ChecksumMode: 'ENABLED' }),
    );
    expect(head).toMatchObject({ ChecksumCRC32: crc32Base64(body), ChecksumType: 'FULL_OBJECT' });
  });

  it('of a stream is decoded from aws-chunked with a trailer', async () => {
    const body = patternedBytes(700_000, 5);
    const chunks = Array.from({ length: 10 }, (_unused, index) =>
      body.subarray(index * 70_000, (index + 1) * 70_000),
    );
    await test.sdk.send(
      new PutObjectCommand({
        Bucket: BUCKET,
        Key: 'stream',
        Body: Readable.from(chunks),
        ContentLength: body.length,
        ContentEncoding: 'gzip',
      }),
    );
    const found = await test.sdk.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'stream' }));
    expect(Buffer.from((await found.Body?.transformToByteArray()) ?? []).equals(body)).toBe(true);
    expect(found.ContentEncoding).toBe('gzip');
  });

  it.each(['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const)('may use %s', async (algorithm) => {
    const value = digestOf(algorithm, Buffer.from('abc'));
    const stored = await test.sdk.send(
      new PutObjectCommand({ Bucket: BUCKET, Key: algorithm, Body: 'abc', [`Checksum${algorithm}`]: value }),
    );
    expect(stored).toMatchObject({ [`Checksum${algorithm}`]: value });
    const wrong = test.sdk.send(
      new PutObjectCommand({ Bucket: BUCKET, Key: 'wrong', Body: 'abd', [`Checksum${algorithm}`]: value }),
    );
    expect(await sdkFailure(wrong)).toBe('400 BadDigest');
  });

  it('with an algorithm that is not there, two at once or a malformed value is refused', async () => {
    const put = async (headers: Record<string, string>) =>
      failure(await test.aws.fetch(objectUrl(test.server, 'odd'), { method: 'PUT', body: 'abc', headers }));
    expect(await put({ 'x-amz-checksum-xxhash64': 'AAAAAAAAAAA=' })).toBe('501 NotImplemented');
    expect(await put({ 'x-amz-checksum-crc32': 'AAAAAA==', 'x-amz-checksum-sha1': 'AAAA' })).toBe(
      '400 InvalidRequest',
    );
    expect(await put({ 'x-amz-checksum-crc32': 'not base64' })).toBe('400 InvalidRequest');
    expect(await put({ 'x-amz-sdk-checksum-algorithm': 'CRC32' })).toBe('400 InvalidRequest');
    expect(await put({ 'content-md5': 'short' })).toBe('400 InvalidDigest');
    expect(await put({ 'content-md5': createHash('md5').update('abd').digest('base64') })).toBe(
      '400 BadDigest',
    );
  });
});

describe('a multipart checksum', () => {
  const uploadParts = async (Key: string, options: object, parts: readonly Buffer[]) => {
    const { UploadId } = await test.sdk.send(
      new CreateMultipartUploadCommand({ Bucket: BUCKET, Key, ...options }),
    );
    const done: CompletedPart[] = [];
    for (const [index, Body] of parts.entries()) {
      const part = await test.sdk.send(
        new UploadPartCommand({ Bucket: BUCKET, Key, UploadId, PartNumber: index + 1, Body }),
      );
      done.push({ PartNumber: index + 1, ETag: part.ETag, ChecksumCRC32: part.ChecksumCRC32 });
    }
    return { UploadId, done };
  };
  const parts = [patternedBytes(5 * MIB, 1), patternedBytes(1000, 2)];

  it('is composite by default: a checksum of the parts’ checksums', async () => {
    const { UploadId, done } = await uploadParts(
      'composite',
      { ChecksumAlgorithm: ChecksumAlgorithm.CRC32 },
      parts,
    );
    const bare = done.map(({ PartNumber, ETag }) => ({ PartNumber, ETag }));
    const complete = (Parts: CompletedPart[]) =>
      test.sdk.send(
        new CompleteMultipartUploadCommand({
          Bucket: BUCKET,
          Key: 'composite',
          UploadId,
          MultipartUpload: { Parts },
        }),
      );
    expect(await sdkFailure(complete(bare))).toBe('400 InvalidRequest');
    expect(await sdkFailure(complete(done.map((part) => ({ ...part, ChecksumCRC32: 'AAAAAA==' }))))).toBe(
      '400 InvalidPart',
    );
    const answer = await complete(done);
    const digests = Buffer.concat(parts.map((part) => Buffer.from(crc32Base64(part), 'base64')));
    expect(answer).toMatchObject({ ChecksumCRC32: `${crc32Base64(digests)}-2`, ChecksumType: 'COMPOSITE' });
  });

  it('covers the whole object when asked to, and a wrong expectation stops the completion', async () => {
    const options = { ChecksumAlgorithm: ChecksumAlgorithm.CRC32, ChecksumType: 'FULL_OBJECT' };
    const { UploadId, done } = await uploadParts('full', options, parts);
    const complete = (ChecksumCRC32: string) =>
      test.sdk.send(
        new CompleteMultipartUploadCommand({
          Bucket: BUCKET,
          Key: 'full',
          UploadId,
          MultipartUpload: { Parts: done },
          ChecksumCRC32,
        }),
      );
    expect(await sdkFailure(complete('AAAAAA=='))).toBe('400 BadDigest');
    const value = crc32Base64(Buffer.concat(parts));
    expect(await complete(value)).toMatchObject({ ChecksumCRC32: value, ChecksumType: 'FULL_OBJECT' });
    expect((await bytesOf('full')).equals(Buffer.concat(parts))).toBe(true);
  });

  it('must be the one the upload was created with', async () => {
    const { UploadId = '' } = await test.sdk.send(
      new CreateMultipartUploadCommand({ Bucket: BUCKET, Key: 'declared', ChecksumAlgorithm: 'SHA256' }),
    );
    const url = objectUrl(test.server, 'declared', `partNumber=1&uploadId=${UploadId}`);
    expect(await failure(await test.aws.fetch(url, { method: 'PUT', body: 'abc' }))).toBe(
      '400 InvalidRequest',
    );
    const headers = { 'x-amz-checksum-crc32': crc32Base64(Buffer.from('abc')) };
    expect(await failure(await test.aws.fetch(url, { method: 'PUT', body: 'abc', headers }))).toBe(
      '400 InvalidRequest',
    );
  });
});

describe('an aws-chunked body signed chunk by chunk', () => {
  const chunks = [patternedBytes(65_536, 1), patternedBytes(65_536, 2), patternedBytes(1000, 3)];
  const whole = Buffer.concat(chunks);
  const trailer = { name: 'x-amz-checksum-crc32', value: crc32Base64(whole) };

  const sign = (key: string, withTrailer: boolean, decodedLength = whole.length): RawSigned =>
    signRaw({
      method: 'PUT',
      host: `127.0.0.1:${test.server.port}`,
      path: `/${BUCKET}/${key}`,
      payloadHash: withTrailer
        ? 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER'
        : 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
      headers: {
        'content-encoding': 'aws-chunked',
        'x-amz-decoded-content-length': String(decodedLength),
        ...(withTrailer && { 'x-amz-trailer': trailer.name }),
      },
    });
  const send = async (key: string, signed: RawSigned, body: Buffer) => {
    const response = await sendRaw(test.server, {
      method: 'PUT',
      target: `/${BUCKET}/${key}`,
      headers: { ...signed.headers, 'content-length': String(body.length) },
      body,
    });
    return response.status === 200 ? '200' : failure(response);
  };

  it('is stored, with or without a trailer, and without aws-chunked in its encoding', async () => {
    for (const withTrailer of [false, true]) {
      const signed = sign('chunked', withTrailer);
      expect(
        await send('chunked', signed, signedChunks(signed, chunks, withTrailer ? trailer : undefined)),
      ).toBe('200');
      expect((await bytesOf('chunked')).equals(whole)).toBe(true);
      const head = await test.aws.fetch(objectUrl(test.server, 'chunked'), { method: 'HEAD' });
      expect(head.headers.get('content-encoding')).toBeNull();
    }
  });

  it('may be empty', async () => {
    const signed = sign('chunked-empty', false, 0);
    expect(await send('chunked-empty', signed, signedChunks(signed, []))).toBe('200');
  });

  it('is refused when a byte, a chunk, the order or the trailer is changed, and nothing is kept', async () => {
    const before = (await filesUnder(test.dataDir)).length;
    const signed = sign('bad', false);
    const good = signedChunks(signed, chunks);
    const flipped = Buffer.from(good);
    flipped[500] = (flipped[500] ?? 0) ^ 1;
    expect(await send('bad', signed, flipped)).toBe('403 SignatureDoesNotMatch');
    const one = 65_536 + good.indexOf('\r\n') + 4;
    const [first, second, rest] = [
      good.subarray(0, one),
      good.subarray(one, 2 * one),
      good.subarray(2 * one),
    ];
    expect(await send('bad', signed, Buffer.concat([second, first, rest]))).toBe('403 SignatureDoesNotMatch');
    expect(await send('bad', signed, Buffer.concat([first, rest]))).toBe('403 SignatureDoesNotMatch');
    const withTrailer = sign('bad', true);
    const wrongTrailer = { ...trailer, value: 'AAAAAA==' };
    expect(await send('bad', withTrailer, signedChunks(withTrailer, chunks, wrongTrailer))).toBe(
      '400 BadDigest',
    );
    const forged = signedChunks(withTrailer, chunks, trailer)
      .toString('latin1')
      .replace(trailer.value, 'AAAAAA==');
    expect(await send('bad', withTrailer, Buffer.from(forged, 'latin1'))).toBe('403 SignatureDoesNotMatch');
    expect((await test.aws.fetch(objectUrl(test.server, 'bad'))).status).toBe(404);
    expect((await filesUnder(test.dataDir)).length).toBe(before);
  });

  it('is refused when it is longer, shorter, cut off or malformed', async () => {
    const short = sign('bad', false, whole.length + 1);
    expect(await send('bad', short, signedChunks(short, chunks))).toBe('400 IncompleteBody');
    const long = sign('bad', false, whole.length - 1);
    expect(await send('bad', long, signedChunks(long, chunks))).toBe('400 IncompleteBody');
    const signed = sign('bad', false);
    const good = signedChunks(signed, chunks);
    expect(await send('bad', signed, good.subarray(0, -100))).toBe('400 IncompleteBody');
    expect(await send('bad', signed, Buffer.concat([good, Buffer.from('more')]))).toBe('400 IncompleteBody');
    expect(await send('bad', signed, Buffer.from('zz\r\n'))).toBe('400 IncompleteBody');
    expect(await send('bad', signed, Buffer.alloc(100_000, 'a'))).toBe('400 IncompleteBody');
    const missing = sign('bad', true);
    expect(await send('bad', missing, signedChunks(missing, chunks))).toBe('403 SignatureDoesNotMatch');
    const tiny = sign('bad', false, 20);
    const pieces = [Buffer.alloc(10, 1), Buffer.alloc(10, 2)];
    expect(await send('bad', tiny, signedChunks(tiny, pieces))).toBe('403 InvalidChunkSizeError');
  });

  it('is read to its end after a refusal, so that the connection serves the next request', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const large = Array.from({ length: 8 }, (_unused, index) => patternedBytes(MIB, index + 1));
    const signed = sign('bad', false, 8 * MIB);
    const body = signedChunks(signed, large);
    body[500] = (body[500] ?? 0) ^ 1;
    const bad = await sendRaw(test.server, {
      method: 'PUT',
      target: `/${BUCKET}/bad`,
      headers: { ...signed.headers, 'content-length': String(body.length) },
      body,
      agent,
    });
    expect(await failure(bad)).toBe('403 SignatureDoesNotMatch');
    const next = signRaw({ method: 'GET', host: `127.0.0.1:${test.server.port}`, path: '/' });
    const listed = await sendRaw(test.server, { method: 'GET', target: '/', headers: next.headers, agent });
    expect(listed.status).toBe(200);
    agent.destroy();
  });

  it('needs the decoded length', async () => {
    const signed = signRaw({
      method: 'PUT',
      host: `127.0.0.1:${test.server.port}`,
      path: `/${BUCKET}/bad`,
      payloadHash: 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
    });
    expect(await send('bad', signed, signedChunks(signed, chunks))).toBe('411 MissingContentLength');
  });
});
