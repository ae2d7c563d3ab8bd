import { describe, expect, it } from 'vitest';
import { headObject } from '../../../src/integrations/aws/index.ts';
import { cutClips, reconcileRecordings } from '../../../src/modules/broadcasts/index.ts';
import { until } from '../../support/worker/chat.ts';
import { call, callJson, seedUser, sqlRows, type TestUser } from '../../support/worker/client.ts';
import {
  contextOf,
  endedJobEvents,
  getPlayback,
  getVideo,
  sendWebhook,
  uuidOf,
  type VideoJson,
} from '../../support/worker/films.ts';
import {
  goOnAir,
  isOnAir,
  type LiveEvent,
  liveEvents,
  seedChannel,
  startBroadcast,
  stopBroadcast,
} from '../../support/worker/live.ts';
import { deliverEvents } from '../../support/worker/queues.ts';

interface Stream {
  readonly id: string;
  readonly state: string;
  readonly video_id: string | null;
}

const getStream = (id: string, { token }: TestUser) =>
  callJson<Stream>(200, 'GET', `/v1/streams/${id}`, { token });
const announce = (owner: TestUser, body: Record<string, unknown>) =>
  callJson<Stream>(201, 'POST', '/v1/streams', { token: owner.token, body });
const mark = (id: string, { token }: TestUser, body: Record<string, unknown>) =>
  call('POST', `/v1/streams/${id}/markers`, { token, body });
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Delivers everything IVS has told of a channel so far, again and again. */
async function tellAll(arn: string, but: (event: LiveEvent) => boolean = () => false): Promise<void> {
  for (const event of await liveEvents(arn)) if (!but(event)) await sendWebhook(event);
  await deliverEvents({ times: 2 });
}

const hasEnded = async (arn: string) =>
  (await liveEvents(arn)).some(({ detail }) => detail.recording_status === 'Recording End');

async function publish(videoId: string): Promise<void> {
  for (const event of await endedJobEvents(uuidOf(videoId))) await sendWebhook(event);
  await deliverEvents();
}

