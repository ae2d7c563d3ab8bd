import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { reconcileEncodeJobs } from '../../../src/modules/videos/index.ts';
import { call, seedUser, sqlRows, type TestUser } from '../../support/worker/client.ts';
import {
  complete,
  contextOf,
  endedJobEvents,
  film,
  getVideo,
  putParts,
  type StartedUpload,
  scanEvents,
  sendWebhook,
  uploadFilm,
  uuidOf,
} from '../../support/worker/films.ts';
import { deliver, deliverEvents, type SentMessage, takeMessages } from '../../support/worker/queues.ts';

let creator: TestUser;
let bytes: Uint8Array;
beforeAll(async () => {
  creator = await seedUser();
  bytes = await film('film.mp4');
});
afterEach(() => {
  takeMessages();
});

const inMinutes = (minutes: number) => contextOf({ clockMs: Date.now() + minutes * 60_000 });

interface Extras {
  readonly storyboard_url: string | null;
  readonly preview_url: string | null;
  readonly download_url: string | null;
}

async function extrasOf(videoId: string): Promise<Extras> {
  const page = (await getVideo(videoId, creator)) as unknown as Extras;
  const { storyboard_url, preview_url, download_url } = page;
  return { storyboard_url, preview_url, download_url };
}

const jobsOf = (videoUuid: string) =>
  sqlRows<{ kind: string; revision: number; state: string }>(
    `SELECT kind, revision, state FROM encode_jobs WHERE video_id = $1 AND kind <> 'stream'
     ORDER BY revision, kind, attempt`,
    [videoUuid],
  );

/** Delivers what is sent until nothing is left, but for the messages that get lost. */
async function deliverAllBut(type: string): Promise<SentMessage[]> {
  const lost: SentMessage[] = [];
  for (let messages = takeMessages(); messages.length > 0; messages = takeMessages()) {
    lost.push(...messages.filter((message) => message.body.type === type));
    await deliver(messages.filter((message) => message.body.type !== type));
  }
  return lost;
}

/** Publishes a film whose order for what comes beside it is lost. */
async function publishWithoutExtras(file = bytes) {
  const uploaded = await uploadFilm(creator, file);
  await deliverEvents();
  for (const event of await endedJobEvents(uploaded.videoUuid)) await sendWebhook(event);
  const lost = await deliverAllBut('video.extras_requested');
  expect(lost).toHaveLength(1);
  return { ...uploaded, lost };
}

/** Hears of what has been encoded for a video, `jobs` in all. */
async function finish(videoUuid: string, jobs: number): Promise<void> {
  for (const event of await endedJobEvents(videoUuid, jobs)) await sendWebhook(event);
  await deliverEvents();
}

/** Uploads another file for a video, up to the moment its encode has ended; nobody has heard of that yet. */
async function encodeReplacement(videoId: string): Promise<string> {
  const response = await call('POST', `/v1/videos/${videoId}/replacement`, {
    token: creator.token,
    body: { file_name: 'better.mp4', size_bytes: bytes.length, content_type: 'video/mp4' },
  });
  const upload: StartedUpload = await response.json();
  await complete(creator, upload.id, await putParts(upload, bytes));
  const [row] = await sqlRows<{ id: string }>('SELECT id FROM videos WHERE replaces_id = $1', [
    uuidOf(videoId),
  ]);
  const hidden = row?.id ?? '';
  await deliverEvents();
  for (const event of await scanEvents(hidden)) await sendWebhook(event);
  await deliverEvents();
  await endedJobEvents(hidden);
  return hidden;
}

const allowDownloads = (videoId: string) =>
  call('PATCH', `/v1/videos/${videoId}/encoding`, {
    token: creator.token,
    body: { downloads_enabled: true },
  });

