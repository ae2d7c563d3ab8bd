import { describe, expect, it } from 'vitest';
import { call, callJson, seedUser, sqlRows } from '../../support/worker/client.ts';
import { createKey } from '../api-keys/keys.ts';
import { problemOf } from '../auth/accounts.ts';
import { flush, heartbeat, later, seedVideo, startSession, watchFive } from '../views/watching.ts';
import { analyticsOf, channelOf, today, viewer, watchedOn } from './channels.ts';

describe('the analytics of a video', () => {
  it('tell what really was watched, a minute later', async () => {
    const owner = await seedUser();
    const video = await seedVideo(owner, { durationMs: 10_000 });
    const { session_token } = await startSession(
      video,
      { ip: '198.51.100.31' },
      { source: { kind: 'search' } },
    );
    await heartbeat(video, session_token, { seq: 1, from: 0, to: 1, player: { startup_ms: 400 } });
    await later(video, 10_000);
    await heartbeat(video, session_token, {
      seq: 2,
      from: 0,
      to: 10_000,
      player: { rebuffer_ms: 500, errors: ['MEDIA_ERR_NETWORK'] },
    });
    await watchFive(video, { ip: '198.51.100.32' });
    await flush(video);
    const seen = await analyticsOf(owner, video, `?from=${today()}&to=${today()}`);
    expect(seen.totals).toEqual({
      views: 2,
      plays: 2,
      watch_seconds: 15,
      unique_viewers: 2,
      unique_viewers_error: 0,
      average_view_seconds: 7.5,
      completion_rate: 0.5,
      average_startup_ms: 400,
      rebuffer_ratio: 0.5 / 15,
      errors: 1,
    });
    expect(seen.days).toEqual([{ day: today(), ...seen.totals }]);
    expect(seen.previous).toMatchObject({ views: 0, average_view_seconds: null, completion_rate: null });
    expect(seen.sources.find(({ value }) => value === 'search')).toMatchObject({ views: 1 });
    expect(seen.errors).toEqual([expect.objectContaining({ value: 'MEDIA_ERR_NETWORK', errors: 1 })]);
    // Two people are too few to say where they are.
    expect(seen.countries.map(({ value }) => value)).toEqual(['other']);
    const now = await callJson<{ views: number; watch_seconds: number; minutes: unknown[] }>(
      200,
      'GET',
      `/v1/videos/${video.id}/analytics/realtime`,
      { token: owner.token },
    );
    expect(now.minutes).toHaveLength(60);
    const curve = await callJson<{
      plays: number;
      points: { percent: number; seconds: number; share: number }[];
    }>(200, 'GET', `/v1/videos/${video.id}/analytics/retention`, { token: owner.token });
    expect(curve.plays).toBe(2);
    expect(curve.points).toHaveLength(100);
    expect(curve.points[0]).toEqual({ percent: 0, seconds: 0, share: 1 });
    expect(curve.points[75]).toEqual({ percent: 75, seconds: 7.5, share: 0.5 });
  });

  it('add days up, compare with the days before, and show empty days', async () => {
    const owner = await seedUser();
    const video = await seedVideo(owner);
    const [ada, bob, eve] = [viewer(), viewer(), viewer()];
    await watchedOn(video, '2026-03-01', { viewers: [ada, bob], watchMs: 4_000 });
    await watchedOn(video, '2026-03-03', { viewers: [ada, eve], watchMs: 6_000 });
    await watchedOn(video, '2026-02-27', { viewers: [bob], watchMs: 1_000 });
    const seen = await analyticsOf(owner, video, '?from=2026-03-01&to=2026-03-03');
    expect(seen.totals).toMatchObject({ views: 4, plays: 4, watch_seconds: 10, average_startup_ms: 300 });
    // Three people, of whom one came on two days.
    expect(seen.totals).toMatchObject({ unique_viewers: 3, unique_viewers_error: 0.023 });
    expect(seen.previous).toMatchObject({ views: 1, watch_seconds: 1 });
    expect(seen.days.map(({ day, views, unique_viewers }) => [day, views, unique_viewers])).toEqual([
      ['2026-03-01', 2, 2],
      ['2026-03-02', 0, 0],
      ['2026-03-03', 2, 2],
    ]);
  });

  it('come as CSV', async () => {
    const owner = await seedUser();
    const video = await seedVideo(owner);
    await watchedOn(video, '2026-03-01', { viewers: [viewer(), viewer()], watchMs: 4_000 });
    const file = await call(
      'GET',
      `/v1/videos/${video.id}/analytics/days.csv?from=2026-03-01&to=2026-03-02`,
      {
        token: owner.token,
      },
    );
    expect(file.headers.get('content-type')).toBe('text/csv; charset=utf-8; header=present');
    expect(file.headers.get('content-disposition')).toBe(
      'attachment; filename="social-flow-video_2026-03-01_2026-03-02.csv"',
    );
    expect(await file.text()).toBe(
      'day,views,unique_viewers,plays,watch_seconds,average_view_seconds,completion_rate,average_startup_ms,rebuffer_ratio,errors\r\n' +
        '2026-03-01,2,2,2,4,2,0.5,300,0,0\r\n2026-03-02,0,0,0,0,,,,,0\r\n',
    );
  });

  it('are nobody else’s, and end with the video', async () => {
    const [owner, other] = [await seedUser(), await seedUser()];
    const video = await seedVideo(owner);
    for (const path of ['analytics', 'analytics/days.csv', 'analytics/retention', 'analytics/realtime'])
      expect(
        await problemOf(await call('GET', `/v1/videos/${video.id}/${path}`, { token: other.token })),
        path,
      ).toMatchObject({
        status: 404,
        code: 'videos.not_found',
      });
    await sqlRows('UPDATE videos SET deleted_at = now() WHERE id = $1', [video.uuid]);
    expect((await call('GET', `/v1/videos/${video.id}/analytics`, { token: owner.token })).status).toBe(404);
  });

  it('open to API keys that were granted them, and to no others', async () => {
    const owner = await seedUser();
    const video = await seedVideo(owner);
    const { secret: key } = await createKey(owner, ['analytics:read']);
    const { secret: videosOnly } = await createKey(owner, ['videos:read', 'videos:write']);
    expect((await call('GET', `/v1/videos/${video.id}/analytics`, { token: key })).status).toBe(200);
    expect((await call('GET', `/v1/videos/${video.id}/analytics`, { token: videosOnly })).status).toBe(403);
  });

  it.each([
    '?from=2026-03-02&to=2026-03-01',
    '?from=2020-01-01&to=2026-01-01',
    '?from=2020-01-01',
    '?from=2026-02-30',
    '?from=0001-01-01&to=0001-01-01',
    '?to=0001-01-01',
    '?from=0000-05-01&to=0000-05-02',
    '?from=yesterday',
    '?to=2026-03-01T00:00:00Z',
    '?from=2026-03-01&from=2026-03-02',
    '?days=7',
  ])('refuse %s', async (query) => {
    const owner = await seedUser();
    const video = await seedVideo(owner);
    const refused = await call('GET', `/v1/videos/${video.id}/analytics${query}`, { token: owner.token });
    expect(refused.status).toBe(400);
  });
});

