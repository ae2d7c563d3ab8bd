import { env } from 'cloudflare:workers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addToSketch, emptySketch, estimate, mergeSketches } from '../../../durable-objects/sketch.ts';
import { servicesOf } from '../../../src/context.ts';
import { runCron } from '../../../src/jobs/cron.ts';
import { withLock } from '../../../src/jobs/with-lock.ts';
import { refreshChannels } from '../../../src/modules/analytics/index.ts';
import { createLogger } from '../../../src/observability/logger.ts';
import { hex } from '../../../src/shared/encoding.ts';
import { contextAt } from '../../jobs/accounts/lives.ts';
import { call, roundTripsOf, seedUser, sqlRows, type TestUser } from '../../support/worker/client.ts';
import { testEnv } from '../../support/worker/env.ts';
import { seedVideo, type TestVideo } from '../views/watching.ts';
import { type Analytics, channelOf, today, viewer, watchedOn } from './channels.ts';

const refresh = () => refreshChannels(contextAt(Date.now()));
const range = '?from=2025-01-01&to=2026-02-04';

/** A channel with one viewless day of a video too many to be read from the rows of its videos. */
async function largeChannel(): Promise<{ owner: TestUser; first: TestVideo; second: TestVideo }> {
  const owner = await seedUser();
  const [first, second] = [await seedVideo(owner), await seedVideo(owner)];
  await sqlRows(
    `INSERT INTO video_view_days (video_id, day, plays, watch_ms, viewers_sketch)
     SELECT $1, '2025-01-01'::date + n, 1, 1000, decode($2, 'hex') FROM generate_series(0, 399) AS n`,
    [first.uuid, hex(emptySketch())],
  );
  await watchedOn(second, '2025-01-01', { viewers: [], watchMs: 0 });
  return { owner, first, second };
}

const numbersOf = ({ totals, days, countries }: Analytics) => ({ totals, days, countries });

