import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  BUCKET,
  failure,
  objectUrl,
  patternedBytes,
  sdkFailure,
  sendSigned,
  startTestServer,
  type TestServer,
} from './support/server.ts';

let test: TestServer;
beforeAll(async () => {
  test = await startTestServer();
});
afterAll(() => test.stop());

const put = (Key: string, Body: string | Buffer, more: object = {}) =>
  test.sdk.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body, ...more }));
const get = (Key: string, more: object = {}) =>
  test.sdk.send(new GetObjectCommand({ Bucket: BUCKET, Key, ...more }));
const text = async (Key: string): Promise<string> => (await (await get(Key)).Body?.transformToString()) ?? '';

describe('an object', () => {
  it('comes back with the bytes, headers and metadata it was put with', async () => {
    const body = patternedBytes(300_000);
    const stored = await put('film.mp4', body, {
      ContentType: 'video/mp4',
      CacheControl: 'max-age=60',
      ContentDisposition: 'attachment; filename="film.mp4"',
      ContentLanguage: 'de',
      ContentEncoding: 'identity',
      Metadata: { title: 'Big Buck', owner: 'usr_1' },
    });
    const eTag = `"${createHash('md5').update(body).digest('hex')}"`;
    expect(stored.ETag).toBe(eTag);
    const found = await get('film.mp4');
    expect(Buffer.from((await found.Body?.transformToByteArray()) ?? [])).toEqual(body);
    const head = await test.sdk.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'film.mp4' }));
    for (const answer of [found, head]) {
      expect(answer).toMatchObject({
        ETag: eTag,
        ContentLength: 300_000,
        ContentType: 'video/mp4',
        CacheControl: 'max-age=60',
        ContentDisposition: 'attachment; filename="film.mp4"',
        ContentLanguage: 'de',
        ContentEncoding: 'identity',
        AcceptRanges: 'bytes',
        Metadata: { title: 'Big Buck', owner: 'usr_1' },
      });
      expect(answer.LastModified).toBeInstanceOf(Date);
    }
  });

  it('may be empty, and defaults to binary/octet-stream', async () => {
    const response = await test.aws.fetch(objectUrl(test.server, 'empty'), { method: 'PUT' });
    expect(response.status).toBe(200);
    const head = await test.sdk.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'empty' }));
    expect(head).toMatchObject({ ContentLength: 0, ContentType: 'binary/octet-stream' });
    expect(await text('empty')).toBe('');
  });

  it('is replaced by a later put and gone after a delete', async () => {
    await put('twice', 'first');
    await put('twice', 'second');
    expect(await text('twice')).toBe('second');
    await test.sdk.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: 'twice' }));
    expect(await sdkFailure(get('twice'))).toBe('404 NoSuchKey');
    await test.sdk.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: 'twice' }));
  });

  it('is missing with a 404 that HEAD gives without a body', async () => {
    expect(await failure(await test.aws.fetch(objectUrl(test.server, 'missing')))).toBe('404 NoSuchKey');
    const head = await test.aws.fetch(objectUrl(test.server, 'missing'), { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([404, '']);
    expect(await sdkFailure(test.sdk.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'missing' })))).toBe(
      '404 NotFound',
    );
  });

  it('cannot be put without a length', async () => {
    const response = await sendSigned(test.server, {
      method: 'PUT',
      path: `/${BUCKET}/no-length`,
      unsigned: { 'transfer-encoding': 'chunked' },
      body: Buffer.from('data'),
      contentLength: false,
    });
    expect(await failure(response)).toBe('411 MissingContentLength');
  });

  it('cannot be put into a bucket that does not exist', async () => {
    expect(
      await sdkFailure(
        test.sdk.send(new PutObjectCommand({ Bucket: 'no-such-bucket', Key: 'k', Body: 'x' })),
      ),
    ).toBe('404 NoSuchBucket');
  });

  it('cannot be larger than 5 GiB in one put', async () => {
    const response = await sendSigned(test.server, {
      method: 'PUT',
      path: `/${BUCKET}/huge`,
      unsigned: { 'content-length': String(5 * 1024 ** 3 + 1), expect: '100-continue' },
      contentLength: false,
    });
    expect(await failure(response)).toBe('400 EntityTooLarge');
  });

  it('refuses metadata over 2 KB, public ACLs and features that are not there', async () => {
    expect(await sdkFailure(put('meta', 'x', { Metadata: { big: 'x'.repeat(2100) } }))).toBe(
      '400 MetadataTooLarge',
    );
    expect(await sdkFailure(put('acl', 'x', { ACL: 'public-read' }))).toBe(
      '400 AccessControlListNotSupported',
    );
    expect(await sdkFailure(put('tags', 'x', { Tagging: 'a=b' }))).toBe('501 NotImplemented');
    expect(await sdkFailure(put('kms', 'x', { ServerSideEncryption: 'aws:kms' }))).toBe('501 NotImplemented');
    expect(await failure(await test.aws.fetch(objectUrl(test.server, 'meta', 'retention')))).toBe(
      '501 NotImplemented',
    );
    await put('aes', 'x', { ServerSideEncryption: 'AES256', ACL: 'private' });
  });

  it('takes response headers from the query of a read', async () => {
    await put('override', 'x');
    const found = await get('override', {
      ResponseContentType: 'text/plain',
      ResponseContentDisposition: 'attachment; filename="a b.txt"',
      ResponseCacheControl: 'no-store',
    });
    expect(found).toMatchObject({
      ContentType: 'text/plain',
      ContentDisposition: 'attachment; filename="a b.txt"',
      CacheControl: 'no-store',
    });
    const injected = await test.aws.fetch(
      objectUrl(test.server, 'override', 'response-content-type=a%0D%0Ab%3A1'),
    );
    expect(await failure(injected)).toBe('400 InvalidRequest');
  });
});

