import { beforeAll, describe, expect, it } from 'vitest';
import { announceDueVideos } from '../../../src/modules/videos/index.ts';
import { call, callJson, seedUser, sqlRows, type TestUser } from '../../support/worker/client.ts';
import {
  contextOf,
  film,
  getVideo,
  publishFilm,
  uploadBody,
  uuidOf,
  type VideoJson,
} from '../../support/worker/films.ts';
import { deliverEvents, takeMessages } from '../../support/worker/queues.ts';

const day = 86_400_000;
const inDays = (days: number): string => new Date(Date.now() + days * day).toISOString();

let creator: TestUser;
let viewer: TestUser;
let bytes: Uint8Array;
beforeAll(async () => {
  creator = await seedUser();
  viewer = await seedUser();
  bytes = await film('film.mp4');
});

const statusFor = async (videoId: string, who?: TestUser): Promise<number> =>
  (await call('GET', `/v1/videos/${videoId}`, { token: who?.token })).status;
const schedule = (videoId: string, publishAt: string | null) =>
  call('PATCH', `/v1/videos/${videoId}`, { token: creator.token, body: { publish_at: publishAt } });
const announced = (): unknown[] =>
  takeMessages()
    .filter((message) => message.body.type === 'video.published')
    .map((message) => (message.body.data as { video_id: string }).video_id);

/** As if that much of the wait were over. */
const passTime = (videoId: string, days: number) =>
  sqlRows(
    `UPDATE videos SET publish_at = publish_at - make_interval(days => $2), published_at = published_at - make_interval(days => $2) WHERE id = $1`,
    [uuidOf(videoId), days],
  );

describe('a video with a time to be shown', () => {
  it('is finished, seen only by its owner until then, shown by the time itself and told once', async () => {
    const { videoId, videoUuid } = await publishFilm(creator, bytes, { publish_at: inDays(2) });
    expect(await getVideo(videoId, creator)).toMatchObject({ state: 'published' });
    expect([await statusFor(videoId), await statusFor(videoId, viewer)]).toEqual([404, 404]);
    const listed = await callJson<{ data: VideoJson[] }>(200, 'GET', `/v1/users/${creator.id}/videos`, {
      token: viewer.token,
    });
    expect(listed.data.map((video) => video.id)).not.toContain(videoId);
    await announceDueVideos(contextOf());
    expect(announced()).toEqual([]);

    await passTime(videoId, 3);
    expect(await statusFor(videoId, viewer)).toBe(200);
    await Promise.all([announceDueVideos(contextOf()), announceDueVideos(contextOf())]);
    await announceDueVideos(contextOf());
    expect(announced()).toEqual([videoUuid]);
    const late = await schedule(videoId, inDays(1));
    expect([late.status, await late.json()]).toMatchObject([409, { code: 'videos.already_out' }]);
  });

  it('does not tell of itself at the end of the encode', async () => {
    const delivered: string[] = [];
    const upload = await publishFilm(creator, bytes, { publish_at: inDays(1) });
    delivered.push(...(await deliverEvents()).map((message) => message.body.type));
    const [row] = await sqlRows<{ announced: boolean }>(
      'SELECT announced_at IS NOT NULL AS announced FROM videos WHERE id = $1',
      [upload.videoUuid],
    );
    expect(row).toEqual({ announced: false });
    expect(delivered).not.toContain('video.published');
  });

  it('is put off, and shown at once when its owner changes their mind', async () => {
    const { videoId, videoUuid } = await publishFilm(creator, bytes, { publish_at: inDays(1) });
    expect((await schedule(videoId, inDays(5))).status).toBe(200);
    await passTime(videoId, 2);
    await announceDueVideos(contextOf());
    expect(announced()).toEqual([]);
    expect(await statusFor(videoId, viewer)).toBe(404);
    expect((await schedule(videoId, null)).status).toBe(200);
    expect(await statusFor(videoId, viewer)).toBe(200);
    expect(announced()).toEqual([videoUuid]);
    expect((await schedule(videoId, null)).status).toBe(409);
    await announceDueVideos(contextOf({ clockMs: Date.now() + 10 * day }));
    expect(announced()).not.toContain(videoUuid);
  });

  it('has a time that lies ahead, by at most a year', async () => {
    const refused = async (publish_at: unknown): Promise<number> =>
      (await call('POST', '/v1/videos/uploads', { token: creator.token, body: uploadBody({ publish_at }) }))
        .status;
    for (const bad of [inDays(-1), inDays(400), 'tomorrow', 5, '2027-01-01', '+275760-09-13T00:00:00.001Z'])
      expect(await refused(bad)).toBe(422);
  });

  it('may be moved to a time in any zone and of any precision', async () => {
    const { videoId } = await publishFilm(creator, bytes, { publish_at: inDays(1) });
    const local = inDays(3).slice(0, 19);
    for (const [time, utc] of [
      [`${local}+23:00`, Date.parse(`${local}Z`) - 23 * 3_600_000],
      [`${local}-20:30`, Date.parse(`${local}Z`) + 20.5 * 3_600_000],
      [`${local}.${'1'.repeat(30)}Z`, Date.parse(`${local}.111Z`)],
    ] as const)
      expect(await (await schedule(videoId, time)).json()).toMatchObject({
        publish_at: new Date(utc).toISOString(),
      });
    expect((await schedule(videoId, `${local}.${'1'.repeat(200)}Z`)).status).toBe(422);
  });

  it('is told at the end of the encode when that comes later than its time', async () => {
    const { videoUuid, videoId } = await publishFilm(creator, bytes, { publish_at: inDays(1) });
    await sqlRows(`UPDATE videos SET publish_at = now() - interval '1 minute' WHERE id = $1`, [videoUuid]);
    await announceDueVideos(contextOf());
    expect(announced()).toEqual([videoUuid]);
    expect(await statusFor(videoId)).toBe(200);
  });
});
