import { createHash } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  BUCKET,
  failure,
  filesUnder,
  MIB,
  objectUrl,
  patternedBytes,
  sdkFailure,
  startTestServer,
  type TestServer,
} from './support/server.ts';

const md5 = (data: Buffer): Buffer => createHash('md5').update(data).digest();

let test: TestServer;
beforeAll(async () => {
  test = await startTestServer();
});
afterAll(() => test.stop());

const create = async (Key: string, more: object = {}): Promise<string> =>
  (await test.sdk.send(new CreateMultipartUploadCommand({ Bucket: BUCKET, Key, ...more }))).UploadId ?? '';

const upload = async (
  Key: string,
  UploadId: string,
  PartNumber: number,
  Body: Buffer,
): Promise<CompletedPart> => {
  const { ETag } = await test.sdk.send(
    new UploadPartCommand({ Bucket: BUCKET, Key, UploadId, PartNumber, Body }),
  );
  return { PartNumber, ETag };
};

const complete = (Key: string, UploadId: string, Parts: CompletedPart[], more: object = {}) =>
  test.sdk.send(
    new CompleteMultipartUploadCommand({
      Bucket: BUCKET,
      Key,
      UploadId,
      MultipartUpload: { Parts },
      ...more,
    }),
  );

const bytesOf = async (Key: string): Promise<Buffer> => {
  const found = await test.sdk.send(new GetObjectCommand({ Bucket: BUCKET, Key }));
  return Buffer.from((await found.Body?.transformToByteArray()) ?? []);
};

const listedParts = async (Key: string, UploadId: string) =>
  (await test.sdk.send(new ListPartsCommand({ Bucket: BUCKET, Key, UploadId }))).Parts ?? [];