describe('a recorded stream', () => {
  it('becomes one video with its chapters, over a lost connection and with every event told twice', async () => {
    const { owner, arn } = await seedChannel();
    const [moderator, viewer] = [await seedUser(), await seedUser()];
    await sqlRows("INSERT INTO chat_roles (owner_id, user_id, role) VALUES ($1, $2, 'moderator')", [
      owner.uuid,
      moderator.uuid,
    ]);
    const { id } = await announce(owner, {
      title: 'The launch',
      description: 'All of it',
      visibility: 'unlisted',
    });
    expect((await mark(id, owner, { title: 'too early' })).status).toBe(409);
    const key = await goOnAir(owner, arn);
    await tellAll(arn);
    expect(await getStream(id, owner)).toMatchObject({ state: 'live' });

    await pause(10_500);
    expect((await mark(id, moderator, { title: 'Countdown' })).status).toBe(201);
    expect((await mark(id, viewer, { title: 'not mine' })).status).toBe(404);
    expect(
      (await mark(id, owner, { title: 'x', at: new Date(Date.now() - 3_600_000).toISOString() })).status,
    ).toBe(422);
    await stopBroadcast(key);
    await until(async () => !(await isOnAir(arn)), 'the connection is lost');
    await startBroadcast(key);
    await until(() => isOnAir(arn), 'it is back');
    await tellAll(arn);
    await pause(10_500);
    expect((await mark(id, owner, { title: 'Lift-off' })).status).toBe(201);
    await pause(10_500);

    const clip = (token: string, body: Record<string, unknown> = {}) =>
      call('POST', `/v1/streams/${id}/clips`, { token, body });
    const clipped = await clip(viewer.token, { seconds: 5, title: 'There it goes' });
    expect(clipped.status).toBe(201);
    const { video_id: clipId } = (await clipped.json()) as { video_id: string };
    await callJson(200, 'PATCH', `/v1/streams/${id}`, { token: owner.token, body: { clips_enabled: false } });
    expect((await clip(viewer.token)).status).toBe(403);
    // The playlist of the recording does not reach that far yet.
    await cutClips(contextOf());
    expect(await getVideo(clipId, owner)).toMatchObject({ state: 'probing' });

    expect((await call('POST', `/v1/streams/${id}/stop`, { token: owner.token })).status).toBe(204);
    await until(() => hasEnded(arn), 'the recording is over');
    await tellAll(arn);
    const stream = await getStream(id, owner);
    expect(stream).toMatchObject({ state: 'ended' });
    const videoId = stream.video_id ?? '';
    expect(await getVideo(videoId, owner)).toMatchObject({ state: 'transcoding', title: 'The launch' });
    expect(
      await sqlRows('SELECT id FROM videos WHERE owner_id = $1 AND source_key IS NOT NULL', [owner.uuid]),
    ).toHaveLength(1);

    await publish(videoId);
    const video = (await getVideo(videoId, viewer)) as VideoJson & {
      readonly chapters: readonly { readonly title: string }[];
    };
    expect(video).toMatchObject({ state: 'published', description: 'All of it', visibility: 'unlisted' });
    expect(video.duration_seconds).toBeGreaterThan(25);
    expect(video.chapters.map(({ title }) => title)).toEqual(['The launch', 'Countdown', 'Lift-off']);
    const { hls_url, query } = await getPlayback(videoId, viewer);
    const manifest = await fetch(hls_url.includes('?') ? hls_url : `${hls_url}?${query}`);
    expect(new TextDecoder().decode(await manifest.arrayBuffer())).toContain('#EXT-X-STREAM-INF');

    await cutClips(contextOf());
    await cutClips(contextOf());
    await deliverEvents();
    await publish(clipId);
    const cut = await getVideo(clipId, viewer);
    expect(cut).toMatchObject({ state: 'published', title: 'There it goes', owner: { id: owner.id } });
    expect(cut.duration_seconds).toBeGreaterThanOrEqual(4);
    expect(cut.duration_seconds).toBeLessThan(12);

    // With the video goes what was recorded.
    const [recording] = await sqlRows<{ prefix: string }>(
      'SELECT prefix FROM stream_recordings WHERE video_id = $1',
      [uuidOf(videoId)],
    );
    const { aws } = contextOf().config;
    const object = { bucket: aws.recordingsBucket, key: `${recording?.prefix}/media/hls/master.m3u8` };
    expect(await headObject(aws, object)).toBeDefined();
    expect((await call('DELETE', `/v1/videos/${videoId}`, { token: owner.token })).status).toBe(204);
    await deliverEvents();
    expect(await headObject(aws, object)).toBeUndefined();
    expect(await getStream(id, owner)).toMatchObject({ state: 'ended', video_id: null });
  }, 240_000);

  it('becomes a video when the end of its recording was never told', async () => {
    const { owner, arn } = await seedChannel();
    const key = await goOnAir(owner, arn);
    await pause(3_000);
    await stopBroadcast(key);
    await until(() => hasEnded(arn), 'the recording is over');
    await tellAll(arn, ({ detail }) => detail.recording_status === 'Recording End');
    await sqlRows(
      "UPDATE streams SET state = 'ended', ended_at = away_since, away_since = NULL WHERE owner_id = $1",
      [owner.uuid],
    );
    const videos = () => sqlRows('SELECT state FROM videos WHERE owner_id = $1', [owner.uuid]);
    await reconcileRecordings(contextOf());
    expect(await videos()).toEqual([]);
    await reconcileRecordings(contextOf({ clockMs: Date.now() + 240_000 }));
    await deliverEvents();
    expect(await videos()).toEqual([{ state: 'transcoding' }]);
    await tellAll(arn);
    expect(await videos()).toHaveLength(1);
  }, 120_000);
});
