import { expect, it } from 'vitest';
import { callJson, seedUser } from '../../support/worker/client.ts';
import { takeMessages } from '../../support/worker/recording-queue.ts';
import {
  browser,
  countOf,
  flush,
  heartbeat,
  later,
  partsOf,
  seedVideo,
  startSession,
  totalsOf,
  watchFive,
} from './watching.ts';

it('counts what a stranger watches, once, and shows it on the page within a minute', async () => {
  const owner = await seedUser();
  const video = await seedVideo(owner);
  const session = await startSession(
    video,
    { ip: '198.51.100.7' },
    { source: { kind: 'external', referrer: 'example.com' } },
  );
  expect(session).toMatchObject({ heartbeat_seconds: 5, view_count: 0 });
  await heartbeat(video, session.session_token, { seq: 1, from: 0, to: 1, player: { startup_ms: 700 } });
  await later(video, 5_000);
  const answer = await heartbeat(video, session.session_token, {
    seq: 2,
    from: 0,
    to: 5_000,
    player: { rebuffer_ms: 300, errors: ['MEDIA_ERR_DECODE'] },
  });
  expect(answer).toEqual({ watched_ms: 5_000, next_heartbeat_seconds: 5 });
  // The same again, and what was watched before.
  await heartbeat(video, session.session_token, { seq: 2, from: 0, to: 5_000 });
  await later(video, 5_000);
  await heartbeat(video, session.session_token, { seq: 3, from: 1_000, to: 4_000 });
  await flush(video);

  expect(await countOf(video)).toBe(1);
  const totals = await totalsOf(video);
  expect(totals).toMatchObject({
    views: 1,
    viewers: 1,
    plays: 1,
    watch_ms: 5_000,
    completions: 0,
    startups: 1,
    startup_ms: 700,
    rebuffer_ms: 300,
    errors: 1,
  });
  expect(totals?.retention.slice(0, 6)).toEqual([1e6, 1e6, 1e6, 1e6, 1e6, 0]);
  expect(await partsOf(video)).toEqual([
    { dimension: 'country', value: 'XX', views: 1, watch_ms: 5_000, errors: 0 },
    { dimension: 'device', value: 'desktop', views: 1, watch_ms: 5_000, errors: 0 },
    { dimension: 'error', value: 'MEDIA_ERR_DECODE', views: 0, watch_ms: 0, errors: 1 },
    { dimension: 'referrer', value: 'example.com', views: 1, watch_ms: 5_000, errors: 0 },
    { dimension: 'source', value: 'external', views: 1, watch_ms: 5_000, errors: 0 },
  ]);
  const page = await callJson<{ view_count: number }>(200, 'GET', `/v1/videos/${video.id}`, {
    token: owner.token,
  });
  expect(page.view_count).toBe(1);
});

it('counts a viewer once in a day, whoever else watches from other places', async () => {
  const video = await seedVideo(await seedUser());
  const viewer = await seedUser();
  await watchFive(video, { ip: '198.51.100.20' });
  await watchFive(video, { ip: '198.51.100.20' });
  await watchFive(video, { ip: '198.51.100.21' });
  await watchFive(video, { ip: '198.51.100.20', userAgent: `${browser} Another/1` });
  await watchFive(video, { token: viewer.token, ip: '198.51.100.22' });
  await watchFive(video, { token: viewer.token, ip: '198.51.100.23', userAgent: 'Mozilla/5.0 (iPhone)' });
  await flush(video);
  expect(await countOf(video)).toBe(4);
  expect(await totalsOf(video)).toMatchObject({ views: 4, viewers: 4, plays: 6, watch_ms: 30_000 });
});

it('counts nothing of the owner and of programs, and says nothing about it', async () => {
  const owner = await seedUser();
  const video = await seedVideo(owner);
  await watchFive(video, { token: owner.token });
  await watchFive(video, {
    userAgent: 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
  });
  await watchFive(video, { userAgent: '' });
  await watchFive(video, { userAgent: 'curl/8.5.0' });
  await flush(video);
  expect(await countOf(video)).toBe(0);
  expect(await totalsOf(video)).toBeUndefined();
});

it('tells the history how far a signed-in viewer came', async () => {
  const video = await seedVideo(await seedUser());
  const viewer = await seedUser();
  await watchFive(video, { token: viewer.token });
  await watchFive(video, {});
  takeMessages();
  await flush(video);
  const told = takeMessages().filter(({ body }) => body.type === 'watch.progressed');
  expect(told).toHaveLength(1);
  expect(told[0]?.body.data).toMatchObject({
    user_id: viewer.uuid,
    video_id: video.uuid,
    position_ms: 5_000,
    duration_ms: 100_000,
  });
  await flush(video);
  expect(takeMessages().filter(({ body }) => body.type === 'watch.progressed')).toEqual([]);
});
