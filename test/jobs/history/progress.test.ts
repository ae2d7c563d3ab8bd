import { env } from 'cloudflare:workers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { servicesOf } from '../../../src/context.ts';
import { systemContext } from '../../../src/jobs/system-context.ts';
import { trimHistories } from '../../../src/modules/history/index.ts';
import { encodeId, randomIds } from '../../../src/shared/ids.ts';
import { call, callJson, seedUser, sqlRows, type TestUser } from '../../support/worker/client.ts';
import { testEnv } from '../../support/worker/env.ts';
import { deliver } from '../../support/worker/queues.ts';

const dayMs = 86_400_000;
const contextAt = (nowMs: number) => ({
  ...systemContext(servicesOf(testEnv(env)), { job: 'test' }),
  clock: { now: () => nowMs },
});

interface Report {
  readonly video: string;
  readonly position: number;
  readonly at: number;
}

const message = (user: TestUser, { video, position, at }: Report) => ({
  queue: 'EVENTS_QUEUE' as const,
  body: {
    id: randomIds.next(),
    type: 'watch.progressed',
    occurred_at: new Date().toISOString(),
    data: {
      user_id: user.uuid,
      video_id: video,
      position_ms: position,
      duration_ms: 100_000,
      watched_at: new Date(at).toISOString(),
    },
  },
});

const entriesOf = async (user: TestUser) =>
  (
    await callJson<{ data: { video_id: string; position_ms: number; watched_at: string }[] }>(
      200,
      'GET',
      '/v1/me/history?limit=100',
      { token: user.token },
    )
  ).data;

describe('what players report', () => {
  it('ends with the newest of each video, whatever comes twice, late or swapped', async () => {
    const start = Date.now() - dayMs;
    const report = fc.record({
      video: fc.constantFrom(...Array.from({ length: 3 }, () => randomIds.next())),
      position: fc.nat({ max: 100_000 }),
      at: fc.nat({ max: 20 }).map((minutes) => start + minutes * 60_000),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(report, { maxLength: 20 }),
        fc.infiniteStream(fc.nat()),
        async (reports, random) => {
          const user = await seedUser();
          const deliveries = [...reports, ...reports]
            .map((each) => ({ each, order: random.next().value ?? 0 }))
            .sort((a, b) => a.order - b.order)
            .map(({ each }) => message(user, each));
          await deliver(deliveries);
          const newest = new Map<string, Report>();
          for (const each of reports) {
            const known = newest.get(each.video);
            if (
              known === undefined ||
              known.at < each.at ||
              (known.at === each.at && known.position < each.position)
            )
              newest.set(each.video, each);
          }
          const expected = [...newest.values()].map(({ video, position, at }) => ({
            video_id: encodeId('video', video),
            position_ms: position,
            watched_at: new Date(at).toISOString(),
          }));
          const byId = (a: { video_id: string }, b: { video_id: string }) =>
            a.video_id < b.video_id ? -1 : 1;
          const found = (await entriesOf(user)).map(({ video_id, position_ms, watched_at }) => ({
            video_id,
            position_ms,
            watched_at,
          }));
          expect(found.toSorted(byId)).toEqual(expected.toSorted(byId));
        },
      ),
      { numRuns: 20 },
    );
  }, 120_000);

  it('brings nothing back that was taken out, cleared, or watched while the history was paused', async () => {
    const user = await seedUser();
    const [first, second] = [randomIds.next(), randomIds.next()];
    const before = Date.now() - 60_000;
    await deliver([message(user, { video: first, position: 10, at: before })]);
    await call('DELETE', `/v1/me/history/${encodeId('video', first)}`, { token: user.token });
    await deliver([message(user, { video: first, position: 20, at: before + 1_000 })]);
    expect(await entriesOf(user)).toEqual([]);
    await callJson(204, 'DELETE', '/v1/me/history', { token: user.token });
    await deliver([message(user, { video: second, position: 20, at: before })]);
    expect(await entriesOf(user)).toEqual([]);
    const settings = (paused: boolean) =>
      callJson(200, 'PUT', '/v1/me/history/settings', { token: user.token, body: { paused } });
    await settings(true);
    const during = Date.now();
    await settings(false);
    await deliver([message(user, { video: second, position: 30, at: during })]);
    expect(await entriesOf(user)).toEqual([]);
  });

  it('from a clock that is ahead counts as now', async () => {
    const user = await seedUser();
    const video = randomIds.next();
    await deliver([message(user, { video, position: 10, at: Date.now() + dayMs })]);
    const [entry] = await entriesOf(user);
    expect(Date.parse(entry?.watched_at ?? '')).toBeLessThanOrEqual(Date.now());
  });
});

it('histories forget what was watched long ago, and what was taken out a while ago', async () => {
  const now = Date.now();
  const users = await Promise.all(Array.from({ length: 4 }, () => seedUser()));
  const [old, recent, gone] = [randomIds.next(), randomIds.next(), randomIds.next()];
  for (const user of users) {
    await deliver([
      message(user, { video: old, position: 1, at: now - 1_081 * dayMs }),
      message(user, { video: recent, position: 1, at: now - 1_079 * dayMs }),
      message(user, { video: gone, position: 1, at: now - dayMs }),
    ]);
    await call('DELETE', `/v1/me/history/${encodeId('video', gone)}`, { token: user.token });
  }
  await trimHistories(contextAt(now));
  for (const user of users)
    expect((await entriesOf(user)).map(({ video_id }) => video_id)).toEqual([encodeId('video', recent)]);
  const rows = async () =>
    (
      await Promise.all(
        [0, 1].map((shard) => sqlRows('SELECT FROM watch_history WHERE video_id = $1', [gone], shard)),
      )
    ).flat();
  expect(await rows()).toHaveLength(users.length);
  await trimHistories(contextAt(now + 15 * dayMs));
  expect(await rows()).toHaveLength(0);
});
