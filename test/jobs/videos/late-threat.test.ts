import { beforeAll, describe, expect, it } from 'vitest';
import { listObjects, storeObject } from '../../../src/integrations/aws/index.ts';
import { sweepOutbox } from '../../../src/jobs/publish.ts';
import { call, callJson, seedUser, sqlRows, type TestUser } from '../../support/worker/client.ts';
import {
  complete,
  contextOf,
  endedJobEvents,
  film,
  getPlayback,
  getVideo,
  publishFilm,
  putParts,
  type ScanEvent,
  type StartedUpload,
  scanEvents,
  sendWebhook,
  uploadFilm,
  uuidOf,
  type VideoJson,
} from '../../support/worker/films.ts';
import { deliver, deliverEvents, type SentMessage, takeMessages } from '../../support/worker/queues.ts';

let owner: TestUser;
let viewer: TestUser;
let bytes: Uint8Array;
beforeAll(async () => {
  [owner, viewer] = [await seedUser(), await seedUser()];
  bytes = await film('film.mp4');
});

/** What the scanner says when it looks again and finds something, under a new id each time. */
async function threatIn(videoUuid: string): Promise<ScanEvent> {
  const [event] = await scanEvents(videoUuid);
  if (event === undefined) throw new Error('the file was not scanned');
  const scanResultDetails = { scanResultStatus: 'THREATS_FOUND', threats: [{ name: 'Late-Threat' }] };
  return { ...event, id: crypto.randomUUID(), detail: { ...event.detail, scanResultDetails } };
}

async function report(...events: readonly ScanEvent[]): Promise<SentMessage[]> {
  for (const event of events) await sendWebhook(event);
  return deliverEvents();
}

const typesOf = (messages: readonly SentMessage[], type: string) =>
  messages.filter(({ body }) => body.type === type).map(({ body }) => body.data);

const keysIn = async (folder: string): Promise<number> => {
  const { aws } = contextOf().config;
  const bucket = /^(media|open)\//.test(folder) ? aws.mediaBucket : aws.uploadsBucket;
  return (await listObjects(aws, { bucket, prefix: folder })).keys.length;
};
const filesOf = async (uuid: string) => ({
  originals: await keysIn(`originals/${uuid}/`),
  media: await keysIn(`media/${uuid}/`),
  open: await keysIn(`open/${uuid}/`),
});
const none = { originals: 0, media: 0, open: 0 };

const auditOf = (videoUuid: string) =>
  sqlRows<{ detail: Record<string, unknown> }>(
    "SELECT detail FROM audit_log WHERE action = 'video.withdraw' AND target_id = $1",
    [videoUuid],
  );
const forgotten = async (): Promise<string[]> =>
  (await sqlRows<{ path: string }>('SELECT path FROM cdn_invalidations')).map(({ path }) => path);

const playbackStatus = async (videoId: string, user: TestUser): Promise<number> =>
  (await call('POST', `/v1/videos/${videoId}/playback`, { token: user.token })).status;

const infected = {
  state: 'failed',
  failure: { code: 'infected', retryable: false },
  hls_url: null,
  dash_url: null,
  thumbnails: [],
  renditions: [],
};

async function expectWithdrawn(videoId: string): Promise<void> {
  expect(await getVideo(videoId, owner)).toMatchObject(infected);
  expect((await call('GET', `/v1/videos/${videoId}`, { token: viewer.token })).status).toBe(404);
  expect(await playbackStatus(videoId, viewer)).toBe(404);
  expect(await playbackStatus(videoId, owner)).toBe(409);
  expect((await call('POST', `/v1/videos/${videoId}/retry`, { token: owner.token })).status).toBe(409);
}

async function startReplacement(videoId: string): Promise<string> {
  const upload = await callJson<StartedUpload>(201, 'POST', `/v1/videos/${videoId}/replacement`, {
    token: owner.token,
    body: { file_name: 'better.mp4', size_bytes: bytes.length, content_type: 'video/mp4' },
  });
  await complete(owner, upload.id, await putParts(upload, bytes));
  await deliverEvents();
  const [row] = await sqlRows<{ id: string }>(
    'SELECT id FROM videos WHERE replaces_id = $1 ORDER BY id DESC LIMIT 1',
    [uuidOf(videoId)],
  );
  const hidden = row?.id ?? '';
  for (const event of await scanEvents(hidden)) await sendWebhook(event);
  await deliverEvents();
  return hidden;
}

