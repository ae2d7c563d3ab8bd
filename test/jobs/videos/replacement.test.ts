import { beforeAll, describe, expect, it } from 'vitest';
import { dropSuperseded, eraseVideos } from '../../../src/modules/videos/index.ts';
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
  type StartedUpload,
  scanEvents,
  sendWebhook,
  uuidOf,
  type VideoJson,
} from '../../support/worker/films.ts';
import { deliver, deliverEvents, takeMessages } from '../../support/worker/queues.ts';

interface OwnVideo extends VideoJson {
  readonly replacement: {
    readonly state: string;
    readonly progress_percent: number;
    readonly failure: { readonly code: string } | null;
  } | null;
}

let bytes: Uint8Array;
let creator: TestUser;
beforeAll(async () => {
  bytes = await film('film.mp4');
  creator = await seedUser();
});

const ask = (owner: TestUser, videoId: string, sizeBytes = bytes.length) =>
  call('POST', `/v1/videos/${videoId}/replacement`, {
    token: owner.token,
    body: { file_name: 'better.mp4', size_bytes: sizeBytes, content_type: 'video/mp4' },
  });

async function startReplacing(owner: TestUser, videoId: string): Promise<StartedUpload> {
  const response = await ask(owner, videoId);
  expect(response.status).toBe(201);
  return response.json();
}

const hiddenOf = async (videoId: string): Promise<string> => {
  const [row] = await sqlRows<{ id: string }>(
    'SELECT id FROM videos WHERE replaces_id = $1 ORDER BY id DESC LIMIT 1',
    [uuidOf(videoId)],
  );
  return row?.id ?? '';
};

const ownVideo = async (owner: TestUser, videoId: string): Promise<OwnVideo> =>
  (await getVideo(videoId, owner)) as OwnVideo;

/** Uploads the new file; its encode is under way afterwards. */
async function uploadReplacement(owner: TestUser, videoId: string, file = bytes): Promise<string> {
  const upload = await startReplacing(owner, videoId);
  expect(upload.video_id).toBe(videoId);
  const response = await complete(owner, upload.id, await putParts(upload, file));
  expect(response.status).toBe(200);
  const hidden = await hiddenOf(videoId);
  await deliverEvents();
  for (const event of await scanEvents(hidden)) await sendWebhook(event);
  await deliverEvents();
  return hidden;
}

async function replace(owner: TestUser, videoId: string): Promise<string> {
  const hidden = await uploadReplacement(owner, videoId);
  for (const event of await endedJobEvents(hidden)) await sendWebhook(event);
  await deliverEvents();
  return hidden;
}

const plays = async (url: string | null): Promise<boolean> => (await fetch(url ?? 'http://127.0.0.1:1')).ok;

const factsOf = async (videoId: string) => {
  const [row] = await sqlRows<Record<string, unknown>>(
    `SELECT revision, media_prefix, hls_key, source_key, state, deleted_at IS NOT NULL AS deleted,
       superseded_at IS NOT NULL AS superseded,
       (SELECT count(*)::int FROM renditions WHERE video_id = videos.id AND revision = videos.revision) AS renditions,
       (SELECT count(*)::int FROM thumbnails WHERE video_id = videos.id AND revision = videos.revision) AS stills
     FROM videos WHERE id = $1`,
    [uuidOf(videoId)],
  );
  return row ?? {};
};