describe('the analytics of a channel', () => {
  it('are the sum of its videos, with the best first, and nothing of others', async () => {
    const [owner, other] = [await seedUser(), await seedUser()];
    const [first, second, foreign] = [await seedVideo(owner), await seedVideo(owner), await seedVideo(other)];
    const [ada, bob] = [viewer(), viewer()];
    await watchedOn(first, '2026-03-01', { viewers: [ada], watchMs: 1_000 });
    await watchedOn(second, '2026-03-01', { viewers: [ada, bob], watchMs: 3_000 });
    await watchedOn(foreign, '2026-03-01', { viewers: [viewer(), viewer(), viewer()], watchMs: 9_000 });
    const seen = await channelOf(owner, '?from=2026-03-01&to=2026-03-01');
    // Ada watched both videos and is one person.
    expect(seen.totals).toMatchObject({ views: 3, watch_seconds: 4, unique_viewers: 2 });
    expect(seen.days).toEqual([
      expect.objectContaining({ views: 3, unique_viewers: 2, unique_viewers_error: 0.023 }),
    ]);
    expect(seen.top_videos).toEqual([
      expect.objectContaining({ video_id: second.id, views: 2 }),
      expect.objectContaining({ video_id: first.id, views: 1 }),
    ]);
    expect((await channelOf(await seedUser())).totals).toMatchObject({ views: 0, unique_viewers: 0 });
    expect((await call('GET', '/v1/me/analytics/days.csv', { token: owner.token })).status).toBe(200);
    const live = await callJson<{ minutes: unknown[] }>(200, 'GET', '/v1/me/analytics/realtime', {
      token: owner.token,
    });
    expect(live.minutes).toHaveLength(60);
  });
});