async function hearOfEncode(videoUuid: string): Promise<void> {
  for (const event of await endedJobEvents(videoUuid)) await sendWebhook(event);
}

describe('a threat found in a file that was released', () => {
  it('takes the published video back, with all that was made of it, and tells its owner', async () => {
    const { videoId, videoUuid } = await publishFilm(owner, bytes);
    await endedJobEvents(videoUuid, 2);
    const other = await publishFilm(owner, bytes);
    const before = await filesOf(videoUuid);
    expect(Object.values(before).every((count) => count > 0)).toBe(true);
    const { hls_url: address } = await getPlayback(videoId, viewer);
    expect((await fetch(address)).status).toBe(200);

    const told = await report(await threatIn(videoUuid));
    expect(typesOf(told, 'video.failed')).toEqual([{ video_id: videoUuid, owner_id: owner.uuid }]);
    await expectWithdrawn(videoId);
    expect(await filesOf(videoUuid)).toEqual(none);
    expect((await fetch(address)).status).not.toBe(200);
    expect(await forgotten()).toEqual(
      expect.arrayContaining([`/media/${videoUuid}/v1/*`, `/open/${videoUuid}/*`]),
    );
    expect(await auditOf(videoUuid)).toMatchObject([{ detail: { code: 'infected' } }]);
    expect(await getVideo(other.videoId, viewer)).toMatchObject({ state: 'published' });
    expect(await playbackStatus(other.videoId, viewer)).toBe(200);
  });

  it('does so once, however often and in whatever order it is told', async () => {
    const { videoId, videoUuid } = await publishFilm(owner, bytes);
    const [clean] = await scanEvents(videoUuid);
    const again = [await threatIn(videoUuid), await threatIn(videoUuid)];
    for (const event of [...again, { ...clean, id: crypto.randomUUID() }, ...again]) await sendWebhook(event);
    const messages = takeMessages();
    await deliver([...messages, ...messages.toReversed()]);
    const told = await deliverEvents({ times: 2, reverse: true });
    expect(new Set(typesOf(told, 'video.failed').map((data) => data.video_id))).toEqual(new Set([videoUuid]));
    expect(typesOf(told, 'video.failed')).toHaveLength(1);
    expect(await auditOf(videoUuid)).toHaveLength(1);
    await expectWithdrawn(videoId);
  });

  it('ends its encode, and what that still writes is removed', async () => {
    const { videoId, videoUuid } = await uploadFilm(owner, bytes);
    await deliverEvents();
    const ended = await endedJobEvents(videoUuid);
    await report(await threatIn(videoUuid));
    await expectWithdrawn(videoId);
    const { aws } = contextOf().config;
    await storeObject(
      aws,
      { bucket: aws.mediaBucket, key: `media/${videoUuid}/v1/late.ts` },
      { body: 'late', contentType: 'video/mp2t', cacheControl: 'no-store' },
    );
    for (const event of ended) await sendWebhook({ ...event, id: crypto.randomUUID() });
    await deliverEvents();
    await expectWithdrawn(videoId);
    expect(await filesOf(videoUuid)).toEqual(none);
    expect(await sqlRows('SELECT state FROM encode_jobs WHERE video_id = $1', [videoUuid])).toEqual([
      { state: 'canceled' },
    ]);
  });

  it('takes clips back that were cut from it', async () => {
    const { videoId, videoUuid } = await publishFilm(owner, bytes);
    const clip = await callJson<VideoJson>(201, 'POST', `/v1/videos/${videoId}/clips`, {
      token: owner.token,
      body: { start_ms: 0, end_ms: 1_500 },
    });
    await deliverEvents();
    await hearOfEncode(uuidOf(clip.id));
    await deliverEvents();
    expect(await getVideo(clip.id, viewer)).toMatchObject({ state: 'published' });
    const told = await report(await threatIn(videoUuid));
    expect(typesOf(told, 'video.failed')).toHaveLength(2);
    for (const id of [videoId, clip.id]) await expectWithdrawn(id);
    expect(await filesOf(uuidOf(clip.id))).toEqual(none);
  });

  it('breaks off after every call to the outside and comes to the same end', async () => {
    for (let failing = 1; failing <= 6; failing += 1) {
      const { videoId, videoUuid } = await publishFilm(owner, bytes);
      await sendWebhook(await threatIn(videoUuid));
      const messages = takeMessages();
      const real = globalThis.fetch;
      let calls = 0;
      globalThis.fetch = (input, init) => {
        calls += 1;
        return calls === failing
          ? Promise.reject(new TypeError('Network connection lost.'))
          : real(input, init);
      };
      try {
        await deliver(messages);
      } finally {
        globalThis.fetch = real;
      }
      await deliver(messages);
      await sqlRows('UPDATE outbox SET claimed_until = NULL');
      await sweepOutbox(contextOf());
      await deliverEvents();
      await expectWithdrawn(videoId);
      expect(await filesOf(videoUuid)).toEqual(none);
    }
  });
});

