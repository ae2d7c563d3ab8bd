import { beforeAll, describe, expect, it } from 'vitest';
import { call, seedUser, sqlRows, type TestUser } from '../../support/worker/client.ts';
import {
  endedJobEvents,
  film,
  getVideo,
  type JobEvent,
  sendWebhook,
  uploadFilm,
} from '../../support/worker/films.ts';
import { deliver, deliverEvents, type SentMessage, takeMessages } from '../../support/worker/queues.ts';

let creator: TestUser;
let bytes: Uint8Array;
beforeAll(async () => {
  creator = await seedUser();
  bytes = await film('film.mp4');
});

/** A film being encoded, with every event MediaConvert sent about it, none of them delivered. */
async function encoded(owner = creator): Promise<{ videoId: string; videoUuid: string; events: JobEvent[] }> {
  const uploaded = await uploadFilm(owner, bytes);
  await deliverEvents();
  return { ...uploaded, events: await endedJobEvents(uploaded.videoUuid) };
}

const lastOf = (events: readonly JobEvent[]): JobEvent => {
  const last = events.at(-1);
  if (last === undefined) throw new Error('no events');
  return last;
};

const typesOf = (messages: readonly SentMessage[], type: string): number =>
  messages.filter((message) => message.body.type === type).length;

/** An event as MediaConvert would send about the same job. */
const like = (event: JobEvent, detail: Readonly<Record<string, unknown>>): JobEvent => ({
  ...event,
  id: crypto.randomUUID(),
  detail: { ...event.detail, ...detail },
});

const progress = (event: JobEvent, timestamp: number, percent: number): JobEvent =>
  like(event, {
    status: 'STATUS_UPDATE',
    timestamp,
    outputGroupDetails: undefined,
    jobProgress: { jobPercentComplete: percent, currentPhase: 'TRANSCODING' },
  });

