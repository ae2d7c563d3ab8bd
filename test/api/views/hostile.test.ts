import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { servicesOf } from '../../../src/context.ts';
import { runCron } from '../../../src/jobs/cron.ts';
import { encodeId, randomIds } from '../../../src/shared/ids.ts';
import { call, callJson, roundTripsOf, seedUser, sqlRows } from '../../support/worker/client.ts';
import { testEnv } from '../../support/worker/env.ts';
import { breakDatabase } from '../../support/worker/faults.ts';
import {
  countOf,
  flush,
  heartbeat,
  later,
  optionsOf,
  seedVideo,
  startSession,
  stopClock,
  type TestVideo,
  totalsOf,
  watchFive,
} from './watching.ts';

const codeOf = async (response: Response) => [
  response.status,
  ((await response.json()) as { code: string }).code,
];

const send = (video: { readonly id: string }, body: unknown, token?: string) =>
  call('POST', `/v1/videos/${video.id}/watch`, { ...optionsOf(token === undefined ? {} : { token }), body });

const beatOf = (sessionToken: string, overrides: Record<string, unknown> = {}) => ({
  session_token: sessionToken,
  seq: 1,
  intervals: [{ from_ms: 0, to_ms: 1_000 }],
  position_ms: 1_000,
  ...overrides,
});

describe('a watch session', () => {
  it('is of published videos the caller may see, and nothing else', async () => {
    const owner = await seedUser();
    const path = (video: TestVideo) => `/v1/videos/${video.id}/watch-sessions`;
    const hidden = await seedVideo(owner, { visibility: 'private' });
    const unlisted = await seedVideo(owner, { visibility: 'unlisted' });
    const blocked = await seedUser();
    await sqlRows('INSERT INTO blocks (blocker_id, blocked_id) VALUES ($1, $2)', [owner.uuid, blocked.uuid]);
    expect((await call('POST', path(hidden), optionsOf({}))).status).toBe(404);
    expect((await call('POST', path(hidden), optionsOf({ token: owner.token }))).status).toBe(201);
    expect((await call('POST', path(unlisted), optionsOf({}))).status).toBe(201);
    expect((await call('POST', path(unlisted), optionsOf({ token: blocked.token }))).status).toBe(404);
    const nowhere = { id: encodeId('video', randomIds.next()), uuid: '' };
    expect(await codeOf(await call('POST', path(nowhere), optionsOf({})))).toEqual([404, 'videos.not_found']);
    expect((await call('POST', path({ id: 'vid_x', uuid: '' }), optionsOf({}))).status).toBe(404);
  });

  it('costs one round trip to begin and none to go on', async () => {
    const video = await seedVideo(await seedUser());
    await startSession(video);
    const begun = await call('POST', `/v1/videos/${video.id}/watch-sessions`, optionsOf({}));
    expect(await roundTripsOf(begun)).toMatchObject({ roundTrips: 1, background: 0 });
    const { session_token } = (await begun.json()) as { session_token: string };
    const answered = await send(video, beatOf(session_token));
    expect(answered.status).toBe(200);
    expect(await roundTripsOf(answered)).toMatchObject({ roundTrips: 0, background: 0 });
    // Nor does it send the viewer's reads to the primary.
    expect(answered.headers.get('x-read-pin')).toBeNull();
    expect(begun.headers.get('x-read-pin')).toBeNull();
  });

  it('is good for its video and viewer, while it lasts', async () => {
    const owner = await seedUser();
    const [video, other] = [await seedVideo(owner), await seedVideo(owner)];
    const [alice, bob] = [await seedUser(), await seedUser()];
    const mine = (await startSession(video, { token: alice.token })).session_token;
    const invalid = [403, 'views.session_invalid'];
    expect(await codeOf(await send(other, beatOf(mine)))).toEqual(invalid);
    expect(await codeOf(await send(video, beatOf(mine), bob.token))).toEqual(invalid);
    // A closing page cannot send its access token along.
    expect((await send(video, beatOf(mine))).status).toBe(200);
    const strangers = (await startSession(video)).session_token;
    expect(await codeOf(await send(video, beatOf(strangers), bob.token))).toEqual(invalid);

    const [payload = '', tag = ''] = mine.split('.');
    const facts = JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/'))) as Record<
      string,
      unknown
    >;
    const forged = btoa(JSON.stringify({ ...facts, counted: true, durationMs: 1 }))
      .replaceAll('+', '-')
      .replaceAll('/', '_')
      .replace(/=+$/, '');
    for (const token of [
      `${forged}.${tag}`,
      payload,
      `${payload}.`,
      `.${tag}`,
      `${mine}.x`,
      'é',
      '%%%.%%%',
      'a'.repeat(2_048),
      `${payload}.${tag.slice(0, -2)}`,
    ])
      expect(await codeOf(await send(video, beatOf(token))), token).toEqual(invalid);
  });

  it('ends, and the next one goes on', async () => {
    const video = await seedVideo(await seedUser());
    const { expires_at, session_token } = await startSession(video);
    expect(Date.parse(expires_at) - Date.now()).toBeGreaterThan(3_600_000);
    const facts = JSON.parse(
      atob(session_token.split('.')[0]?.replaceAll('-', '+').replaceAll('_', '/') ?? ''),
    ) as Record<string, unknown>;
    expect(facts.expiresAtMs).toBe(Date.parse(expires_at));
  });
});

