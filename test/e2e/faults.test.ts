import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { VideoView } from '../../scripts/demo/tour.ts';
import { type Creator, eventually, makeFilm, registerCreator, type TestFilm, uploadFilm } from './films.ts';
import { type Platform, startPlatform } from './platform.ts';

let film: TestFilm;

beforeAll(async () => {
  film = await makeFilm(12);
});

afterAll(async () => {
  await film?.remove();
});

const videoOf = async (creator: Creator, id: string): Promise<VideoView> =>
  await creator.api.get<VideoView>(`/v1/videos/${id}`);

const untilState = (creator: Creator, id: string, ...states: string[]): Promise<VideoView> =>
  eventually(
    `video ${id} to be ${states.join(' or ')}`,
    () => videoOf(creator, id),
    (video) => states.includes(video.state),
  );

/** What one video left behind: one job that ended well, one announcement, its renditions once. */
async function traces(platform: Platform, title: string) {
  const client = new pg.Client({ connectionString: platform.stack().ownerSettings.DATABASE_OWNER_URL ?? '' });
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, unknown>>(
      `SELECT v.state,
        (SELECT array_agg(j.state ORDER BY j.attempt) FROM encode_jobs j WHERE j.video_id = v.id AND j.kind = 'stream') AS jobs,
        (SELECT count(*)::int FROM renditions r WHERE r.video_id = v.id) AS renditions,
        (SELECT count(*)::int FROM thumbnails t WHERE t.video_id = v.id) AS thumbnails
       FROM videos v WHERE v.title = $1`,
      [title],
    );
    return rows;
  } finally {
    await client.end();
  }
}

const publishedOnce = [{ state: 'published', jobs: ['complete'], renditions: 2, thumbnails: 5 }];

describe('with everything running', () => {
  let platform: Platform;

  beforeAll(async () => {
    platform = await startPlatform();
  }, 300_000);

  afterEach((context) => {
    if (context.task.result?.state === 'fail') console.error(platform.log());
  });

  afterAll(async () => {
    await platform?.close();
  }, 60_000);

  it('a Worker restarted during transcoding publishes the film once', async () => {
    const creator = await registerCreator(platform.apiUrl);
    const id = await uploadFilm(creator.api, film, 'worker restarted');
    await untilState(creator, id, 'transcoding', 'published');
    await platform.stopWorker();
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    await platform.startWorker();
    await untilState(creator, id, 'published');
    expect(await traces(platform, 'worker restarted')).toEqual(publishedOnce);
  });

  it('a local cloud restarted during transcoding publishes the film once, and holds what was there before', async () => {
    const creator = await registerCreator(platform.apiUrl);
    await creator.api.send('POST', '/v1/posts', { text: 'before the restart' });
    const id = await uploadFilm(creator.api, film, 'cloud restarted');
    await untilState(creator, id, 'transcoding', 'published');
    await platform.stopStack();
    await platform.startStack();
    await platform.stopWorker();
    await platform.startWorker();
    const video = await untilState(creator, id, 'published');
    expect(await traces(platform, 'cloud restarted')).toEqual(publishedOnce);
    const playback = await creator.api.send<{ hls_url: string }>(
      'POST',
      `/v1/videos/${video.id}/playback`,
      {},
    );
    expect((await fetch(playback.hls_url)).status).toBe(200);
    const posts = await creator.api.get<{ data: { text: string }[] }>(`/v1/users/${creator.userId}/posts`);
    expect(posts.data.map((post) => post.text)).toEqual(['before the restart']);
  });

  it('a stopped Postgres is told in readyz and as 503 problems, and all is well when it is back', async () => {
    const creator = await registerCreator(platform.apiUrl);
    const id = await uploadFilm(creator.api, film, 'database away');
    await platform.stack().database.stop();

    const ready = await fetch(`${platform.apiUrl}/readyz`);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toMatchObject({ status: 'unavailable' });
    expect((await fetch(`${platform.apiUrl}/livez`)).status).toBe(200);
    const refused = await fetch(`${platform.apiUrl}/v1/users/${creator.username}`);
    expect(refused.status).toBe(503);
    expect(refused.headers.get('content-type')).toContain('application/problem+json');
    expect(await refused.json()).toMatchObject({ code: 'service.unavailable' });

    await platform.stack().database.start();
    await eventually(
      'readyz to recover',
      () => fetch(`${platform.apiUrl}/readyz`),
      (response) => response.status === 200,
    );
    await creator.api.send('POST', '/v1/posts', { text: 'and we are back' });
    await untilState(creator, id, 'published');
    expect(await traces(platform, 'database away')).toEqual(publishedOnce);
  });
});

describe('with events duplicated, reordered and lost', () => {
  let platform: Platform;

  beforeAll(async () => {
    platform = await startPlatform({ chaos: { duplicate: 0.5, reorder: 0.5, drop: 0.4 } });
  }, 300_000);

  afterAll(async () => {
    await platform?.close();
  }, 60_000);

  it('every film ends published, once', async () => {
    const creator = await registerCreator(platform.apiUrl);
    const titles = ['chaos 1', 'chaos 2', 'chaos 3', 'chaos 4'];
    const ids = await Promise.all(titles.map((title) => uploadFilm(creator.api, film, title)));
    // Lost events are made up for by the cron, which Cloudflare would run every minute.
    const nudge = setInterval(
      () =>
        platform
          .worker()
          .runCron('* * * * *')
          .catch(() => undefined),
      5_000,
    );
    try {
      for (const id of ids) await untilState(creator, id, 'published');
    } finally {
      clearInterval(nudge);
    }
    for (const title of titles) expect(await traces(platform, title)).toEqual(publishedOnce);
  });
});
