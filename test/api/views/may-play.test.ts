import { beforeAll, describe, expect, it } from 'vitest';
import {
  call,
  callJson,
  roundTripsOf,
  seedUser,
  sqlRows,
  type TestUser,
} from '../../support/worker/client.ts';
import {
  countOf,
  flush,
  optionsOf,
  seedVideo,
  startSession,
  type TestVideo,
  type Watcher,
  watchFive,
} from './watching.ts';

let owner: TestUser;
let viewer: TestUser;
beforeAll(async () => {
  [owner, viewer] = [await seedUser(), await seedUser()];
});

async function videoWith(columns: Readonly<Record<string, unknown>>): Promise<TestVideo> {
  const video = await seedVideo(owner);
  for (const [name, value] of Object.entries(columns))
    await sqlRows(`UPDATE videos SET ${name} = $2 WHERE id = $1`, [video.uuid, value]);
  return video;
}

const setAccess = (video: TestVideo, body: unknown) =>
  callJson(200, 'PATCH', `/v1/videos/${video.id}`, { token: owner.token, body });

const stateBirthDate = (user: TestUser, birth_date: string) =>
  callJson(200, 'PUT', '/v1/me/birth-date', { token: user.token, body: { birth_date } });

async function outcome(
  video: TestVideo,
  path: 'watch-sessions' | 'playback',
  watcher: Watcher,
  body: unknown,
  headers: Readonly<Record<string, string>>,
): Promise<string> {
  const options = optionsOf(watcher);
  const answer = await call('POST', `/v1/videos/${video.id}/${path}`, {
    ...options,
    headers: { ...options.headers, ...headers },
    body,
  });
  const { code = 'begins' } = (await answer.json()) as { code?: string };
  return answer.ok ? 'begins' : `${answer.status} ${code}`;
}

/** How a session begins; playback must say the same of the same viewer. */
async function begin(
  video: TestVideo,
  user?: TestUser,
  body: Readonly<Record<string, unknown>> = {},
  headers: Readonly<Record<string, string>> = {},
): Promise<string> {
  const watcher = user === undefined ? {} : { token: user.token };
  const session = await outcome(video, 'watch-sessions', watcher, body, headers);
  const playback = await outcome(video, 'playback', watcher, body, headers);
  expect(playback).toBe(session);
  return session;
}

describe('who may not play a video cannot start to watch it', () => {
  it.each([
    ['private', { visibility: 'private' }],
    ['for followers', { visibility: 'followers' }],
    ['for members', { visibility: 'members' }],
    ['not published', { state: 'transcoding' }],
    ['due later', { publish_at: '2999-01-01T00:00:00Z' }],
    ['deleted', { deleted_at: '2026-01-01T00:00:00Z' }],
  ])('one that is %s is not there', async (_, columns) => {
    const video = await videoWith(columns);
    expect(await begin(video)).toBe('404 videos.not_found');
    expect(await begin(video, viewer)).toBe('404 videos.not_found');
  });

  it('one for followers or members begins for those who are', async () => {
    const [follower, member] = [await seedUser(), await seedUser()];
    await callJson(200, 'PUT', `/v1/users/${owner.id}/follow`, { token: follower.token });
    await sqlRows('INSERT INTO channel_members (owner_id, user_id) VALUES ($1, $2)', [
      owner.uuid,
      member.uuid,
    ]);
    const forFollowers = await videoWith({ visibility: 'followers' });
    const forMembers = await videoWith({ visibility: 'members' });
    expect([await begin(forFollowers, follower), await begin(forFollowers, member)]).toEqual([
      'begins',
      '404 videos.not_found',
    ]);
    expect([await begin(forMembers, member), await begin(forMembers, follower)]).toEqual([
      'begins',
      '404 videos.not_found',
    ]);
  });

  it('one with a password begins for who gave it, in one trip to the database, and counts', async () => {
    const video = await seedVideo(owner);
    await setAccess(video, { password: 'open sesame' });
    expect(await begin(video)).toBe('403 videos.locked');
    expect(await begin(video, viewer, { unlock_token: '9999999999.nonsense' })).toBe('403 videos.locked');
    expect(await begin(video, owner)).toBe('begins');
    const unlock = async (of: TestVideo, password: string) => {
      const { unlock_token } = await callJson<{ unlock_token: string }>(
        200,
        'POST',
        `/v1/videos/${of.id}/unlock`,
        { body: { password } },
      );
      return { unlock_token };
    };
    const other = await seedVideo(owner);
    await setAccess(other, { password: 'another' });
    expect(await begin(video, viewer, await unlock(other, 'another'))).toBe('403 videos.locked');

    const body = await unlock(video, 'open sesame');
    // The first stranger of a day has its salt made.
    await startSession(video, {}, body);
    const begun = await call('POST', `/v1/videos/${video.id}/watch-sessions`, { ...optionsOf({}), body });
    expect([begun.status, await roundTripsOf(begun)]).toMatchObject([201, { roundTrips: 1 }]);
    await watchFive(video, { token: viewer.token }, body);
    await flush(video);
    expect(await countOf(video)).toBe(1);

    await setAccess(video, { password: 'something else' });
    expect(await begin(video, viewer, body)).toBe('403 videos.locked');
  });

  it('one for adults begins for who stated to be one', async () => {
    const [adult, minor] = [await seedUser(), await seedUser()];
    await stateBirthDate(adult, '1990-01-01');
    await stateBirthDate(minor, new Date(Date.now() - 15 * 365.25 * 86_400_000).toISOString().slice(0, 10));
    const video = await videoWith({ age_restricted: true });
    expect(await begin(video)).toBe('403 videos.age_unknown');
    expect(await begin(video, viewer)).toBe('403 videos.age_unknown');
    expect(await begin(video, minor)).toBe('403 videos.under_age');
    expect(await begin(video, adult)).toBe('begins');
  });

  it('one for some countries does not begin elsewhere, nor where that is unknown', async () => {
    expect(await begin(await videoWith({ geo_mode: 'allow', geo_countries: '{DE}' }))).toBe(
      '403 videos.country_refused',
    );
    expect(await begin(await videoWith({ geo_mode: 'deny', geo_countries: '{DE}' }))).toBe('begins');
  });

  it('one for the pages of some sites does not begin in those of others', async () => {
    const video = await videoWith({ embed_mode: 'listed', embed_domains: '{example.com}' });
    expect(await begin(video, undefined, { embed_origin: 'https://blog.example.com' })).toBe('begins');
    expect(await begin(video, undefined, { embed_origin: 'https://evil.test' })).toBe(
      '403 videos.embed_refused',
    );
    expect(await begin(video, undefined, {}, { origin: 'https://evil.test' })).toBe(
      '403 videos.embed_refused',
    );
    expect(await begin(video)).toBe('begins');
  });

  it('one that is not converted does not begin for its owner either, nor one whose length nobody knows', async () => {
    expect(await begin(await videoWith({ state: 'transcoding' }), owner)).toBe('409 videos.not_ready');
    const unknown = await videoWith({ duration_ms: null });
    expect(await outcome(unknown, 'watch-sessions', {}, {}, {})).toBe('409 videos.not_ready');
  });

  it('a session goes on that began before, and the next one is refused', async () => {
    const video = await seedVideo(owner);
    const { session_token } = await startSession(video);
    await setAccess(video, { age_restricted: true });
    const beat = { session_token, seq: 1, intervals: [], position_ms: 0 };
    await callJson(200, 'POST', `/v1/videos/${video.id}/watch`, { ...optionsOf({}), body: beat });
    expect(await begin(video)).toBe('403 videos.age_unknown');
  });
});