describe('a threat found late, where files are replaced', () => {
  it('in the file that is played takes the video back', async () => {
    const { videoId, videoUuid } = await publishFilm(owner, bytes);
    const hidden = await startReplacement(videoId);
    await hearOfEncode(hidden);
    await deliverEvents();
    const told = await report(await threatIn(hidden));
    expect(typesOf(told, 'video.failed')).toEqual([{ video_id: videoUuid, owner_id: owner.uuid }]);
    await expectWithdrawn(videoId);
    expect(await filesOf(hidden)).toEqual(none);
    expect(await forgotten()).toContain(`/media/${hidden}/v1/*`);
    expect(await auditOf(videoUuid)).toHaveLength(1);
  });

  it('in the file that was played before leaves the video, and removes what is left of the old file', async () => {
    const { videoId, videoUuid } = await publishFilm(owner, bytes);
    const hidden = await startReplacement(videoId);
    await hearOfEncode(hidden);
    await deliverEvents();
    expect(await keysIn(`media/${videoUuid}/v1/`)).toBeGreaterThan(0);
    const told = await report(await threatIn(videoUuid));
    expect(typesOf(told, 'video.failed')).toEqual([]);
    expect(await getVideo(videoId, viewer)).toMatchObject({ state: 'published' });
    const { hls_url: address } = await getPlayback(videoId, viewer);
    expect((await fetch(address)).status).toBe(200);
    expect(await keysIn(`media/${videoUuid}/v1/`)).toBe(0);
    expect(await keysIn(`originals/${videoUuid}/`)).toBe(0);
    expect(await keysIn(`originals/${hidden}/`)).toBe(1);
    expect(await auditOf(videoUuid)).toHaveLength(1);
  });

  it('in a file that is still being encoded ends the replacement alone', async () => {
    const { videoId } = await publishFilm(owner, bytes);
    const hidden = await startReplacement(videoId);
    await endedJobEvents(hidden);
    await report(await threatIn(hidden));
    const page = (await getVideo(videoId, owner)) as VideoJson & { replacement: unknown };
    expect(page).toMatchObject({
      state: 'published',
      replacement: { state: 'failed', failure: { code: 'infected', retryable: false } },
    });
    await hearOfEncode(hidden);
    await deliverEvents();
    expect(await playbackStatus(videoId, viewer)).toBe(200);
    expect(await filesOf(hidden)).toEqual(none);
  });

  it('in the video ends what was to replace its file', async () => {
    const { videoId, videoUuid } = await publishFilm(owner, bytes);
    const hidden = await startReplacement(videoId);
    await endedJobEvents(hidden);
    await report(await threatIn(videoUuid));
    await hearOfEncode(hidden);
    await deliverEvents();
    await expectWithdrawn(videoId);
    expect(await filesOf(hidden)).toEqual(none);
    expect(await sqlRows('SELECT 1 FROM videos WHERE id = $1 AND deleted_at IS NULL', [hidden])).toEqual([]);
  });

  it('is not missed when the file takes its place in the same moment', async () => {
    for (let round = 0; round < 4; round += 1) {
      const { videoId } = await publishFilm(owner, bytes);
      const hidden = await startReplacement(videoId);
      const ended = await endedJobEvents(hidden);
      await sendWebhook(await threatIn(hidden));
      const threat = takeMessages();
      for (const event of ended) await sendWebhook(event);
      const news = takeMessages();
      const [found, heard] = await Promise.all([deliver(threat), deliver(news)]);
      // Who lost a deadlock is tried again.
      if (found.retried > 0) await deliver(threat);
      if (heard.retried > 0) await deliver(news);
      await deliverEvents();
      const [row] = await sqlRows<{ plays: boolean }>(
        "SELECT state = 'published' AND media_prefix = $2 AS plays FROM videos WHERE id = $1",
        [uuidOf(videoId), `media/${hidden}/v1/`],
      );
      expect(row?.plays).not.toBe(true);
      expect(await filesOf(hidden)).toEqual(none);
    }
  });
});