describe('what a video has beside what is played', () => {
  it('is made though the message that asks for it was lost, after a while and once', async () => {
    const { videoId, videoUuid } = await publishWithoutExtras();
    await reconcileEncodeJobs(inMinutes(1));
    expect(await jobsOf(videoUuid)).toEqual([]);
    await reconcileEncodeJobs(inMinutes(3));
    expect((await extrasOf(videoId)).storyboard_url).toMatch(/\/storyboard\.vtt$/);
    await deliverEvents();
    await finish(videoUuid, 2);
    expect((await extrasOf(videoId)).preview_url).toMatch(/\/preview\/animated\.gif$/);
    await reconcileEncodeJobs(inMinutes(6));
    expect(await jobsOf(videoUuid)).toEqual([{ kind: 'preview', revision: 1, state: 'complete' }]);
  });

  it('is made though the work on it broke off in the middle', async () => {
    const { videoId, videoUuid, lost } = await publishWithoutExtras();
    const real = globalThis.fetch;
    globalThis.fetch = (input, init) =>
      new Request(input as Request, init).method === 'PUT'
        ? Promise.reject(new TypeError('Network connection lost.'))
        : real(input, init);
    try {
      expect(await deliver(lost)).toEqual({ acked: 0, retried: 1 });
    } finally {
      globalThis.fetch = real;
    }
    expect(await jobsOf(videoUuid)).toEqual([]);
    await reconcileEncodeJobs(inMinutes(3));
    expect((await extrasOf(videoId)).storyboard_url).toMatch(/\/storyboard\.vtt$/);
    expect(await jobsOf(videoUuid)).toMatchObject([{ kind: 'preview' }]);
  });

  it('is looked for once where there is nothing to be made', async () => {
    const { videoUuid } = await publishWithoutExtras(await film('sound.m4a'));
    for (const minutes of [3, 6, 9]) await reconcileEncodeJobs(inMinutes(minutes));
    expect(await jobsOf(videoUuid)).toEqual([]);
    expect(await sqlRows('SELECT extras_due_at FROM videos WHERE id = $1', [videoUuid])).toEqual([
      { extras_due_at: null },
    ]);
  });

  it('is made when downloads are allowed later and that message is lost', async () => {
    const { videoId, videoUuid, lost } = await publishWithoutExtras();
    await deliver(lost);
    await deliverEvents();
    await finish(videoUuid, 2);
    expect((await allowDownloads(videoId)).status).toBe(200);
    expect(takeMessages().map((message) => message.body.type)).toEqual(['video.extras_requested']);
    await reconcileEncodeJobs(inMinutes(3));
    await deliverEvents();
    await finish(videoUuid, 3);
    expect((await extrasOf(videoId)).download_url).toMatch(/\/download\/video\.mp4$/);
  });
});

describe('what a video has beside what is played, when its file is replaced', () => {
  const ofNewFile = (hidden: string) => ({
    storyboard_url: expect.stringContaining(`/media/${hidden}/v1/storyboard.vtt`),
    preview_url: expect.stringContaining(`/media/${hidden}/v1/preview/`),
    download_url: expect.stringContaining(`/media/${hidden}/v1/download/`),
  });
  const none = { storyboard_url: null, preview_url: null, download_url: null };

  it('is made anew, and what there was of the old file is not shown from that moment on', async () => {
    const { videoId, videoUuid, lost } = await publishWithoutExtras();
    await allowDownloads(videoId);
    await deliver(lost);
    await deliverEvents();
    await finish(videoUuid, 3);
    const before = await extrasOf(videoId);
    expect(Object.values(before).every((url) => url?.includes(`/media/${videoUuid}/v1/`))).toBe(true);

    const hidden = await encodeReplacement(videoId);
    expect(await extrasOf(videoId)).toEqual(before);
    for (const event of await endedJobEvents(hidden)) await sendWebhook(event);
    await deliverAllBut('video.extras_requested');
    expect(await extrasOf(videoId)).toEqual(none);
    await reconcileEncodeJobs(inMinutes(3));
    await deliverEvents();
    await finish(videoUuid, 5);
    expect(await extrasOf(videoId)).toEqual(ofNewFile(hidden));
  });

  it('is that of the new file alone when the old file’s was still being made, and ends last', async () => {
    const { videoId, videoUuid, lost } = await publishWithoutExtras();
    await allowDownloads(videoId);
    await deliver(lost);
    await deliverEvents();
    const oldNews = await endedJobEvents(videoUuid, 3);

    const hidden = await encodeReplacement(videoId);
    for (const event of await endedJobEvents(hidden)) await sendWebhook(event);
    await deliverEvents();
    await finish(videoUuid, 5);
    for (const event of oldNews) await sendWebhook({ ...event, id: crypto.randomUUID() });
    await deliverEvents();
    expect(await extrasOf(videoId)).toEqual(ofNewFile(hidden));
    expect(await jobsOf(videoUuid)).toEqual(
      [1, 2].flatMap((revision) =>
        ['download', 'preview'].map((kind) => ({ kind, revision, state: 'complete' })),
      ),
    );
  });

  it('is not made of the old file any more if it still waited', async () => {
    const { videoId, videoUuid, lost } = await publishWithoutExtras();
    await deliver(lost);
    takeMessages();
    const hidden = await encodeReplacement(videoId);
    await sqlRows(
      "UPDATE encode_jobs SET state = 'queued', provider_job_id = NULL WHERE video_id = $1 AND kind = 'preview'",
      [videoUuid],
    );
    for (const event of await endedJobEvents(hidden)) await sendWebhook(event);
    await deliverAllBut('video.extras_requested');
    expect(await jobsOf(videoUuid)).toEqual([{ kind: 'preview', revision: 1, state: 'canceled' }]);
  });
});