describe('a multipart upload', () => {
  it('joins parts sent in parallel and out of order, under the ETag of their MD5s', async () => {
    const Key = 'films/parallel.mp4';
    const parts = [
      patternedBytes(5 * MIB, 1),
      patternedBytes(6 * MIB, 2),
      patternedBytes(5 * MIB, 3),
      patternedBytes(123, 4),
    ];
    const UploadId = await create(Key, { ContentType: 'video/mp4', Metadata: { owner: 'usr_1' } });
    test.events.length = 0;
    const done = await Promise.all(
      [3, 0, 2, 1].map((index) => upload(Key, UploadId, (index + 1) * 10, parts[index] ?? Buffer.alloc(0))),
    );
    const Parts = done.sort((left, right) => (left.PartNumber ?? 0) - (right.PartNumber ?? 0));
    const answer = await complete(Key, UploadId, Parts);
    const expected = `${createHash('md5')
      .update(Buffer.concat(parts.map(md5)))
      .digest('hex')}-4`;
    expect(answer).toMatchObject({ Bucket: BUCKET, Key, ETag: `"${expected}"` });
    expect((await bytesOf(Key)).equals(Buffer.concat(parts))).toBe(true);
    const found = await test.sdk.send(new GetObjectCommand({ Bucket: BUCKET, Key, Range: 'bytes=0-0' }));
    expect(found).toMatchObject({
      ContentType: 'video/mp4',
      Metadata: { owner: 'usr_1' },
      ETag: `"${expected}"`,
    });
    expect(test.events).toEqual([
      {
        bucket: BUCKET,
        key: Key,
        size: 16 * MIB + 123,
        eTag: expected,
        eventName: 'ObjectCreated:CompleteMultipartUpload',
      },
    ]);
    expect(await sdkFailure(test.sdk.send(new ListPartsCommand({ Bucket: BUCKET, Key, UploadId })))).toBe(
      '404 NoSuchUpload',
    );
  });

  it('shows no object before it is completed', async () => {
    const UploadId = await create('unfinished');
    await upload('unfinished', UploadId, 1, Buffer.from('x'));
    expect(await failure(await test.aws.fetch(objectUrl(test.server, 'unfinished')))).toBe('404 NoSuchKey');
  });

  it('keeps the last version of a part that is sent again', async () => {
    const UploadId = await create('resent');
    await upload('resent', UploadId, 1, Buffer.from('first'));
    const part = await upload('resent', UploadId, 1, Buffer.from('second'));
    expect(await listedParts('resent', UploadId)).toMatchObject([
      { PartNumber: 1, Size: 6, ETag: part.ETag },
    ]);
    await complete('resent', UploadId, [part]);
    expect((await bytesOf('resent')).toString()).toBe('second');
  });

  it('drops the parts that a completion does not list', async () => {
    const UploadId = await create('partly');
    await upload('partly', UploadId, 1, Buffer.from('one'));
    const two = await upload('partly', UploadId, 2, Buffer.from('two'));
    await complete('partly', UploadId, [two]);
    expect((await bytesOf('partly')).toString()).toBe('two');
  });

  it('refuses a part under 5 MiB that is not the last, and can still be completed afterwards', async () => {
    const UploadId = await create('small');
    const one = await upload('small', UploadId, 1, patternedBytes(5 * MIB - 1));
    const two = await upload('small', UploadId, 2, Buffer.from('end'));
    expect(await sdkFailure(complete('small', UploadId, [one, two]))).toBe('400 EntityTooSmall');
    const again = await upload('small', UploadId, 1, patternedBytes(5 * MIB));
    await complete('small', UploadId, [again, two]);
    expect(await bytesOf('small')).toHaveLength(5 * MIB + 3);
  });

  it('refuses missing parts, wrong ETags, wrong order, an empty list and bad XML', async () => {
    const UploadId = await create('wrong');
    const one = await upload('wrong', UploadId, 1, patternedBytes(5 * MIB));
    const two = await upload('wrong', UploadId, 2, Buffer.from('end'));
    expect(await sdkFailure(complete('wrong', UploadId, [one, two, { PartNumber: 3, ETag: two.ETag }]))).toBe(
      '400 InvalidPart',
    );
    expect(await sdkFailure(complete('wrong', UploadId, [{ PartNumber: 1, ETag: two.ETag }]))).toBe(
      '400 InvalidPart',
    );
    expect(await sdkFailure(complete('wrong', UploadId, [two, one]))).toBe('400 InvalidPartOrder');
    expect(await sdkFailure(complete('wrong', UploadId, [one, one]))).toBe('400 InvalidPartOrder');
    expect(await sdkFailure(complete('wrong', UploadId, []))).toBe('400 MalformedXML');
    const url = objectUrl(test.server, 'wrong', `uploadId=${UploadId}`);
    expect(
      await failure(await test.aws.fetch(url, { method: 'POST', body: '<CompleteMultipartUpload>' })),
    ).toBe('400 MalformedXML');
    expect(await sdkFailure(complete('wrong', UploadId, [one, two], { MpuObjectSize: 7 }))).toBe(
      '400 InvalidRequest',
    );
    await complete('wrong', UploadId, [one, two], { MpuObjectSize: 5 * MIB + 3 });
  });

  it.each(['0', '10001', '-1', 'x', ''])('refuses part number "%s"', async (partNumber) => {
    const UploadId = await create('numbers');
    const url = objectUrl(test.server, 'numbers', `partNumber=${partNumber}&uploadId=${UploadId}`);
    expect(await failure(await test.aws.fetch(url, { method: 'PUT', body: 'x' }))).toBe(
      '400 InvalidArgument',
    );
  });

  it('takes part 10000', async () => {
    const UploadId = await create('last-number');
    await complete('last-number', UploadId, [
      await upload('last-number', UploadId, 10_000, Buffer.from('x')),
    ]);
  });

  it('is unknown under another key, another id and after an abort, which frees its files', async () => {
    const before = (await filesUnder(test.dataDir)).length;
    const UploadId = await create('gone');
    const part = await upload('gone', UploadId, 1, Buffer.from('x'));
    expect(await sdkFailure(upload('other-key', UploadId, 1, Buffer.from('x')))).toBe('404 NoSuchUpload');
    expect(await sdkFailure(upload('gone', '../../objects', 1, Buffer.from('x')))).toBe('404 NoSuchUpload');
    await test.sdk.send(new AbortMultipartUploadCommand({ Bucket: BUCKET, Key: 'gone', UploadId }));
    expect(await sdkFailure(upload('gone', UploadId, 2, Buffer.from('x')))).toBe('404 NoSuchUpload');
    expect(await sdkFailure(complete('gone', UploadId, [part]))).toBe('404 NoSuchUpload');
    expect(
      await sdkFailure(test.sdk.send(new ListPartsCommand({ Bucket: BUCKET, Key: 'gone', UploadId }))),
    ).toBe('404 NoSuchUpload');
    const abortAgain = test.sdk.send(
      new AbortMultipartUploadCommand({ Bucket: BUCKET, Key: 'gone', UploadId }),
    );
    expect(await sdkFailure(abortAgain)).toBe('404 NoSuchUpload');
    const open = await test.sdk.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }));
    expect(open.Uploads?.map((item) => item.UploadId)).not.toContain(UploadId);
    expect((await filesUnder(test.dataDir)).length).toBe(before);
  });

  it('is completed once when two complete it at the same time', async () => {
    const UploadId = await create('contested');
    const parts = [
      await upload('contested', UploadId, 1, patternedBytes(5 * MIB)),
      await upload('contested', UploadId, 2, Buffer.from('end')),
    ];
    test.events.length = 0;
    const outcomes = await Promise.all(
      [1, 2].map(() =>
        complete('contested', UploadId, parts).then(
          () => 'completed',
          () => 'refused',
        ),
      ),
    );
    expect(outcomes.sort()).toEqual(['completed', 'refused']);
    expect(test.events).toHaveLength(1);
    expect(await bytesOf('contested')).toHaveLength(5 * MIB + 3);
  });

  it('honours If-None-Match: * at completion', async () => {
    await test.sdk.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'taken', Body: 'mine' }));
    const UploadId = await create('taken');
    const part = await upload('taken', UploadId, 1, Buffer.from('yours'));
    expect(await sdkFailure(complete('taken', UploadId, [part], { IfNoneMatch: '*' }))).toBe(
      '412 PreconditionFailed',
    );
    expect((await bytesOf('taken')).toString()).toBe('mine');
    await complete('taken', UploadId, [part]);
    expect((await bytesOf('taken')).toString()).toBe('yours');
  });
});