describe('a channel with more days of videos than are read one by one', () => {
  it('has the same numbers once they are added up as its rows have, and says when that was', async () => {
    const { owner, first, second } = await largeChannel();
    const [ada, bob, eve] = [viewer(), viewer(), viewer()];
    await watchedOn(first, '2025-03-01', { viewers: [ada, bob], watchMs: 4_000, country: 'PT' });
    await watchedOn(second, '2025-03-01', { viewers: [bob, eve], watchMs: 6_000, country: 'DE' });
    await watchedOn(second, '2025-03-02', { viewers: [ada], watchMs: 2_000, country: 'DE' });
    await refresh();
    const short = await channelOf(owner, '?from=2025-03-01&to=2025-03-02');
    const long = await channelOf(owner, range);
    expect(short.as_of).toBeNull();
    expect(Date.now() - Date.parse(long.as_of ?? '')).toBeLessThan(60_000);
    // Three people over two videos and two days: nobody is counted twice.
    expect(long.totals).toMatchObject({
      views: 5,
      unique_viewers: 3,
      unique_viewers_error: 0.023,
      watch_seconds: 412,
    });
    const days = long.days.filter(({ day }) => day.startsWith('2025-03-0')).slice(0, 2);
    expect(days).toEqual(short.days);
    expect(days.map(({ views, unique_viewers }) => [views, unique_viewers])).toEqual([
      [4, 3],
      [1, expect.any(Number)],
    ]);
    const [row] = await sqlRows(
      `SELECT sum(views)::int AS views, sum(plays)::int AS plays, sum(watch_ms)::int AS watch_ms, count(*)::int AS days
       FROM channel_view_days WHERE owner_id = $1`,
      [owner.uuid],
    );
    expect(row).toEqual(
      (
        await sqlRows(
          `SELECT sum(views)::int AS views, sum(plays)::int AS plays, sum(watch_ms)::int AS watch_ms,
             count(DISTINCT day)::int AS days
           FROM video_view_days WHERE video_id IN ($1, $2)`,
          [first.uuid, second.uuid],
        )
      )[0],
    );
    expect(long.countries).toEqual([expect.objectContaining({ value: 'other', views: 5 })]);
    const asked = await call('GET', `/v1/me/analytics${range}`, { token: owner.token });
    expect((await roundTripsOf(asked)).roundTrips).toBe(1);
  });

  it('shows what is watched today at once, and what came late for an old day after the next refresh', async () => {
    const { owner, second } = await largeChannel();
    await refresh();
    const until = `?from=${new Date(Date.now() - 399 * 86_400_000).toISOString().slice(0, 10)}&to=${today()}`;
    await sqlRows(
      `INSERT INTO video_view_days (video_id, day, plays)
       SELECT $1, (now() AT TIME ZONE 'UTC')::date - n, 1 FROM generate_series(1, 399) AS n ON CONFLICT DO NOTHING`,
      [second.uuid],
    );
    await watchedOn(second, today(), { viewers: [viewer()], watchMs: 3_000 });
    const third = await seedVideo(owner);
    await watchedOn(third, today(), { viewers: [viewer(), viewer()], watchMs: 3_000 });
    const live = await channelOf(owner, until);
    expect(live.as_of).not.toBeNull();
    // The views are known; whether the viewers are the same people is not, before they are added up.
    expect(live.days.at(-1)).toMatchObject({ views: 3, unique_viewers: null, unique_viewers_error: null });
    await watchedOn(third, '2025-01-01', { viewers: [viewer()], watchMs: 1_000 });
    expect((await channelOf(owner, range)).totals.views).toBe(0);
    await refresh();
    expect((await channelOf(owner, range)).totals.views).toBe(1);
    expect((await channelOf(owner, until)).days.at(-1)).toMatchObject({ views: 3, unique_viewers: 3 });
  });

  it('loses nothing of flushes that arrive while it is refreshed', async () => {
    const { owner, first, second } = await largeChannel();
    const viewers = Array.from({ length: 40 }, viewer);
    const flushes = viewers.map((watcher, at) =>
      watchedOn(at % 2 === 0 ? first : second, `2025-06-0${1 + (at % 3)}`, {
        viewers: [watcher],
        watchMs: 1_000,
      }),
    );
    await Promise.all([...flushes, refresh(), refresh(), refresh()]);
    await refresh();
    const seen = numbersOf(await channelOf(owner, range));
    expect(seen.totals).toMatchObject({ views: 40, plays: 440 });
    // Everything made anew gives the same.
    await sqlRows('DELETE FROM channel_view_sketches WHERE owner_id = $1', [owner.uuid]);
    await refresh();
    expect(numbersOf(await channelOf(owner, range))).toEqual(seen);
  });

  it('knows the viewers of a day on which more videos were watched than are merged at once', async () => {
    const owner = await seedUser();
    const videos = 850;
    await sqlRows(
      `INSERT INTO videos (id, owner_id, title, state, visibility)
       SELECT gen_random_uuid(), $1, 'A film', 'uploading', 'private' FROM generate_series(1, $2)`,
      [owner.uuid, videos],
    );
    const everywhere = viewer();
    const sketches = Array.from({ length: videos }, () => {
      const sketch = emptySketch();
      // One viewer of its own, and one who saw everything.
      addToSketch(sketch, viewer());
      addToSketch(sketch, everywhere);
      return sketch;
    });
    await sqlRows(
      `INSERT INTO video_view_days (video_id, day, views, viewers, viewers_sketch)
       SELECT video.id, '2025-03-01', 2, 2, decode(sketch.text, 'hex')
       FROM (SELECT id, row_number() OVER (ORDER BY id) AS position FROM videos WHERE owner_id = $1) AS video
         JOIN jsonb_array_elements_text($2::jsonb) WITH ORDINALITY AS sketch (text, position) USING (position)`,
      [owner.uuid, JSON.stringify(sketches.map(hex))],
    );
    await refresh();
    const seen = await channelOf(owner, range);
    expect(seen.totals).toMatchObject({
      views: 2 * videos,
      unique_viewers: estimate(mergeSketches(sketches)),
      unique_viewers_error: 0.023,
    });
    expect(Math.abs((seen.totals.unique_viewers ?? 0) - (videos + 1))).toBeLessThan(0.1 * videos);
  });

  it('is added up by the hourly cron, by one run at a time', { timeout: 60_000 }, async () => {
    const { owner, second } = await largeChannel();
    await watchedOn(second, '2025-03-01', { viewers: [viewer()], watchMs: 1_000 });
    const outcomes: unknown[] = [];
    const log = createLogger('info', {}, (line) => {
      const { job, event } = JSON.parse(line);
      if (job === 'analytics.refresh') outcomes.push(event);
    });
    const services = { ...servicesOf(testEnv(env)), log };
    const hourly = async () => {
      const waiting: Promise<unknown>[] = [];
      await runCron({ cron: '17 * * * *' }, services, (task) => waiting.push(task));
      await Promise.all(waiting);
    };
    await withLock(services.bindings.LOCK, 'cron:analytics.refresh', { ttlMs: 60_000 }, hourly);
    expect(outcomes).toEqual(['cron.skipped']);
    expect((await channelOf(owner, range)).totals.views).toBe(0);
    await hourly();
    expect(outcomes).toEqual(['cron.skipped', 'analytics.refreshed', 'cron.completed']);
    expect((await channelOf(owner, range)).totals.views).toBe(1);
  });

  it('forgets the videos it deletes', async () => {
    const { owner, first, second } = await largeChannel();
    await watchedOn(first, '2025-03-01', { viewers: [viewer()], watchMs: 1_000 });
    const third = await seedVideo(owner);
    await watchedOn(third, '2025-03-01', { viewers: [viewer(), viewer()], watchMs: 1_000 });
    await refresh();
    expect((await channelOf(owner, range)).totals).toMatchObject({ views: 3, unique_viewers: 3 });
    expect((await call('DELETE', `/v1/videos/${third.id}`, { token: owner.token })).status).toBe(204);
    await refresh();
    expect((await channelOf(owner, range)).totals).toMatchObject({ views: 1, unique_viewers: 1 });
    for (const video of [first, second])
      await sqlRows('UPDATE videos SET deleted_at = now() WHERE id = $1', [video.uuid]);
    await refresh();
    expect(await sqlRows('SELECT FROM channel_view_sketches WHERE owner_id = $1', [owner.uuid])).toEqual([]);
  });

  const someDay = fc.integer({ min: 1, max: 3 }).map((day) => `2025-05-0${day}`);
  const act = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ kind: fc.constant('flush'), video: fc.nat(2), day: someDay, viewer: fc.nat(5) }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('refresh') }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete'), video: fc.nat(2) }) },
  );

  it('agrees with what was flushed after any flushes, deletions and refreshes', {
    timeout: 120_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 4, maxLength: 16 }), async (acts) => {
        const { owner } = await largeChannel();
        const videos = [await seedVideo(owner), await seedVideo(owner), await seedVideo(owner)];
        const people = Array.from({ length: 6 }, viewer);
        // By video and day, as the counter of the video knows them.
        const known = new Map<string, { readonly viewers: Set<string>; views: number }>();
        const deleted = new Set<number>();
        for (const step of acts) {
          if (step.kind === 'refresh') await refresh();
          if (!('video' in step) || deleted.has(step.video)) continue;
          const video = videos[step.video];
          if (video === undefined) continue;
          if ('day' in step) {
            const entry = known.get(`${step.video} ${step.day}`) ?? { viewers: new Set(), views: 0 };
            entry.viewers.add(people[step.viewer] ?? '');
            entry.views += entry.viewers.size;
            known.set(`${step.video} ${step.day}`, entry);
            await watchedOn(video, step.day, { viewers: [...entry.viewers], watchMs: 1_000 });
          } else {
            deleted.add(step.video);
            expect((await call('DELETE', `/v1/videos/${video.id}`, { token: owner.token })).status).toBe(204);
          }
        }
        await refresh();
        const seen = await channelOf(owner, range);
        const left = [...known].filter(([key]) => !deleted.has(Number(key[0])));
        const viewersOn = (day: string) =>
          left.flatMap(([key, { viewers }]) => (key.endsWith(day) ? [...viewers] : []));
        const estimated = (viewers: readonly string[]) => {
          const sketch = emptySketch();
          for (const one of viewers) addToSketch(sketch, one);
          return estimate(sketch);
        };
        expect(seen.totals.views).toBe(left.reduce((sum, [, { views }]) => sum + views, 0));
        expect(seen.totals.unique_viewers).toBe(estimated(viewersOn('')));
        for (const day of ['2025-05-01', '2025-05-02', '2025-05-03'])
          expect(seen.days.find((one) => one.day === day)?.unique_viewers).toBe(estimated(viewersOn(day)));
      }),
      { numRuns: 12 },
    );
  });
});
