import { AwsClient } from 'aws4fetch';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { headObject, listMultipartUploads } from '../../../src/integrations/aws/index.ts';
import { expireUploads, reconcileEncodeJobs } from '../../../src/modules/videos/index.ts';
import { retryVideo } from '../../../src/modules/videos/usecases/retry-video.ts';
import { randomIds } from '../../../src/shared/ids.ts';
import { call, callJson, seedUser, sqlRows, type TestUser } from '../../support/worker/client.ts';
import {
  complete,
  contextOf,
  endedJobEvents,
  film,
  getPlayback,
  getVideo,
  type JobEvent,
  jobEvents,
  putParts,
  sendWebhook,
  startUpload,
  uploadFilm,
  uploadToQuarantine,
  uuidOf,
  type VideoJson,
} from '../../support/worker/films.ts';
import { deliver, deliverEvents, takeMessages } from '../../support/worker/queues.ts';

let creator: TestUser;
let bytes: Uint8Array;
beforeAll(async () => {
  creator = await seedUser();
  bytes = await film('film.mp4');
});

const signedS3 = () =>
  new AwsClient({
    accessKeyId: inject('awsAccessKeyId'),
    secretAccessKey: inject('awsSecretAccessKey'),
    service: 's3',
    region: 'us-east-1',
  });

