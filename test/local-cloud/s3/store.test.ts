import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openObject } from '../../../local-cloud/s3/open-object.ts';
import { commit, createBucket, deleteBucket, getBucket, openStore } from '../../../local-cloud/s3/store.ts';
import { BUCKET, objectUrl, startTestServer, type TestServer } from './support/server.ts';

let dataDir: string;
let test: TestServer;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 's3-open-'));
  test = await startTestServer({ dataDir });
  await test.aws.fetch(objectUrl(test.server, 'k'), { method: 'PUT', body: 'current' });
  await test.server.close();
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

describe('opening an object', () => {
  it('that was overwritten since it was looked up gives the new version', async () => {
    const store = await openStore(dataDir, () => new Date());
    const bucket = getBucket(store, BUCKET);
    const record = bucket.objects.get('k');
    if (record === undefined) throw new Error('the object is missing');
    vi.spyOn(bucket.objects, 'get').mockReturnValueOnce({
      ...record,
      eTag: 'old',
      dataFile: 'overwritten.data',
    });
    const opened = await openObject(store, bucket, 'k');
    expect(opened?.record.eTag).toBe(record.eTag);
    expect(await opened?.handle.readFile('utf8')).toBe('current');
    await opened?.handle.close();
  });

  it('whose bytes are lost fails instead of waiting for them', async () => {
    const store = await openStore(dataDir, () => new Date());
    const bucket = getBucket(store, BUCKET);
    await rm(join(dataDir, BUCKET, 'objects'), { recursive: true });
    await expect(openObject(store, bucket, 'k')).rejects.toThrow(/ENOENT/);
    expect(await openObject(store, bucket, 'never')).toBeUndefined();
  });
});

describe('a bucket', () => {
  it('cannot be deleted under a write that is about to appear, nor written to once it is deleted', async () => {
    const store = await openStore(join(dataDir, 'other'), () => new Date());
    await createBucket(store, BUCKET);
    const bucket = getBucket(store, BUCKET);
    const gate = Promise.withResolvers<void>();
    const writing = commit(store, bucket, () => gate.promise);
    await expect(deleteBucket(store, BUCKET)).rejects.toMatchObject({
      status: 409,
      code: 'OperationAborted',
    });
    gate.resolve();
    await writing;
    await deleteBucket(store, BUCKET);
    await expect(commit(store, bucket, async () => undefined)).rejects.toMatchObject({
      code: 'NoSuchBucket',
    });
  });
});
