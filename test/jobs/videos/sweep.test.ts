import { describe, expect, it } from 'vitest';
import {
  createMultipartUpload,
  headObject,
  listMultipartUploads,
  putObject,
} from '../../../src/integrations/aws/index.ts';
import { dropFailedOriginals, sweepBuckets } from '../../../src/modules/videos/index.ts';
import { uuidv7 } from '../../../src/shared/ids.ts';
import { seedUser, sqlRows } from '../../support/worker/client.ts';
import { contextOf } from '../../support/worker/films.ts';
import { deliverEvents } from '../../support/worker/queues.ts';

const day = 86_400_000;
const { aws } = contextOf().config;
const idOf = (ageMs: number): string =>
  uuidv7(Date.now() - ageMs, crypto.getRandomValues(new Uint8Array(10)));
const put = (bucket: string, key: string) =>
  putObject(aws, { bucket, key, contentType: 'video/mp4', cacheControl: 'no-store' }, new Uint8Array(10));
const exists = async (bucket: string, key: string): Promise<boolean> =>
  (await headObject(aws, { bucket, key })) !== undefined;

const insert = (id: string, owner: string, columns: { readonly state: string; readonly deleted?: boolean }) =>
  sqlRows(
    `INSERT INTO videos (id, owner_id, title, state, deleted_at, source_key, source_bytes, failure_code, failure_message)
     VALUES ($1, $2, 'a film', $3::text, CASE WHEN $4::boolean THEN now() END, 'originals/' || $1::uuid || '/a.mp4', 10,
       CASE WHEN $3::text = 'failed' THEN 'encode_failed' END, CASE WHEN $3::text = 'failed' THEN 'x' END)`,
    [id, owner, columns.state, columns.deleted === true],
  );

describe('the sweep of the buckets', () => {
  it('removes files of videos that are deleted or gone, and no others', async () => {
    const owner = await seedUser();
    const [deleted, gone, kept, young] = [idOf(3 * day), idOf(3 * day), idOf(3 * day), idOf(1_000)];
    await insert(deleted, owner.uuid, { state: 'transcoding', deleted: true });
    await insert(kept, owner.uuid, { state: 'transcoding' });
    for (const id of [deleted, gone, kept, young]) {
      await put(aws.uploadsBucket, `originals/${id}/a.mp4`);
      await put(aws.mediaBucket, `media/${id}/v1/a.m4s`);
    }
    await sweepBuckets(contextOf());
    await deliverEvents();
    for (const id of [deleted, gone]) {
      expect(await exists(aws.uploadsBucket, `originals/${id}/a.mp4`)).toBe(false);
      expect(await exists(aws.mediaBucket, `media/${id}/v1/a.m4s`)).toBe(false);
    }
    for (const id of [kept, young]) {
      expect(await exists(aws.uploadsBucket, `originals/${id}/a.mp4`)).toBe(true);
      expect(await exists(aws.mediaBucket, `media/${id}/v1/a.m4s`)).toBe(true);
    }
  });

  it('frees parts of uploads nobody knows of', async () => {
    const begin = (id: string) =>
      createMultipartUpload(aws, {
        bucket: aws.uploadsBucket,
        key: `quarantine/${id}/${id}.mp4`,
        contentType: 'video/mp4',
      });
    const [old, young] = [idOf(5 * day), idOf(day)];
    await begin(old);
    await begin(young);
    await sweepBuckets(contextOf());
    const left = await listMultipartUploads(aws, { bucket: aws.uploadsBucket, prefix: 'quarantine/' });
    const keys = left.map(({ key }) => key);
    expect(keys.some((key) => key.includes(old))).toBe(false);
    expect(keys.some((key) => key.includes(young))).toBe(true);
  });

  it('frees them however many there are, page by page, and goes on where it stopped', async () => {
    const owner = await seedUser();
    const ids = Array.from({ length: 11 }, (_, index) => idOf(9 * day - index * 1_000)).sort();
    const inUse = new Set([ids[1], ids[5], ids[6], ids[7]]);
    for (const id of ids) {
      const key = `originals/${id}/${id}.mp4`;
      const target = { bucket: aws.uploadsBucket, key, contentType: 'video/mp4' };
      const s3UploadId = await createMultipartUpload(aws, target);
      if (!inUse.has(id)) continue;
      await insert(id, owner.uuid, { state: 'transcoding' });
      await sqlRows(
        `INSERT INTO uploads (id, video_id, owner_id, state, file_name, content_type, size_bytes, part_size_bytes, part_count,
           object_key, s3_upload_id, expires_at)
         VALUES ($1, $1, $2, 'open', 'a.mp4', 'video/mp4', 10, 5242880, 1, $3, $4, now())`,
        [id, owner.uuid, key, s3UploadId],
      );
    }
    // One key may have several.
    const [first = ''] = ids;
    const again = {
      bucket: aws.uploadsBucket,
      key: `originals/${first}/${first}.mp4`,
      contentType: 'video/mp4',
    };
    for (let times = 0; times < 3; times += 1) await createMultipartUpload(aws, again);

    const left = async () =>
      (await listMultipartUploads(aws, { bucket: aws.uploadsBucket, prefix: 'originals/' })).map(
        ({ key }) => key.split('/')[1] ?? '',
      );
    const sweep = () => sweepBuckets(contextOf(), { uploadsPerPage: 2, pagesPerRun: 2 });
    const counts = [(await left()).length];
    for (let run = 0; run < 4; run += 1) {
      await sweep();
      counts.push((await left()).length);
    }
    // Of four in each run: all of the first, three of the next, one of the next, and the last two.
    expect(counts).toEqual([14, 10, 7, 6, 4]);
    expect(await left()).toEqual([...inUse]);
    const [stray] = ids;
    await createMultipartUpload(aws, { ...again, key: `originals/${stray}/${stray}.mp4` });
    await sweep();
    await sweep();
    expect(await left()).toEqual([...inUse]);
  });

  it('drops originals of films that failed long ago, which are not to be tried again then', async () => {
    const owner = await seedUser();
    const [old, fresh] = [idOf(40 * day), idOf(day)];
    for (const id of [old, fresh]) {
      await insert(id, owner.uuid, { state: 'failed' });
      await put(aws.uploadsBucket, `originals/${id}/a.mp4`);
    }
    await sqlRows(`UPDATE videos SET updated_at = now() - interval '31 days' WHERE id = $1`, [old]);
    await dropFailedOriginals(contextOf());
    expect(await exists(aws.uploadsBucket, `originals/${old}/a.mp4`)).toBe(false);
    expect(await exists(aws.uploadsBucket, `originals/${fresh}/a.mp4`)).toBe(true);
    const rows = await sqlRows(
      'SELECT id, failure_code AS code, source_bytes AS bytes FROM videos WHERE owner_id = $1',
      [owner.uuid],
    );
    expect(rows).toEqual(
      expect.arrayContaining([
        { id: old, code: 'original_dropped', bytes: null },
        expect.objectContaining({ id: fresh, code: 'encode_failed' }),
      ]),
    );
  });
});
