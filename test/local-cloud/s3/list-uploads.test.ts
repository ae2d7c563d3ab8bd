import {
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUCKET, startTestServer, type TestServer } from './support/server.ts';

const LISTED = 'listed-uploads';
let test: TestServer;
beforeAll(async () => {
  test = await startTestServer({ buckets: [{ name: BUCKET }, { name: LISTED }] });
});
afterAll(() => test.stop());

describe('ListParts', () => {
  it('pages by part number', async () => {
    const upload = { Bucket: BUCKET, Key: 'paged' };
    const { UploadId } = await test.sdk.send(new CreateMultipartUploadCommand(upload));
    for (const PartNumber of [7, 3, 5, 1]) {
      await test.sdk.send(
        new UploadPartCommand({ ...upload, UploadId, PartNumber, Body: Buffer.alloc(PartNumber) }),
      );
    }
    const page = (more: object) =>
      test.sdk.send(new ListPartsCommand({ Bucket: BUCKET, Key: 'paged', UploadId, MaxParts: 3, ...more }));
    const first = await page({});
    expect(first).toMatchObject({
      IsTruncated: true,
      NextPartNumberMarker: '5',
      MaxParts: 3,
      Key: 'paged',
      UploadId,
    });
    expect(first.Parts?.map(({ PartNumber, Size }) => [PartNumber, Size])).toEqual([
      [1, 1],
      [3, 3],
      [5, 5],
    ]);
    const second = await page({ PartNumberMarker: first.NextPartNumberMarker });
    expect(second).toMatchObject({ IsTruncated: false });
    expect(second.Parts?.map(({ PartNumber }) => PartNumber)).toEqual([7]);
  });
});

describe('ListMultipartUploads', () => {
  it('pages by key and upload id, filters by prefix and rolls up', async () => {
    const ids: Record<string, string[]> = {};
    for (const Key of ['b/2', 'a', 'b/1', 'a', 'c', 'a']) {
      const { UploadId = '' } = await test.sdk.send(
        new CreateMultipartUploadCommand({ Bucket: LISTED, Key }),
      );
      ids[Key] = [...(ids[Key] ?? []), UploadId];
    }
    const seen: string[] = [];
    let markers = {};
    for (;;) {
      const page = await test.sdk.send(
        new ListMultipartUploadsCommand({ Bucket: LISTED, MaxUploads: 2, ...markers }),
      );
      seen.push(...(page.Uploads ?? []).map(({ Key, UploadId }) => `${Key} ${UploadId}`));
      if (!page.IsTruncated) break;
      markers = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
    }
    expect(seen.map((line) => line.split(' ')[0])).toEqual(['a', 'a', 'a', 'b/1', 'b/2', 'c']);
    expect(new Set(seen)).toEqual(
      new Set(Object.entries(ids).flatMap(([key, list]) => list.map((id) => `${key} ${id}`))),
    );
    const rolled = await test.sdk.send(new ListMultipartUploadsCommand({ Bucket: LISTED, Delimiter: '/' }));
    expect(rolled.CommonPrefixes).toEqual([{ Prefix: 'b/' }]);
    expect(rolled.Uploads).toHaveLength(4);
    const filtered = await test.sdk.send(new ListMultipartUploadsCommand({ Bucket: LISTED, Prefix: 'b/' }));
    expect(filtered.Uploads?.map(({ Key }) => Key)).toEqual(['b/1', 'b/2']);
  });
});
