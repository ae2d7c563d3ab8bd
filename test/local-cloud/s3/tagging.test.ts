import {
  CopyObjectCommand,
  DeleteObjectTaggingCommand,
  GetObjectTaggingCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  BUCKET,
  failure,
  objectUrl,
  sdkFailure,
  startTestServer,
  type TestServer,
} from './support/server.ts';

let test: TestServer;
beforeAll(async () => {
  test = await startTestServer();
});
afterAll(() => test.stop());

const put = (Key: string) => test.sdk.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: 'content' }));
const tag = (Key: string, tags: Readonly<Record<string, string>>) =>
  test.sdk.send(
    new PutObjectTaggingCommand({
      Bucket: BUCKET,
      Key,
      Tagging: { TagSet: Object.entries(tags).map(([name, Value]) => ({ Key: name, Value })) },
    }),
  );
const tagsOf = async (Key: string) => {
  const { TagSet = [] } = await test.sdk.send(new GetObjectTaggingCommand({ Bucket: BUCKET, Key }));
  return Object.fromEntries(TagSet.map((pair) => [pair.Key, pair.Value]));
};

describe('tags of an object', () => {
  it('are set, read, replaced as a whole and removed', async () => {
    await put('tagged');
    expect(await tagsOf('tagged')).toEqual({});
    await tag('tagged', { state: 'new & <odd>'.replace(/[&<>]/g, '-'), größe: 'ü+=._:/@' });
    expect(await tagsOf('tagged')).toEqual({ state: 'new - -odd-', größe: 'ü+=._:/@' });
    await tag('tagged', { other: '' });
    expect(await tagsOf('tagged')).toEqual({ other: '' });
    await test.sdk.send(new DeleteObjectTaggingCommand({ Bucket: BUCKET, Key: 'tagged' }));
    expect(await tagsOf('tagged')).toEqual({});
  });

  it('survive a restart, go with a copy and not with a new object of the same key', async () => {
    await put('kept');
    await tag('kept', { a: '1' });
    test = await test.restart();
    expect(await tagsOf('kept')).toEqual({ a: '1' });
    await test.sdk.send(new CopyObjectCommand({ Bucket: BUCKET, Key: 'copy', CopySource: `${BUCKET}/kept` }));
    expect(await tagsOf('copy')).toEqual({ a: '1' });
    await put('kept');
    expect(await tagsOf('kept')).toEqual({});
  });

  it('are refused when there are too many, too long, reserved or repeated, and when the object is not there', async () => {
    await put('strict');
    const many = Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`k${index}`, 'v']));
    expect(await sdkFailure(tag('strict', many))).toBe('400 BadRequest');
    expect(await sdkFailure(tag('strict', { ['k'.repeat(129)]: 'v' }))).toBe('400 InvalidTag');
    expect(await sdkFailure(tag('strict', { k: 'v'.repeat(257) }))).toBe('400 InvalidTag');
    expect(await sdkFailure(tag('strict', { 'aws:k': 'v' }))).toBe('400 InvalidTag');
    expect(await sdkFailure(tag('strict', { 'k<': 'v' }))).toBe('400 InvalidTag');
    const twice = '<Tag><Key>a</Key><Value>1</Value></Tag>'.repeat(2);
    for (const [body, code] of [
      [`<Tagging><TagSet>${twice}</TagSet></Tagging>`, '400 InvalidTag'],
      ['<Tagging/>', '400 MalformedXML'],
      ['<Other><TagSet/></Other>', '400 MalformedXML'],
      ['not xml', '400 MalformedXML'],
    ] as const)
      expect(
        await failure(
          await test.aws.fetch(objectUrl(test.server, 'strict', 'tagging='), { method: 'PUT', body }),
        ),
      ).toBe(code);
    expect(await tagsOf('strict')).toEqual({});
    expect(await sdkFailure(tagsOf('none'))).toBe('404 NoSuchKey');
    expect(await sdkFailure(tag('none', { a: 'b' }))).toBe('404 NoSuchKey');
  });
});
