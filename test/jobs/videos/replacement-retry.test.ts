import { beforeAll, describe, expect, it } from 'vitest';
import { listObjects } from '../../../src/integrations/aws/index.ts';
import { retryReplacement } from '../../../src/modules/videos/usecases/retry-video.ts';
import { randomIds } from '../../../src/shared/ids.ts';
import { call, callJson, seedUser, sqlRows, type TestUser } from '../../support/worker/client.ts';
import {
  complete,
  contextOf,
  endedJobEvents,
  film,
  getVideo,
  type JobEvent,
  publishFilm,
  putParts,
  type StartedUpload,
  scanEvents,
  sendWebhook,
  uuidOf,
  type VideoJson,
} from '../../support/worker/films.ts';
import { deliverEvents } from '../../support/worker/queues.ts';

interface OwnVideo extends VideoJson {
  readonly replacement: {
    readonly state: string;
    readonly progress_percent: number;
    readonly failure: { readonly code: string; readonly retryable: boolean } | null;
  } | null;
}

let bytes: Uint8Array;
let owner: TestUser;
let stranger: TestUser;
beforeAll(async () => {
  bytes = await film('film.mp4');
  [owner, stranger] = [await seedUser(), await seedUser()];
});

const path = (videoId: string) => `/v1/videos/${videoId}/replacement`;
const ask = (videoId: string): Promise<Response> =>
  call('POST', path(videoId), {
    token: owner.token,
    body: { file_name: 'better.mp4', size_bytes: bytes.length, content_type: 'video/mp4' },
  });
const retry = (videoId: string, user = owner): Promise<Response> =>
  call('POST', `${path(videoId)}/retry`, { token: user.token });
const drop = (videoId: string): Promise<Response> => call('DELETE', path(videoId), { token: owner.token });
const replacementOf = async (videoId: string) => ((await getVideo(videoId, owner)) as OwnVideo).replacement;

const rowsOf = (videoId: string) =>
  sqlRows<{ id: string; state: string }>(
    'SELECT id, state FROM videos WHERE replaces_id = $1 AND deleted_at IS NULL ORDER BY id DESC',
    [uuidOf(videoId)],
  );

/** What is played, and from where. */
const playedOf = (videoId: string) =>
  sqlRows('SELECT revision, state, hls_key, media_prefix, source_key FROM videos WHERE id = $1', [
    uuidOf(videoId),
  ]);

/** Uploads another file; its scan has ended and is not told yet. */
async function sendFile(videoId: string, file = bytes): Promise<string> {
  const upload = await callJson<StartedUpload>(201, 'POST', path(videoId), {
    token: owner.token,
    body: { file_name: 'better.mp4', size_bytes: file.length, content_type: 'video/mp4' },
  });
  await complete(owner, upload.id, await putParts(upload, file));
  await deliverEvents();
  return (await rowsOf(videoId))[0]?.id ?? '';
}

async function release(hidden: string): Promise<void> {
  for (const event of (await scanEvents(hidden)).slice(-1)) await sendWebhook(event);
  await deliverEvents();
}

/** Lets the encode of a replacement end with `status`; returns what MediaConvert really said of its end. */
async function endEncode(hidden: string, status: 'ERROR' | 'CANCELED'): Promise<JobEvent> {
  const [end] = (await endedJobEvents(hidden)).slice(-1);
  if (end === undefined) throw new Error('no end');
  await sendWebhook({
    ...end,
    id: crypto.randomUUID(),
    detail: { ...end.detail, status, ...(status === 'ERROR' ? { errorCode: 1040 } : {}) },
  });
  await deliverEvents();
  return end;
}