describe('DeleteObjects', () => {
  it('deletes the named keys and says which', async () => {
    await Promise.all(['d/1', 'd/2 & <x>', 'd/3'].map((key) => put(key, key)));
    const answer = await test.sdk.send(
      new DeleteObjectsCommand({
        Bucket: BUCKET,
        Delete: { Objects: [{ Key: 'd/1' }, { Key: 'd/2 & <x>' }, { Key: 'd/never' }] },
      }),
    );
    expect(answer.Deleted?.map(({ Key }) => Key)).toEqual(['d/1', 'd/2 & <x>', 'd/never']);
    expect(await sdkFailure(get('d/1'))).toBe('404 NoSuchKey');
    expect(await text('d/3')).toBe('d/3');
  });

  it('stays silent when quiet, and reports keys it refuses', async () => {
    await put('q/1', 'x');
    const answer = await test.sdk.send(
      new DeleteObjectsCommand({
        Bucket: BUCKET,
        Delete: { Quiet: true, Objects: [{ Key: 'q/1' }, { Key: 'a/../b' }] },
      }),
    );
    expect(answer.Deleted).toBeUndefined();
    expect(answer.Errors).toMatchObject([{ Key: 'a/../b', Code: 'InvalidArgument' }]);
  });

  it('needs a digest and well-formed XML', async () => {
    const url = `${test.server.url}/${BUCKET}?delete`;
    const body = '<Delete><Object><Key>x</Key></Object></Delete>';
    expect(await failure(await test.aws.fetch(url, { method: 'POST', body }))).toBe('400 InvalidRequest');
    for (const bad of [
      '<Delete><Object><Key>x</Object></Delete>',
      '<!DOCTYPE d [<!ENTITY e "x">]><Delete><Object><Key>&e;</Key></Object></Delete>',
      '<Delete></Delete>',
      'not xml',
      '<Delete><Object><Key>&unknown;</Key></Object></Delete>',
    ]) {
      const headers = { 'content-md5': createHash('md5').update(bad).digest('base64') };
      expect(await failure(await test.aws.fetch(url, { method: 'POST', body: bad, headers }))).toBe(
        '400 MalformedXML',
      );
    }
    const tampered = { 'content-md5': createHash('md5').update('other').digest('base64') };
    expect(await failure(await test.aws.fetch(url, { method: 'POST', body, headers: tampered }))).toBe(
      '400 BadDigest',
    );
  });
});