describe('UploadPartCopy', () => {
  it('makes parts of a stored object, whole or a range', async () => {
    const source = patternedBytes(6 * MIB, 9);
    await test.sdk.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'source', Body: source }));
    const UploadId = await create('assembled');
    const copy = async (PartNumber: number, CopySourceRange?: string): Promise<CompletedPart> => {
      const answer = await test.sdk.send(
        new UploadPartCopyCommand({
          Bucket: BUCKET,
          Key: 'assembled',
          UploadId,
          PartNumber,
          CopySource: `${BUCKET}/source`,
          CopySourceRange,
        }),
      );
      return { PartNumber, ETag: answer.CopyPartResult?.ETag };
    };
    await complete('assembled', UploadId, [await copy(1), await copy(2, 'bytes=10-19')]);
    expect((await bytesOf('assembled')).equals(Buffer.concat([source, source.subarray(10, 20)]))).toBe(true);
    const other = await create('assembled');
    const bad = (CopySourceRange: string) =>
      sdkFailure(
        test.sdk.send(
          new UploadPartCopyCommand({
            Bucket: BUCKET,
            Key: 'assembled',
            UploadId: other,
            PartNumber: 1,
            CopySource: `${BUCKET}/source`,
            CopySourceRange,
          }),
        ),
      );
    expect(await bad('bytes=0-99999999')).toBe('416 InvalidRange');
    expect(await bad('bytes=5-')).toBe('400 InvalidArgument');
  });
});