describe('a replacement that failed', () => {
  it('in its encode is tried again by its owner, and replaces the file then; the old one is played until it does', async () => {
    const { videoId } = await publishFilm(owner, bytes);
    const before = await playedOf(videoId);
    const hidden = await sendFile(videoId);
    await release(hidden);
    expect((await retry(videoId)).status).toBe(409);
    const end = await endEncode(hidden, 'ERROR');
    expect(await replacementOf(videoId)).toMatchObject({
      state: 'failed',
      failure: { code: 'encode_failed', retryable: true },
    });
    expect((await retry(videoId, stranger)).status).toBe(404);
    const response = await retry(videoId);
    expect([response.status, await response.json()]).toMatchObject([
      202,
      {
        id: videoId,
        state: 'published',
        failure: null,
        replacement: { state: 'transcoding', progress_percent: 0, failure: null },
      },
    ]);
    expect((await retry(videoId)).status).toBe(409);
    // The job that failed cannot end well any more.
    await sendWebhook({ ...end, id: crypto.randomUUID() });
    await deliverEvents();
    expect(await playedOf(videoId)).toEqual(before);
    for (const event of await endedJobEvents(hidden, 2)) await sendWebhook(event);
    await deliverEvents();
    expect(await playedOf(videoId)).toMatchObject([
      { revision: 2, state: 'published', media_prefix: `media/${hidden}/v1/` },
    ]);
    expect(await replacementOf(videoId)).toBeNull();
    const late = await retry(videoId);
    expect([late.status, await late.json()]).toMatchObject([409, { code: 'videos.not_replacing' }]);
  });

  it('in its scan is scanned again', async () => {
    const { videoId } = await publishFilm(owner, bytes);
    const hidden = await sendFile(videoId);
    const [event] = await scanEvents(hidden);
    for (let times = 0; times < 3; times += 1) {
      const scanResultDetails = { scanResultStatus: 'FAILED', threats: null };
      await sendWebhook({
        ...event,
        id: crypto.randomUUID(),
        detail: { ...event?.detail, scanResultDetails },
      });
      await deliverEvents();
    }
    expect(await replacementOf(videoId)).toMatchObject({ failure: { code: 'scan_failed', retryable: true } });
    expect((await retry(videoId)).status).toBe(202);
    expect(await replacementOf(videoId)).toMatchObject({ state: 'scanning', failure: null });
    await deliverEvents();
    await release(hidden);
    expect(await replacementOf(videoId)).toMatchObject({ state: 'transcoding' });
    expect((await drop(videoId)).status).toBe(204);
    await deliverEvents();
  });

  it('for its own sake is not tried again, but dropped, with its file', async () => {
    const { videoId } = await publishFilm(owner, bytes);
    const before = await playedOf(videoId);
    const none = await retry(videoId);
    expect([none.status, await none.json()]).toMatchObject([409, { code: 'videos.not_replacing' }]);
    const hidden = await sendFile(videoId, new Uint8Array(9_000).fill(7));
    await release(hidden);
    const refused = await retry(videoId);
    expect([refused.status, await refused.json()]).toMatchObject([409, { code: 'videos.not_retryable' }]);
    expect((await drop(videoId)).status).toBe(204);
    await deliverEvents();
    expect(await replacementOf(videoId)).toBeNull();
    expect((await retry(videoId)).status).toBe(409);
    expect(await playedOf(videoId)).toEqual(before);
  });

  it('in its encode is dropped, with its file, and cannot be tried again then', async () => {
    const { videoId } = await publishFilm(owner, bytes);
    const before = await playedOf(videoId);
    const hidden = await sendFile(videoId);
    await release(hidden);
    await endEncode(hidden, 'CANCELED');
    expect(await replacementOf(videoId)).toMatchObject({ failure: { code: 'encode_canceled' } });
    expect((await drop(videoId)).status).toBe(204);
    await deliverEvents();
    expect((await retry(videoId)).status).toBe(409);
    const { aws } = contextOf().config;
    for (const target of [
      { bucket: aws.uploadsBucket, prefix: `originals/${hidden}/` },
      { bucket: aws.mediaBucket, prefix: `media/${hidden}/` },
    ])
      expect((await listObjects(aws, target)).keys).toEqual([]);
    expect(await playedOf(videoId)).toEqual(before);
  });

  it('answers alike when a retry is run again because its answer was lost, even after it was done', async () => {
    const { videoId, videoUuid } = await publishFilm(owner, bytes);
    const hidden = await sendFile(videoId);
    await release(hidden);
    await endEncode(hidden, 'CANCELED');
    const jobId = randomIds.next();
    const run = () => {
      const ids = [jobId];
      return retryReplacement(
        { ...contextOf({ user: owner }), ids: { next: () => ids.shift() ?? randomIds.next() } },
        videoUuid,
      );
    };
    await run();
    expect(await run()).toMatchObject({ replacement: { state: 'transcoding' } });
    await deliverEvents();
    for (const event of await endedJobEvents(hidden, 2)) await sendWebhook(event);
    await deliverEvents();
    expect(await run()).toMatchObject({ replacement: null, state: 'published' });
    expect(await sqlRows('SELECT id FROM encode_jobs WHERE video_id = $1 AND attempt > 1', [hidden])).toEqual(
      [{ id: jobId }],
    );
  });

  it('is tried again or gives way to another file, never both, however close the two come', async () => {
    const { videoId } = await publishFilm(owner, bytes);
    for (let round = 0; round < 3; round += 1) {
      const hidden = await sendFile(videoId);
      await release(hidden);
      await endEncode(hidden, 'CANCELED');
      const answers = await Promise.all([retry(videoId), ask(videoId), retry(videoId), ask(videoId)]);
      const done = answers.filter(({ status }) => status < 300);
      expect(done).toHaveLength(1);
      expect(answers.every(({ status }) => [201, 202, 409].includes(status))).toBe(true);
      expect(await rowsOf(videoId)).toEqual([
        { id: expect.any(String), state: done[0]?.status === 202 ? 'transcoding' : 'uploading' },
      ]);
      expect((await drop(videoId)).status).toBe(204);
      await deliverEvents();
    }
  });
});