describe('replacing the file of a video', () => {
  it('keeps the video, plays the old file until the new one is done, and then only the new one', async () => {
    const { videoId, videoUuid } = await publishFilm(creator, bytes, { title: 'The same film' });
    const before = await factsOf(videoId);
    const hidden = await uploadReplacement(creator, videoId);
    expect(await factsOf(videoId)).toEqual(before);
    expect((await ownVideo(creator, videoId)).replacement).toMatchObject({
      state: 'transcoding',
      failure: null,
    });
    expect((await getVideo(videoId)) as OwnVideo).toMatchObject({ replacement: null, state: 'published' });

    for (const event of await endedJobEvents(hidden)) await sendWebhook(event);
    const told = (await deliverEvents()).map((message) => [message.body.type, message.body.data]);
    expect(told).toContainEqual(['video.replaced', { video_id: videoUuid, owner_id: creator.uuid }]);
    expect(told.map(([type]) => type)).not.toContain('video.published');

    expect(await factsOf(videoId)).toMatchObject({
      revision: 2,
      media_prefix: `media/${hidden}/v1/`,
      hls_key: `media/${hidden}/v1/video.m3u8`,
      source_key: expect.stringContaining(hidden),
      state: 'published',
      superseded: true,
      renditions: before.renditions,
      stills: 5,
    });
    const after = await ownVideo(creator, videoId);
    expect(after).toMatchObject({ id: videoId, title: 'The same film', replacement: null });
  });

  it('shows the row that did the work to nobody, in no list', async () => {
    const owner = await seedUser();
    const { videoId } = await publishFilm(owner, bytes);
    const hidden = await uploadReplacement(owner, videoId);
    const { data } = await callJson<{ data: VideoJson[] }>(200, 'GET', '/v1/me/videos', {
      token: owner.token,
    });
    expect(data.map((video) => video.id)).toEqual([videoId]);
    const [{ id: hiddenId } = { id: '' }] = await sqlRows<{ id: string }>(
      'SELECT id FROM videos WHERE id = $1',
      [hidden],
    );
    const { encodeId } = await import('../../../src/shared/ids.ts');
    const path = `/v1/videos/${encodeId('video', hiddenId)}`;
    const token = owner.token;
    expect((await call('GET', path, { token })).status).toBe(404);
    expect((await call('PATCH', path, { token, body: { title: 'x' } })).status).toBe(404);
    expect((await call('DELETE', path, { token })).status).toBe(404);
    expect((await call('POST', `${path}/retry`, { token })).status).toBe(404);
    expect((await ask(owner, encodeId('video', hiddenId))).status).toBe(404);
    await call('DELETE', `/v1/videos/${videoId}`, { token });
    await deliverEvents();
  });

  it('can be done again and again, and removes old files after a while but never those in use', async () => {
    const owner = await seedUser();
    const { videoId, videoUuid } = await publishFilm(owner, bytes);
    const first = await replace(owner, videoId);
    const second = await replace(owner, videoId);
    expect(await factsOf(videoId)).toMatchObject({ revision: 3, media_prefix: `media/${second}/v1/` });

    const listed = async (bucket: string, prefix: string) => {
      const { listObjects } = await import('../../../src/integrations/aws/index.ts');
      return (await listObjects(contextOf().config.aws, { bucket, prefix })).keys.length;
    };
    const left = async () => [
      await listed('social-flow-media', `media/${videoUuid}/v1/`),
      await listed('social-flow-media', `media/${first}/`),
      await listed('social-flow-uploads', `originals/${videoUuid}/`),
      await listed('social-flow-uploads', `originals/${first}/`),
    ];
    await dropSuperseded(contextOf());
    expect((await left()).every((count) => count > 0)).toBe(true);
    await dropSuperseded(contextOf({ clockMs: Date.now() + 2 * 86_400_000 }));
    expect(await left()).toEqual([0, 0, 0, 0]);
    expect(await listed('social-flow-media', `media/${second}/v1/`)).toBeGreaterThan(5);
    expect(await listed('social-flow-uploads', `originals/${second}/`)).toBe(1);
    expect(await factsOf(videoId)).toMatchObject({ superseded: false });

    await call('DELETE', `/v1/videos/${videoId}`, { token: owner.token });
    await deliverEvents();
    expect(await listed('social-flow-media', `media/${second}/`)).toBe(0);
    expect(await listed('social-flow-uploads', `originals/${second}/`)).toBe(0);
    expect(await eraseVideos(contextOf(), owner.uuid, 10)).toBe(false);
    expect(await sqlRows('SELECT 1 FROM videos WHERE owner_id = $1', [owner.uuid])).toEqual([]);
  });

  it('happens once, whatever is delivered twice, late or after it', async () => {
    const owner = await seedUser();
    const { videoId, videoUuid } = await publishFilm(owner, bytes);
    const hidden = await uploadReplacement(owner, videoId);
    const events = await endedJobEvents(hidden);
    for (const event of [...events, ...events.toReversed()]) await sendWebhook(event);
    const messages = takeMessages();
    await deliver([...messages, ...messages.toReversed()]);
    await deliverEvents({ times: 2, reverse: true });
    expect(await factsOf(videoId)).toMatchObject({ revision: 2, media_prefix: `media/${hidden}/v1/` });
    // A late order to clear up after the row that is left must not touch the files, which are the video's now.
    await deliver([
      {
        queue: 'social-flow-media',
        body: {
          id: crypto.randomUUID(),
          type: 'video.deleted',
          occurred_at: new Date().toISOString(),
          data: { video_id: hidden, owner_id: owner.uuid },
        },
      },
    ] as never);
    const { headObject } = await import('../../../src/integrations/aws/index.ts');
    const { aws } = contextOf().config;
    expect(
      await headObject(aws, { bucket: aws.mediaBucket, key: `media/${hidden}/v1/video.m3u8` }),
    ).toBeDefined();
    expect(videoUuid).not.toBe(hidden);
  });

  it('is refused while another is under way, and for what is not published or not yours', async () => {
    const owner = await seedUser();
    const { videoId } = await publishFilm(owner, bytes);
    const answers = await Promise.all([ask(owner, videoId), ask(owner, videoId), ask(owner, videoId)]);
    expect(answers.map((answer) => answer.status).sort()).toEqual([201, 409, 409]);
    const refused = answers.find((answer) => answer.status === 409);
    expect(await refused?.json()).toMatchObject({ code: 'videos.already_replacing' });
    expect((await ask(creator, videoId)).status).toBe(404);
    const unfinished = await callJson<StartedUpload>(201, 'POST', '/v1/videos/uploads', {
      token: owner.token,
      body: { file_name: 'a.mp4', size_bytes: 10, content_type: 'video/mp4' },
    });
    expect((await ask(owner, unfinished.video_id)).status).toBe(404);
  });

  it('is given up at any moment, and another may begin', async () => {
    const owner = await seedUser();
    const { videoId } = await publishFilm(owner, bytes);
    const path = `/v1/videos/${videoId}/replacement`;
    const { token } = owner;
    const none = await call('DELETE', path, { token });
    expect([none.status, await none.json()]).toMatchObject([409, { code: 'videos.not_replacing' }]);
    await startReplacing(owner, videoId);
    expect((await call('DELETE', path, { token })).status).toBe(204);
    const hidden = await uploadReplacement(owner, videoId);
    expect((await call('DELETE', path, { token: creator.token })).status).toBe(404);
    expect((await call('DELETE', path, { token })).status).toBe(204);
    for (const event of await endedJobEvents(hidden)) await sendWebhook(event);
    await deliverEvents();
    expect(await factsOf(videoId)).toMatchObject({ revision: 1, media_prefix: null });
    expect((await ownVideo(owner, videoId)).replacement).toBeNull();
    await replace(owner, videoId);
    expect(await factsOf(videoId)).toMatchObject({ revision: 2 });
    expect(await plays((await getPlayback(videoId)).hls_url)).toBe(true);
  });

  it('that fails leaves the video as it is and says why, until the next one begins', async () => {
    const owner = await seedUser();
    const { videoId } = await publishFilm(owner, bytes);
    const before = await factsOf(videoId);
    const upload = await callJson<StartedUpload>(201, 'POST', `/v1/videos/${videoId}/replacement`, {
      token: owner.token,
      body: { file_name: 'no film.mp4', size_bytes: 9_000, content_type: 'video/mp4' },
    });
    await complete(owner, upload.id, await putParts(upload, new Uint8Array(9_000).fill(7)));
    for (const event of await scanEvents(await hiddenOf(videoId))) await sendWebhook(event);
    await deliverEvents();
    expect(await factsOf(videoId)).toEqual(before);
    expect((await ownVideo(owner, videoId)).replacement).toMatchObject({
      state: 'failed',
      failure: { code: 'not_a_video' },
    });
    await replace(owner, videoId);
    expect(await factsOf(videoId)).toMatchObject({ revision: 2 });
    expect((await ownVideo(owner, videoId)).replacement).toBeNull();
  });

  it('ends with the video', async () => {
    const owner = await seedUser();
    const { videoId } = await publishFilm(owner, bytes);
    const hidden = await uploadReplacement(owner, videoId);
    expect((await call('DELETE', `/v1/videos/${videoId}`, { token: owner.token })).status).toBe(204);
    for (const event of await endedJobEvents(hidden)) await sendWebhook(event);
    await deliverEvents();
    expect(await factsOf(videoId)).toMatchObject({ deleted: true, revision: 1 });
    const [row] = await sqlRows('SELECT deleted_at IS NOT NULL AS deleted, state FROM videos WHERE id = $1', [
      hidden,
    ]);
    expect(row).toMatchObject({ deleted: true, state: 'transcoding' });
    const { listObjects } = await import('../../../src/integrations/aws/index.ts');
    const { aws } = contextOf().config;
    const kept = await listObjects(aws, { bucket: aws.mediaBucket, prefix: `media/${hidden}/` });
    expect(kept.keys).toEqual([]);
  });
});