describe('events of an encode', () => {
  it('publish once when every message comes three times, in reverse', async () => {
    const { videoId, videoUuid, events } = await encoded();
    for (const event of events.toReversed()) await sendWebhook(event);
    const delivered = await deliverEvents({ times: 3, reverse: true });
    expect(typesOf(delivered, 'video.published')).toBe(1);
    const first = await getVideo(videoId, creator);
    expect(first).toMatchObject({ state: 'published', progress_percent: 100 });
    for (const event of events) await sendWebhook(event);
    expect(takeMessages()).toEqual([]);
    for (const event of events) await sendWebhook({ ...event, id: crypto.randomUUID() });
    expect(typesOf(await deliverEvents(), 'video.published')).toBe(0);
    expect((await getVideo(videoId, creator)).published_at).toBe(first.published_at);
    const made = await sqlRows(
      'SELECT (SELECT count(*) FROM renditions WHERE video_id = $1)::int AS renditions, (SELECT count(*) FROM thumbnails WHERE video_id = $1)::int AS thumbnails',
      [videoUuid],
    );
    expect(made).toEqual([{ renditions: 1, thumbnails: 5 }]);
  });

  it('publish once when the end arrives on several instances at the same time', async () => {
    const { videoId, events } = await encoded();
    const end = lastOf(events);
    await Promise.all([
      sendWebhook(end),
      sendWebhook({ ...end, id: crypto.randomUUID() }),
      sendWebhook({ ...end, id: crypto.randomUUID() }),
    ]);
    const messages = takeMessages();
    expect(messages).toHaveLength(3);
    const results = await Promise.all(messages.map((message) => deliver([message])));
    expect(results.every((result) => result.retried === 0)).toBe(true);
    expect(typesOf(takeMessages(), 'video.published')).toBe(1);
    expect(await getVideo(videoId, creator)).toMatchObject({ state: 'published' });
  });

  it('show progress that never goes back, whatever order it comes in', async () => {
    const { videoId, events } = await encoded();
    const end = lastOf(events);
    const started = end.detail.timestamp - 10_000;
    const shown: number[] = [];
    for (const event of [
      progress(end, started + 2_000, 20),
      progress(end, started + 5_000, 60),
      progress(end, started + 3_000, 35),
      progress(end, started + 2_000, 20),
      progress(end, started + 6_000, 55),
    ]) {
      await sendWebhook(event);
      await deliverEvents();
      const video = await getVideo(videoId, creator);
      expect(video).toMatchObject({ state: 'transcoding', phase: 'transcoding' });
      shown.push(video.progress_percent);
    }
    expect(shown).toEqual([20, 60, 60, 60, 60]);
    await sendWebhook(end);
    await sendWebhook(progress(end, started + 7_000, 80));
    await deliverEvents();
    expect(await getVideo(videoId, creator)).toMatchObject({ state: 'published', progress_percent: 100 });
  });

  it('count when they overtake the answer to our own submission', async () => {
    const { videoId, videoUuid, events } = await encoded();
    // As it is when the event comes first: the row waits without MediaConvert's id.
    await sqlRows("UPDATE encode_jobs SET provider_job_id = NULL, state = 'submitting' WHERE video_id = $1", [
      videoUuid,
    ]);
    await sendWebhook(lastOf(events));
    await deliverEvents();
    expect(await getVideo(videoId, creator)).toMatchObject({ state: 'published' });
  });

  it('fail the video with a reason, and tell so once', async () => {
    const { videoId, events } = await encoded();
    const failed = like(lastOf(events), {
      status: 'ERROR',
      outputGroupDetails: undefined,
      errorCode: 3450,
      errorMessage: 'Encoder hit an invariant <script>alert(1)</script>',
    });
    await sendWebhook(failed);
    await sendWebhook({ ...failed, id: crypto.randomUUID() });
    expect(typesOf(await deliverEvents({ times: 2 }), 'video.failed')).toBe(1);
    const video = await getVideo(videoId, creator);
    expect(video).toMatchObject({ state: 'failed', failure: { code: 'encode_failed', retryable: true } });
    expect(video.failure?.message).not.toContain('script');
    await sendWebhook(lastOf(events));
    await deliverEvents();
    expect(await getVideo(videoId, creator)).toMatchObject({ state: 'failed' });
  });

  it('fail the video when the encoder says it is done but there is nothing to play', async () => {
    const { videoId, videoUuid, events } = await encoded();
    await sqlRows(
      "UPDATE encode_jobs SET plan = jsonb_set(plan, '{videoId}', to_jsonb(gen_random_uuid()::text)) WHERE video_id = $1",
      [videoUuid],
    );
    await sendWebhook(lastOf(events));
    await deliverEvents();
    expect(await getVideo(videoId, creator)).toMatchObject({ failure: { code: 'encode_failed' } });
  });

  it('of jobs that are not ours change nothing, and of jobs not known yet are kept for later', async () => {
    const { videoId, events } = await encoded();
    const end = lastOf(events);
    const foreign = [
      like(end, { jobId: '1700000000000-zzzzzz', userMetadata: {} }),
      like(end, { userMetadata: { ...end.detail.userMetadata, environment: 'staging' } }),
      like(end, { jobId: '1700000000000-zzzzzz', userMetadata: { job_id: 'not-a-uuid' } }),
      like(end, { status: 'NEW_WARNING', jobId: 7 }),
    ];
    for (const event of foreign) await sendWebhook(event);
    await deliverEvents();
    expect(await getVideo(videoId, creator)).toMatchObject({ state: 'transcoding' });

    await sendWebhook(
      like(end, {
        jobId: '1700000000000-zzzzzz',
        userMetadata: { ...end.detail.userMetadata, job_id: crypto.randomUUID() },
      }),
    );
    expect(await deliver(takeMessages())).toEqual({ acked: 0, retried: 1 });
  });

  it('publish what was planned, from our folder, whatever numbers and places they name', async () => {
    const { videoId, videoUuid, events } = await encoded();
    const end = lastOf(events);
    await sendWebhook(progress(end, 1e300, -5e9));
    await sendWebhook(
      like(end, {
        timestamp: 1e300,
        outputGroupDetails: [
          {
            type: 'CMAF_GROUP',
            playlistFilePaths: [
              `s3://social-flow-media/media/${videoUuid}/v1/../../someone/v1/video.m3u8`,
              's3://elsewhere/video.mpd',
            ],
            outputDetails: [{ durationInMs: 1e300, videoDetails: { widthInPx: 1e300, heightInPx: -1 } }],
          },
        ],
      }),
    );
    await deliverEvents();
    const video = await getVideo(videoId, creator);
    expect(video).toMatchObject({
      state: 'published',
      renditions: [{ width: 320, height: 180 }],
      hls_url: expect.stringMatching(new RegExp(`/media/${videoUuid}/v1/video\\.m3u8$`)),
      dash_url: expect.stringMatching(new RegExp(`/media/${videoUuid}/v1/video\\.mpd$`)),
    });
  });

  it('of an encode that was cancelled elsewhere fail the video as one to be tried again', async () => {
    const { videoId, events } = await encoded();
    await sendWebhook(like(lastOf(events), { status: 'CANCELED', outputGroupDetails: undefined }));
    await deliverEvents();
    expect(await getVideo(videoId, creator)).toMatchObject({
      failure: { code: 'encode_canceled', retryable: true },
    });
  });
});

