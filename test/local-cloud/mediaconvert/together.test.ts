import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { CreateJobCommand, MediaConvertClient } from '@aws-sdk/client-mediaconvert';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterEach, expect, it } from 'vitest';
import { createEventBus } from '../../../local-cloud/events/index.ts';
import { locateFfmpeg } from '../../../local-cloud/ffmpeg/index.ts';
import { createMediaConvertHandler } from '../../../local-cloud/mediaconvert/index.ts';
import { startS3Server } from '../../../local-cloud/s3/server.ts';
import { startWebhook } from '../events/webhook.ts';
import { newDirectory } from './directories.ts';
import { ACCOUNT, CREDENTIALS, REGION, until } from './harness.ts';
import { ladderJob } from './jobs.ts';
import { makeClip } from './media.ts';
import { mediaOf, mediaPlaylistOf, variantsOf } from './playback.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

it('an uploaded film becomes a ladder in the bucket, and the webhook hears of it despite faults', async () => {
  const ffmpeg = await locateFfmpeg();
  const s3 = await startS3Server({
    port: 0,
    dataDir: newDirectory('s3'),
    region: REGION,
    credentials: [CREDENTIALS],
    buckets: [{ name: 'raw-bucket' }, { name: 'vod-bucket' }],
  });
  closers.push(() => s3.close());
  const down = await startWebhook();
  await down.close();
  const bus = await createEventBus({
    target: { url: down.url, headers: { 'x-api-key': 'secret' } },
    dataDir: newDirectory('events'),
    chaos: { duplicate: 0.5, reorder: 0.3 },
    seed: 3,
    retryMaxMs: 50,
  });
  closers.push(() => bus.close());
  const handler = createMediaConvertHandler({
    region: REGION,
    credentials: [CREDENTIALS],
    accountId: ACCOUNT,
    dataDir: newDirectory('mediaconvert'),
    objectStore: s3,
    ffmpeg,
    emit: (event) => bus.emit(event),
  });
  closers.push(() => handler.close());
  const server = createServer((request, response) => void handler.handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(async () => {
    server.close();
    server.closeAllConnections();
  });
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const shared = { region: REGION, credentials: CREDENTIALS, maxAttempts: 1 };
  const objects = new S3Client({ ...shared, endpoint: s3.url, forcePathStyle: true });
  const jobs = new MediaConvertClient({ ...shared, endpoint });
  closers.push(async () => {
    objects.destroy();
    jobs.destroy();
  });

  const key = 'uploads/Ferien & Meer +1 100%.mp4';
  const film = await makeClip(ffmpeg, join(newDirectory('film'), 'film.mp4'), { seconds: 3 });
  await objects.send(new PutObjectCommand({ Bucket: 'raw-bucket', Key: key, Body: readFileSync(film) }));
  const body = JSON.stringify(ladderJob({ FileInput: `s3://raw-bucket/${key}` })).replaceAll(
    's3://vod/',
    's3://vod-bucket/',
  );
  const { Job: job } = await jobs.send(new CreateJobCommand(JSON.parse(body)));
  await new Promise((resolve) => setTimeout(resolve, 300));
  const hook = await startWebhook(undefined, down.port);
  closers.push(() => hook.close());

  const complete = await until(() => hook.received.find((entry) => entry.event.detail.status === 'COMPLETE'));
  await bus.idle();
  expect(complete.headers['x-api-key']).toBe('secret');
  expect(complete.event.detail.jobId).toBe(job?.Id);
  const ids = hook.ids();
  expect(ids.length).toBeGreaterThan(new Set(ids).size);

  const prefix = 'vid_1/v1/';
  const listing = await objects.send(new ListObjectsV2Command({ Bucket: 'vod-bucket', Prefix: prefix }));
  const stored = new Set((listing.Contents ?? []).map((object) => object.Key));
  const text = async (name: string): Promise<string> => {
    const object = await objects.send(new GetObjectCommand({ Bucket: 'vod-bucket', Key: prefix + name }));
    expect(object.ContentType).toBe('application/vnd.apple.mpegurl');
    return (await object.Body?.transformToString()) ?? '';
  };
  const base = 'Ferien & Meer +1 100%';
  const master = await text(`${base}.m3u8`);
  const playlists = [
    ...variantsOf(master).map(({ uri }) => uri),
    ...mediaOf(master, 'AUDIO').map(({ URI }) => URI ?? ''),
  ];
  expect(playlists).toHaveLength(3);
  for (const uri of playlists) {
    const { init, segments } = mediaPlaylistOf(await text(decodeURIComponent(uri)));
    for (const name of [init ?? '', ...segments.map((segment) => segment.uri)]) {
      expect(stored).toContain(prefix + decodeURIComponent(name));
    }
  }
  expect([...stored].filter((name) => name?.startsWith(`${prefix}thumbs/t.`))).toHaveLength(5);
});