describe('CopyObject', () => {
  it('copies bytes and metadata, or takes new metadata', async () => {
    await put('source ü+%.bin', 'payload', { ContentType: 'video/mp4', Metadata: { a: '1' } });
    const CopySource = `${BUCKET}/${encodeURIComponent('source ü+%.bin')}`;
    const copied = await test.sdk.send(new CopyObjectCommand({ Bucket: BUCKET, Key: 'copy', CopySource }));
    expect(copied.CopyObjectResult?.ETag).toBe(`"${createHash('md5').update('payload').digest('hex')}"`);
    expect(await get('copy')).toMatchObject({ ContentType: 'video/mp4', Metadata: { a: '1' } });
    await test.sdk.send(
      new CopyObjectCommand({
        Bucket: BUCKET,
        Key: 'copy2',
        CopySource,
        MetadataDirective: 'REPLACE',
        ContentType: 'text/plain',
      }),
    );
    const replaced = await get('copy2');
    expect(replaced).toMatchObject({ ContentType: 'text/plain', Metadata: {} });
    expect(await replaced.Body?.transformToString()).toBe('payload');
  });

  it('refuses a missing source, a copy onto itself and a failed condition', async () => {
    await put('self', 'x');
    const copy = (Key: string, source: string, more: object = {}) =>
      sdkFailure(
        test.sdk.send(
          new CopyObjectCommand({ Bucket: BUCKET, Key, CopySource: `${BUCKET}/${source}`, ...more }),
        ),
      );
    expect(await copy('c', 'missing')).toBe('404 NoSuchKey');
    expect(await copy('self', 'self')).toBe('400 InvalidRequest');
    expect(await copy('c', 'self', { CopySourceIfMatch: '"other"' })).toBe('412 PreconditionFailed');
    const eTag = `"${createHash('md5').update('x').digest('hex')}"`;
    expect(await copy('c', 'self', { CopySourceIfNoneMatch: eTag })).toBe('412 PreconditionFailed');
  });
});

describe('the transcoder', () => {
  it('finds the bytes of an object on disk and delivers results', async () => {
    await put('in.mp4', 'input bytes');
    const path = test.server.objectPath(BUCKET, 'in.mp4');
    expect(await readFile(path ?? '', 'utf8')).toBe('input bytes');
    expect(test.server.objectPath(BUCKET, 'nothing')).toBeUndefined();
    expect(test.server.objectPath('other', 'in.mp4')).toBeUndefined();

    const local = join(test.dataDir, 'result.m4s');
    await writeFile(local, 'segment');
    await test.server.putFile(BUCKET, 'out/seg_1.m4s', local, {
      contentType: 'video/mp4',
      cacheControl: 'max-age=9',
    });
    const found = await get('out/seg_1.m4s');
    expect(found).toMatchObject({ ContentType: 'video/mp4', CacheControl: 'max-age=9' });
    expect(await found.Body?.transformToString()).toBe('segment');
    await expect(test.server.putFile(BUCKET, '../x', local, { contentType: 'a/b' })).rejects.toThrow();
    await expect(test.server.putFile('nope', 'x', local, { contentType: 'a/b' })).rejects.toThrow(
      /bucket does not exist/,
    );
    expect(await readFile(local, 'utf8')).toBe('segment');
  });
});

describe('events', () => {
  it('tell of every change with key, size and ETag', async () => {
    test.events.length = 0;
    await put('ev', 'four');
    await test.sdk.send(new CopyObjectCommand({ Bucket: BUCKET, Key: 'ev2', CopySource: `${BUCKET}/ev` }));
    await test.sdk.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: 'ev' }));
    await test.sdk.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: 'ev' }));
    await get('ev2');
    const eTag = createHash('md5').update('four').digest('hex');
    expect(test.events).toEqual([
      { bucket: BUCKET, key: 'ev', size: 4, eTag, eventName: 'ObjectCreated:Put' },
      { bucket: BUCKET, key: 'ev2', size: 4, eTag, eventName: 'ObjectCreated:Copy' },
      { bucket: BUCKET, key: 'ev', size: 0, eTag: '', eventName: 'ObjectRemoved:Delete' },
    ]);
  });
});