describe('a heartbeat', () => {
  it.each([
    ['no session', { session_token: undefined }],
    ['an empty session', { session_token: '' }],
    ['a session too long', { session_token: 'x'.repeat(2_049) }],
    ['no number', { seq: undefined }],
    ['number 0', { seq: 0 }],
    ['a broken number', { seq: 1.5 }],
    ['a number too high', { seq: 10_000_001 }],
    ['a stretch that ends before it begins', { intervals: [{ from_ms: 5, to_ms: 4 }] }],
    ['an empty stretch', { intervals: [{ from_ms: 5, to_ms: 5 }] }],
    ['a negative stretch', { intervals: [{ from_ms: -1, to_ms: 4 }] }],
    [
      'too many stretches',
      { intervals: Array.from({ length: 21 }, (_, index) => ({ from_ms: index * 2, to_ms: index * 2 + 1 })) },
    ],
    ['a stretch as text', { intervals: ['0-5'] }],
    ['an endless stretch', { intervals: [{ from_ms: 0, to_ms: 1e300 }] }],
    ['a field nobody knows', { views: 1_000 }],
    ['an error code of prose', { player: { errors: ['it broke'] } }],
    ['too many errors', { player: { errors: ['A', 'B', 'C', 'D', 'E', 'F'] } }],
    ['a negative wait', { player: { rebuffer_ms: -1 } }],
    ['a player nobody knows', { player: { name: 'x' } }],
  ])('with %s is refused', async (_, overrides) => {
    const video = await seedVideo(await seedUser());
    const { session_token } = await startSession(video);
    const response = await send(video, { ...beatOf(session_token), ...overrides });
    expect(await codeOf(response)).toEqual([422, 'request.invalid']);
  });

  it('that claims more than the clock allows, or what is beyond the film, is cut', async () => {
    const video = await seedVideo(await seedUser(), { durationMs: 6_000 });
    const { session_token } = await startSession(video);
    await later(video, 2_000);
    const first = await heartbeat(video, session_token, { seq: 1, from: 0, to: 600_000_000 });
    // Twice two seconds, and what the test itself took.
    expect(first.watched_ms).toBeGreaterThanOrEqual(4_000);
    await later(video, 60_000);
    const second = await heartbeat(video, session_token, { seq: 2, from: 0, to: 600_000_000 });
    expect(second.watched_ms).toBe(6_000);
    await flush(video);
    expect(await totalsOf(video)).toMatchObject({ views: 1, plays: 1, watch_ms: 6_000, completions: 1 });
  });

  it('is not counted for one network and browser in any number of players at once', async () => {
    const video = await seedVideo(await seedUser());
    const ip = '198.51.100.99';
    const tokens = await Promise.all(Array.from({ length: 14 }, () => startSession(video, { ip })));
    for (const { session_token } of tokens) await heartbeat(video, session_token, { seq: 1, from: 0, to: 1 });
    await later(video, 5_000);
    for (const { session_token } of tokens)
      await heartbeat(video, session_token, { seq: 2, from: 0, to: 5_000 });
    await flush(video);
    expect(await totalsOf(video)).toMatchObject({ views: 1, viewers: 1, plays: 10, watch_ms: 50_000 });
  });

  it('that comes too often or too late is refused, and said so', async () => {
    const video = await seedVideo(await seedUser());
    const { session_token } = await startSession(video);
    await stopClock(video);
    const answers: Response[] = [];
    for (let seq = 1; seq <= 40; seq += 1) answers.push(await send(video, beatOf(session_token, { seq })));
    const refused = answers.find(({ status }) => status === 429);
    expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(refused === undefined ? undefined : await codeOf(refused)).toEqual([
      429,
      'views.heartbeat_too_fast',
    ]);
    await later(video, 60_000);
    expect((await send(video, beatOf(session_token, { seq: 500 }))).status).toBe(200);
    expect(await codeOf(await send(video, beatOf(session_token, { seq: 400 })))).toEqual([
      409,
      'views.heartbeat_stale',
    ]);
  });
});

describe('a flush', () => {
  it.each(['before', 'after'] as const)(
    'that fails %s the database applied it is applied once',
    async (when) => {
      const video = await seedVideo(await seedUser());
      await watchFive(video);
      await breakDatabase({ mode: 'down', count: 1, when });
      await flush(video);
      await breakDatabase({ mode: 'none' });
      await watchFive(video);
      await flush(video);
      await flush(video);
      expect(await countOf(video)).toBe(2);
      expect(await totalsOf(video)).toMatchObject({ views: 2, viewers: 2, plays: 2, watch_ms: 10_000 });
    },
  );

  it('of a deleted video counts nothing, and ends the counter', async () => {
    const owner = await seedUser();
    const video = await seedVideo(owner);
    await watchFive(video);
    await callJson(204, 'DELETE', `/v1/videos/${video.id}`, { token: owner.token });
    await flush(video);
    expect(await countOf(video)).toBe(0);
    expect(await totalsOf(video)).toBeUndefined();
  });
});

describe('salts', () => {
  it('are deleted when their day is over, and made when none is there', async () => {
    await sqlRows(
      "INSERT INTO view_salts (day, salt) VALUES ('2020-01-01', decode(repeat('ab', 32), 'hex')) ON CONFLICT DO NOTHING",
    );
    await runCron({ cron: '17 * * * *' }, servicesOf(testEnv(env)), () => undefined);
    const rows = await sqlRows<{ old: string; ahead: string }>(
      "SELECT count(*) FILTER (WHERE day < current_date - 1) AS old, count(*) FILTER (WHERE day >= (now() AT TIME ZONE 'UTC')::date) AS ahead FROM view_salts",
    );
    expect(rows).toEqual([{ old: '0', ahead: '3' }]);
  });
});