describe('submitting an encode', () => {
  it('makes one MediaConvert job from a message that comes three times at once', async () => {
    const { videoId, videoUuid } = await uploadFilm(creator, bytes);
    await deliver(takeMessages());
    const requested = takeMessages();
    expect(requested.map((message) => message.body.type)).toEqual(['video.encode_requested']);
    await Promise.all([deliver(requested), deliver(requested), deliver(requested)]);
    await deliver(requested);
    const events = await endedJobEvents(videoUuid);
    expect(new Set(events.map((event) => event.detail.jobId)).size).toBe(1);
    await sendWebhook(lastOf(events));
    await deliverEvents();
    expect(await getVideo(videoId, creator)).toMatchObject({ state: 'published' });
  });

  it('finds the job a crash made it forget', async () => {
    const { videoUuid, events } = await encoded();
    const [job] = await sqlRows<{ provider: string }>(
      'SELECT provider_job_id AS provider FROM encode_jobs WHERE video_id = $1',
      [videoUuid],
    );
    await sqlRows("UPDATE encode_jobs SET provider_job_id = NULL, state = 'submitting' WHERE video_id = $1", [
      videoUuid,
    ]);
    const requested: SentMessage = {
      queue: 'social-flow-media',
      body: messageOf('video.encode_requested', { video_id: videoUuid, revision: 1 }),
    };
    await deliver([requested]);
    expect(
      await sqlRows('SELECT provider_job_id AS provider, state FROM encode_jobs WHERE video_id = $1', [
        videoUuid,
      ]),
    ).toEqual([{ provider: job?.provider, state: 'submitted' }]);
    expect((await endedJobEvents(videoUuid)).length).toBe(events.length);
  });
});

describe('telling the owner', () => {
  it('pushes progress and the end to the open connections of the owner, each once', async () => {
    const owner = await seedUser();
    const response = await call('GET', '/v1/realtime', {
      token: owner.token,
      headers: { upgrade: 'websocket' },
    });
    const socket = response.webSocket;
    if (socket === null) throw new Error(`no socket: ${response.status}`);
    const frames: { type: string; event?: { type: string; data: Record<string, unknown> } }[] = [];
    let arrived = () => {};
    socket.addEventListener('message', ({ data }) => {
      frames.push(JSON.parse(String(data)));
      arrived();
    });
    socket.accept();
    const { videoId, events } = await encoded(owner);
    for (const event of events) await sendWebhook(event);
    await deliverEvents({ times: 2 });
    const published = () => frames.some((frame) => frame.event?.type === 'video.published');
    while (!published())
      await new Promise<void>((resolve) => {
        arrived = resolve;
      });
    socket.close(1000);
    const pushed = frames.flatMap((frame) => (frame.event === undefined ? [] : [frame.event]));
    expect(pushed.length).toBeGreaterThan(1);
    expect(pushed.filter((event) => event.type === 'video.published')).toEqual([
      {
        id: expect.any(String),
        type: 'video.published',
        data: {
          video_id: videoId,
          title: 'My holiday',
          state: 'published',
          progress_percent: 100,
          phase: null,
          failure: null,
          replacement: null,
        },
      },
    ]);
  });
});

const messageOf = (type: string, data: Record<string, unknown>) =>
  ({
    id: crypto.randomUUID(),
    type,
    occurred_at: new Date().toISOString(),
    data,
  }) as SentMessage['body'];