/** Waits for the first thing MediaConvert says about a video. */
async function startedJobEvents(videoUuid: string): Promise<JobEvent[]> {
  for (;;) {
    const events = await jobEvents(videoUuid);
    if (events.length > 0) return events;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const inMinutes = (minutes: number) => contextOf({ clockMs: Date.now() + minutes * 60_000 });

describe('news that never came', () => {
  it('are asked for: a finished encode is published without a single event', async () => {
    const { videoId, videoUuid } = await uploadFilm(creator, bytes);
    await deliverEvents();
    await endedJobEvents(videoUuid);
    await reconcileEncodeJobs(inMinutes(1));
    expect(await getVideo(videoId, creator)).toMatchObject({ state: 'transcoding' });
    await reconcileEncodeJobs(inMinutes(3));
    const video = await getVideo(videoId, creator);
    expect(video).toMatchObject({ state: 'published', renditions: [{ name: '180p' }] });
    expect(video.thumbnails).toHaveLength(5);
    await reconcileEncodeJobs(inMinutes(6));
    const messages = await deliverEvents();
    expect(messages.filter((message) => message.body.type === 'video.published')).toHaveLength(1);
  });

  it('are asked for: an encode that cannot succeed fails the video', async () => {
    const { videoId, videoUuid } = await uploadFilm(creator, bytes);
    await deliver(takeMessages());
    const requested = takeMessages();
    await sqlRows(
      `UPDATE encode_jobs SET plan = jsonb_set(plan, '{sourceKey}', '"originals/none.mp4"') WHERE video_id = $1`,
      [videoUuid],
    );
    await deliver(requested);
    await endedJobEvents(videoUuid);
    await reconcileEncodeJobs(inMinutes(3));
    expect(await getVideo(videoId, creator)).toMatchObject({
      state: 'failed',
      failure: { retryable: false },
    });
    takeMessages();
  });

  it('make a job MediaConvert has forgotten one to be tried again', async () => {
    const { videoId, videoUuid } = await uploadFilm(creator, bytes);
    await deliverEvents();
    await endedJobEvents(videoUuid);
    await sqlRows("UPDATE encode_jobs SET provider_job_id = '1700000000000-gone00' WHERE video_id = $1", [
      videoUuid,
    ]);
    await reconcileEncodeJobs(inMinutes(3));
    expect(await getVideo(videoId, creator)).toMatchObject({
      failure: { code: 'encode_lost', retryable: true },
    });
    takeMessages();
  });

  it('of a submission are made up for, with the job that was made if there is one', async () => {
    const { videoUuid } = await uploadFilm(creator, bytes);
    await deliverEvents();
    await endedJobEvents(videoUuid);
    const before = await sqlRows('SELECT provider_job_id FROM encode_jobs WHERE video_id = $1', [videoUuid]);
    await sqlRows(
      `UPDATE encode_jobs SET provider_job_id = NULL, state = 'submitting', created_at = now() - interval '5 minutes'
       WHERE video_id = $1`,
      [videoUuid],
    );
    await reconcileEncodeJobs(inMinutes(3));
    expect(await sqlRows('SELECT provider_job_id FROM encode_jobs WHERE video_id = $1', [videoUuid])).toEqual(
      before,
    );
    expect(new Set((await jobEvents(videoUuid)).map((event) => event.detail.jobId)).size).toBe(1);
    await sqlRows("UPDATE encode_jobs SET state = 'error', finished_at = now() WHERE video_id = $1", [
      videoUuid,
    ]);
    takeMessages();
  });

  it('of an upload send the video to be probed again, until it is hopeless', async () => {
    const { videoId, videoUuid } = await uploadFilm(creator, bytes);
    takeMessages();
    await reconcileEncodeJobs(inMinutes(1));
    expect(takeMessages()).toEqual([]);
    await reconcileEncodeJobs(inMinutes(3));
    expect(takeMessages().map((message) => message.body.type)).toEqual(['video.released']);
    await reconcileEncodeJobs(inMinutes(4));
    expect(takeMessages()).toEqual([]);
    await reconcileEncodeJobs(inMinutes(60 * 24 * 4));
    expect(await getVideo(videoId, creator)).toMatchObject({ failure: { code: 'probe_timeout' } });
    expect(await sqlRows('SELECT state FROM videos WHERE id = $1', [videoUuid])).toEqual([
      { state: 'failed' },
    ]);
    takeMessages();
  });

  it('stay missing while MediaConvert is away, and come once it is back', async () => {
    const { videoId, videoUuid } = await uploadFilm(creator, bytes);
    await deliverEvents();
    await endedJobEvents(videoUuid);
    const away = contextOf({
      clockMs: Date.now() + 180_000,
      settings: { MEDIACONVERT_ENDPOINT: 'http://127.0.0.1:1' },
    });
    await reconcileEncodeJobs(away);
    expect(await getVideo(videoId, creator)).toMatchObject({ state: 'transcoding' });
    await reconcileEncodeJobs(inMinutes(6));
    expect(await getVideo(videoId, creator)).toMatchObject({ state: 'published' });
    takeMessages();
  });
});

describe('trying again', () => {
  const retry = (videoId: string, user = creator): Promise<Response> =>
    call('POST', `/v1/videos/${videoId}/retry`, { token: user.token });

  it('encodes the same film anew; the old attempt has no say any more', async () => {
    const { videoId, videoUuid } = await uploadFilm(creator, bytes);
    await deliverEvents();
    const events = await endedJobEvents(videoUuid);
    const end = events.at(-1);
    if (end === undefined) throw new Error('no events');
    await sendWebhook({
      ...end,
      id: 'first-failure',
      detail: { ...end.detail, status: 'ERROR', errorCode: 1040 },
    });
    await deliverEvents();
    expect((await retry(videoId, await seedUser())).status).toBe(404);
    const video = await callJson<VideoJson>(202, 'POST', `/v1/videos/${videoId}/retry`, {
      token: creator.token,
    });
    expect(video).toMatchObject({ state: 'transcoding', failure: null, progress_percent: 0 });
    expect((await retry(videoId)).status).toBe(409);
    await sendWebhook({ ...end, id: 'late-success' });
    await deliverEvents();
    expect(await getVideo(videoId, creator)).toMatchObject({ state: 'transcoding' });
    for (const event of await endedJobEvents(videoUuid, 2)) await sendWebhook(event);
    await deliverEvents();
    expect(await getVideo(videoId, creator)).toMatchObject({ state: 'published' });
    expect((await retry(videoId)).status).toBe(409);
    expect(
      await sqlRows(
        "SELECT attempt, state FROM encode_jobs WHERE video_id = $1 AND kind = 'stream' ORDER BY attempt",
        [videoUuid],
      ),
    ).toEqual([
      { attempt: 1, state: 'error' },
      { attempt: 2, state: 'complete' },
    ]);
  });

  it('answers alike when the request is run again because its answer was lost', async () => {
    const { videoId, videoUuid } = await uploadFilm(creator, bytes);
    await deliverEvents();
    const [end] = (await endedJobEvents(videoUuid)).slice(-1);
    await sendWebhook({ ...end, detail: { ...end?.detail, status: 'CANCELED' } });
    await deliverEvents();
    const jobId = randomIds.next();
    const ctx = contextOf({ user: creator });
    for (let run = 0; run < 2; run += 1) {
      let first = true;
      const next = () => {
        const id = first ? jobId : randomIds.next();
        first = false;
        return id;
      };
      expect(await retryVideo({ ...ctx, ids: { next } }, videoUuid)).toMatchObject({ state: 'transcoding' });
    }
    expect(
      await sqlRows('SELECT id FROM encode_jobs WHERE video_id = $1 AND attempt > 1', [videoUuid]),
    ).toEqual([{ id: jobId }]);
    expect((await call('DELETE', `/v1/videos/${videoId}`, { token: creator.token })).status).toBe(204);
    await deliverEvents();
  });

  it('is refused for a file that is the reason itself', async () => {
    const { videoId } = await uploadFilm(creator, new TextEncoder().encode('not a film, whatever it says'));
    await deliverEvents();
    const response = await retry(videoId);
    expect([response.status, await response.json()]).toMatchObject([409, { code: 'videos.not_retryable' }]);
  });
});

describe('uploads nobody completes', () => {
  const uploadsBucket = 'social-flow-uploads';
  const heldBy = async (videoId: string) =>
    (
      await listMultipartUploads(contextOf().config.aws, {
        bucket: uploadsBucket,
        prefix: `quarantine/${uuidOf(videoId)}/`,
      })
    ).length;

  it('expire: their parts are freed and the video says why', async () => {
    const owner = await seedUser();
    const upload = await startUpload(owner, { size_bytes: bytes.length });
    const parts = await putParts(upload, bytes);
    await expireUploads(contextOf());
    expect(await heldBy(upload.video_id)).toBe(1);
    await expireUploads(inMinutes(60 * 49));
    expect(await heldBy(upload.video_id)).toBe(0);
    expect(await getVideo(upload.video_id, owner)).toMatchObject({
      state: 'failed',
      failure: { code: 'upload_expired', retryable: false },
    });
    const late = await complete(owner, upload.id, parts);
    expect([late.status, await late.json()]).toMatchObject([409, { code: 'uploads.not_open' }]);
    takeMessages();
  });

  it('expire also when our row never learned of the one S3 holds', async () => {
    const owner = await seedUser();
    const upload = await startUpload(owner);
    const [row] = await sqlRows<{ key: string }>(
      'UPDATE uploads SET s3_upload_id = NULL WHERE owner_id = $1 RETURNING object_key AS key',
      [owner.uuid],
    );
    await signedS3().fetch(`${inject('s3Url')}/${uploadsBucket}/${row?.key}?uploads=`, { method: 'POST' });
    expect(await heldBy(upload.video_id)).toBe(2);
    await expireUploads(inMinutes(60 * 49));
    expect(await heldBy(upload.video_id)).toBe(0);
    takeMessages();
  });

  it('are completed instead when S3 has the whole file already', async () => {
    const owner = await seedUser();
    const { videoId } = await uploadToQuarantine(owner, bytes);
    takeMessages();
    await sqlRows(
      `WITH upload AS (
         UPDATE uploads SET state = 'completing', finished_at = NULL WHERE owner_id = $1 RETURNING video_id
       ) UPDATE videos SET state = 'uploading', source_key = NULL FROM upload WHERE id = upload.video_id`,
      [owner.uuid],
    );
    await expireUploads(inMinutes(60 * 49));
    expect(await getVideo(videoId, owner)).toMatchObject({ state: 'scanning' });
    takeMessages();
  });
});

describe('deleting a video', () => {
  it('removes the original and everything made of it, and cancels what runs', async () => {
    const owner = await seedUser();
    const { videoId, videoUuid } = await uploadFilm(owner, bytes);
    await deliverEvents();
    for (const event of await endedJobEvents(videoUuid)) await sendWebhook(event);
    await deliverEvents();
    const { hls_url: hlsUrl, thumbnails } = await getPlayback(videoId, owner);
    const { thumbnails: openStills } = await getVideo(videoId);
    for (const url of [hlsUrl, ...thumbnails, ...openStills]) expect((await fetch(url)).status).toBe(200);
    const [source] = await sqlRows<{ key: string }>('SELECT source_key AS key FROM videos WHERE id = $1', [
      videoUuid,
    ]);
    expect((await call('DELETE', `/v1/videos/${videoId}`, { token: owner.token })).status).toBe(204);
    expect((await call('GET', `/v1/videos/${videoId}`, { token: owner.token })).status).toBe(404);
    expect((await call('DELETE', `/v1/videos/${videoId}`, { token: owner.token })).status).toBe(404);
    await deliverEvents({ times: 2 });
    for (const url of [hlsUrl, ...thumbnails, ...openStills]) expect((await fetch(url)).status).not.toBe(200);
    const { aws } = contextOf().config;
    expect(await headObject(aws, { bucket: aws.uploadsBucket, key: source?.key ?? '' })).toBeUndefined();
    expect(
      await sqlRows("SELECT actor_id FROM audit_log WHERE action = 'video.delete' AND target_id = $1", [
        videoUuid,
      ]),
    ).toEqual([{ actor_id: owner.uuid }]);
  });

  it('stops an encode under way and nothing it still says brings the video back', async () => {
    const owner = await seedUser();
    const { videoId, videoUuid } = await uploadFilm(owner, await film('hd.mp4'));
    await deliverEvents();
    expect((await call('DELETE', `/v1/videos/${videoId}`, { token: owner.token })).status).toBe(204);
    await deliverEvents();
    for (const event of await endedJobEvents(videoUuid)) await sendWebhook(event);
    await deliverEvents();
    expect((await call('GET', `/v1/videos/${videoId}`, { token: owner.token })).status).toBe(404);
    expect(await sqlRows('SELECT state FROM encode_jobs WHERE video_id = $1', [videoUuid])).toEqual([
      { state: 'canceled' },
    ]);
  });

  it('removes what an encode still wrote after the files were removed', async () => {
    const owner = await seedUser();
    const { videoId, videoUuid } = await uploadFilm(owner, bytes);
    await deliverEvents();
    const events = await endedJobEvents(videoUuid);
    expect((await call('DELETE', `/v1/videos/${videoId}`, { token: owner.token })).status).toBe(204);
    await deliverEvents();
    const { aws } = contextOf().config;
    const late = { bucket: aws.mediaBucket, key: `media/${videoUuid}/v1/video.m3u8` };
    await signedS3().fetch(`${inject('s3Url')}/${late.bucket}/${late.key}`, {
      method: 'PUT',
      body: '#EXTM3U',
    });
    expect(await headObject(aws, late)).toBeDefined();
    await sendWebhook(events.at(-1));
    await deliverEvents();
    expect(await headObject(aws, late)).toBeUndefined();
  });

  it('stops an encode our row never learned of, once it is heard of', async () => {
    const owner = await seedUser();
    const { videoId, videoUuid } = await uploadFilm(owner, await film('hd.mp4'));
    await deliverEvents();
    await sqlRows('UPDATE encode_jobs SET provider_job_id = NULL WHERE video_id = $1', [videoUuid]);
    expect((await call('DELETE', `/v1/videos/${videoId}`, { token: owner.token })).status).toBe(204);
    takeMessages();
    const [started] = await startedJobEvents(videoUuid);
    await sendWebhook({ ...started, detail: { ...started?.detail, status: 'STATUS_UPDATE' } });
    await deliverEvents();
    const ended = (await endedJobEvents(videoUuid)).at(-1);
    expect(ended?.detail.status).toBe('CANCELED');
  });

  it('is not followed by an encode that was queued in the same moment', async () => {
    const owner = await seedUser();
    const { videoId, videoUuid } = await uploadFilm(owner, bytes);
    await deliver(takeMessages());
    expect((await call('DELETE', `/v1/videos/${videoId}`, { token: owner.token })).status).toBe(204);
    // As it is when the statement that deletes does not see the job yet.
    await sqlRows("UPDATE encode_jobs SET state = 'submitting', finished_at = NULL WHERE video_id = $1", [
      videoUuid,
    ]);
    await deliverEvents();
    expect(await jobEvents(videoUuid)).toEqual([]);
    expect(
      await sqlRows('SELECT state, provider_job_id AS job FROM encode_jobs WHERE video_id = $1', [videoUuid]),
    ).toEqual([{ state: 'canceled', job: null }]);
  });

  it('is for the owner only', async () => {
    const { videoId } = await uploadFilm(creator, bytes);
    takeMessages();
    const response = await call('DELETE', `/v1/videos/${videoId}`, { token: (await seedUser()).token });
    expect([response.status, await response.json()]).toMatchObject([404, { code: 'videos.not_found' }]);
    expect((await call('DELETE', `/v1/videos/${videoId}`)).status).toBe(401);
    expect(await getVideo(videoId, creator)).toMatchObject({ state: 'probing' });
  });
});
