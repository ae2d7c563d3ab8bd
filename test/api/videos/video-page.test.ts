import { beforeAll, describe, expect, it } from 'vitest';
import { encodeId, randomIds } from '../../../src/shared/ids.ts';
import {
  call,
  callJson,
  roundTripsOf,
  seedUser,
  sqlRows,
  type TestUser,
} from '../../support/worker/client.ts';
import { getVideo, uuidOf, type VideoJson } from '../../support/worker/films.ts';

interface VideoPage {
  readonly data: readonly VideoJson[];
  readonly next_cursor: string | null;
}

/** A published video as the encoder would leave it. */
async function seedVideo(owner: TestUser, columns: Readonly<Record<string, string>> = {}): Promise<string> {
  const id = randomIds.next();
  const { state = 'published', visibility = 'public', title = 'A film' } = columns;
  await sqlRows(
    `WITH video AS (
       INSERT INTO videos (id, owner_id, title, state, visibility, progress_percent, duration_ms, width, height, hls_key,
         dash_key, published_at, failure_code, failure_message)
       VALUES ($1::uuid, $2, $3, $4::text, $5, CASE $4::text WHEN 'published' THEN 100 ELSE 40 END, 61500, 1920, 1080,
         'media/' || $1::uuid || '/v1/video.m3u8', 'media/' || $1::uuid || '/v1/video.mpd', now(),
         CASE $4::text WHEN 'failed' THEN 'encode_failed' END, CASE $4::text WHEN 'failed' THEN 'Try again.' END)
       RETURNING id
     ), stills AS (
       INSERT INTO thumbnails SELECT id, 1, position, 'media/' || id || '/v1/thumbnails/t.' || position || '.jpg'
       FROM video, generate_series(0, 4) AS position
     )
     INSERT INTO renditions SELECT id, 1, name, width, height, bitrate, 61500 FROM video, (VALUES
       ('1080p', 1920, 1080, 5500000), ('240p', 426, 240, 400000), ('720p', 1280, 720, 3000000)
     ) AS rung(name, width, height, bitrate)`,
    [id, owner.uuid, title, state, visibility],
  );
  return encodeId('video', id);
}

const statusFor = async (videoId: string, viewer?: TestUser): Promise<number> =>
  (await call('GET', `/v1/videos/${videoId}`, { token: viewer?.token })).status;

let owner: TestUser;
let viewer: TestUser;
beforeAll(async () => {
  owner = await seedUser({ displayName: 'Ada L.' });
  viewer = await seedUser();
});

describe('GET /v1/videos/{id}', () => {
  it('shows everything about a film in one trip to the database', async () => {
    const id = await seedVideo(owner, { title: 'First film' });
    const response = await call('GET', `/v1/videos/${id}`, { token: viewer.token });
    expect(await roundTripsOf(response)).toMatchObject({ roundTrips: 1 });
    const video = (await response.json()) as VideoJson;
    expect(video).toMatchObject({
      id,
      owner: { id: owner.id, username: owner.username, display_name: 'Ada L.', avatar_url: null },
      title: 'First film',
      state: 'published',
      progress_percent: 100,
      phase: null,
      failure: null,
      duration_seconds: 61.5,
      width: 1920,
      height: 1080,
    });
    expect(video.renditions.map((rendition) => rendition.name)).toEqual(['240p', '720p', '1080p']);
    expect(video.thumbnails).toHaveLength(5);
    expect(video.hls_url).toMatch(new RegExp(`^http.*/media/${uuidOf(id)}/v1/video\\.m3u8$`));
    const anonymous = await call('GET', `/v1/videos/${id}`);
    expect([anonymous.status, await roundTripsOf(anonymous)]).toMatchObject([200, { roundTrips: 1 }]);
  });

  it('shares one copy among signed-out viewers, and shows them every change made here at once', async () => {
    const id = await seedVideo(owner, { title: 'Seen by many' });
    const trips: number[] = [];
    for (let view = 0; view < 5; view += 1) {
      const response = await call('GET', `/v1/videos/${id}`);
      expect(await response.json()).toMatchObject({ id, title: 'Seen by many' });
      trips.push((await roundTripsOf(response)).roundTrips);
    }
    expect(trips).toEqual([1, 0, 0, 0, 0]);

    await callJson(200, 'PATCH', `/v1/videos/${id}`, { token: owner.token, body: { title: 'Renamed' } });
    expect(await callJson(200, 'GET', `/v1/videos/${id}`)).toMatchObject({ title: 'Renamed' });
    await callJson(200, 'PATCH', `/v1/videos/${id}`, { token: owner.token, body: { visibility: 'private' } });
    expect(await statusFor(id)).toBe(404);
    await callJson(200, 'PATCH', `/v1/videos/${id}`, { token: owner.token, body: { visibility: 'public' } });
    expect(await statusFor(id)).toBe(200);
    await call('DELETE', `/v1/videos/${id}`, { token: owner.token });
    expect(await statusFor(id)).toBe(404);
  });

  it('never shows the shared copy to somebody signed in, whose view may differ', async () => {
    const id = await seedVideo(owner);
    const blocked = await seedUser();
    expect(await statusFor(id)).toBe(200);
    await callJson(200, 'PUT', `/v1/users/${blocked.id}/block`, { token: owner.token });
    expect(await statusFor(id, blocked)).toBe(404);
    const response = await call('GET', `/v1/videos/${id}`, { token: viewer.token });
    expect(await roundTripsOf(response)).toMatchObject({ roundTrips: 1 });
  });

  it('answers 304 to a client that has it already, and 200 once it has changed', async () => {
    const id = await seedVideo(owner);
    const first = await call('GET', `/v1/videos/${id}`);
    const etag = first.headers.get('etag') ?? '';
    expect(etag).toMatch(/^W\/".+"$/);
    const again = await call('GET', `/v1/videos/${id}`, { headers: { 'if-none-match': etag } });
    expect([again.status, await again.text()]).toEqual([304, '']);
    await call('PATCH', `/v1/videos/${id}`, { token: owner.token, body: { title: 'Renamed' } });
    const changed = await call('GET', `/v1/videos/${id}`, { headers: { 'if-none-match': etag } });
    expect(changed.status).toBe(200);
  });

  it('hides private and unfinished films from everyone but their owner', async () => {
    for (const columns of [
      { visibility: 'private' },
      { state: 'uploading' },
      { state: 'probing' },
      { state: 'transcoding' },
      { state: 'failed' },
    ]) {
      const id = await seedVideo(owner, columns);
      expect([await statusFor(id), await statusFor(id, viewer), await statusFor(id, owner)]).toEqual([
        404, 404, 200,
      ]);
    }
    const unlisted = await seedVideo(owner, { visibility: 'unlisted' });
    expect([await statusFor(unlisted), await statusFor(unlisted, viewer)]).toEqual([200, 200]);
  });

  it('hides films between two people of whom one blocks the other, and those of suspended accounts', async () => {
    const [blocker, blocked, suspended] = [await seedUser(), await seedUser(), await seedUser()];
    await sqlRows('INSERT INTO blocks (blocker_id, blocked_id) VALUES ($1, $2)', [
      blocker.uuid,
      blocked.uuid,
    ]);
    await sqlRows("UPDATE users SET status = 'suspended' WHERE id = $1", [suspended.uuid]);
    expect(await statusFor(await seedVideo(blocker), blocked)).toBe(404);
    expect(await statusFor(await seedVideo(blocked), blocker)).toBe(404);
    expect(await statusFor(await seedVideo(blocker), viewer)).toBe(200);
    expect(await statusFor(await seedVideo(suspended), viewer)).toBe(404);
  });

  it('does not know ids of another kind', async () => {
    for (const id of [encodeId('upload', randomIds.next()), owner.id, 'vid_', 'vid_!', randomIds.next()]) {
      const response = await call('GET', `/v1/videos/${id}`);
      expect(response.status).toBe(404);
    }
    const unknown = await call('GET', `/v1/videos/${encodeId('video', randomIds.next())}`);
    expect([unknown.status, await unknown.json()]).toMatchObject([404, { code: 'videos.not_found' }]);
  });
});

describe('PATCH /v1/videos/{id}', () => {
  it('changes what is given and nothing else', async () => {
    const id = await seedVideo(owner, { title: 'Before' });
    const patch = (body: unknown, token = owner.token) => call('PATCH', `/v1/videos/${id}`, { token, body });
    expect((await patch({ description: 'Two\nlines 🎬', visibility: 'unlisted' })).status).toBe(200);
    expect(await getVideo(id, owner)).toMatchObject({
      title: 'Before',
      description: 'Two\nlines 🎬',
      visibility: 'unlisted',
    });
    for (const body of [
      {},
      { title: '' },
      { title: null },
      { state: 'published' },
      { title: 'a\u0000b' },
      [],
    ])
      expect((await patch(body)).status).toBe(422);
    expect((await patch({ title: 'Mine now' }, viewer.token)).status).toBe(404);
    expect((await getVideo(id, owner)).title).toBe('Before');
  });
});

describe('lists of videos', () => {
  it('page through the films of a user, newest first, and show the owner all of them', async () => {
    const creator = await seedUser();
    const shown: string[] = [];
    for (let film = 0; film < 5; film += 1) {
      shown.unshift(await seedVideo(creator));
      if (film === 2) {
        await seedVideo(creator, { visibility: 'private' });
        await seedVideo(creator, { visibility: 'unlisted' });
        await seedVideo(creator, { state: 'transcoding' });
      }
    }
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const query: string = cursor === null ? '' : `&cursor=${cursor}`;
      const page: VideoPage = await callJson(200, 'GET', `/v1/users/${creator.id}/videos?limit=2${query}`);
      expect(page.data.length).toBeLessThanOrEqual(2);
      seen.push(...page.data.map((video) => video.id));
      cursor = page.next_cursor;
    } while (cursor !== null);
    expect(seen).toEqual(shown);
    const mine = await callJson<VideoPage>(200, 'GET', '/v1/me/videos', { token: creator.token });
    expect(mine.data).toHaveLength(8);
    const response = await call('GET', '/v1/me/videos', { token: creator.token });
    expect(await roundTripsOf(response)).toMatchObject({ roundTrips: 1 });
  });

  it('refuse cursors of another list, bad limits, and callers without a token', async () => {
    const creator = await seedUser();
    await seedVideo(creator);
    await seedVideo(creator);
    const page = await callJson<VideoPage>(200, 'GET', `/v1/users/${creator.id}/videos?limit=1`);
    const borrowed = await call('GET', `/v1/users/${owner.id}/videos?cursor=${page.next_cursor}`);
    expect([borrowed.status, await borrowed.json()]).toMatchObject([400, { code: 'request.invalid_cursor' }]);
    for (const query of ['limit=0', 'limit=101', 'limit=x', 'cursor=zzz', 'sort=title', 'limit=1&limit=2'])
      expect((await call('GET', `/v1/users/${owner.id}/videos?${query}`)).status).toBe(400);
    expect((await call('GET', '/v1/me/videos')).status).toBe(401);
    expect((await call('GET', `/v1/users/${encodeId('post', randomIds.next())}/videos`)).status).toBe(404);
  });

  it('are not found for people the owner blocks, and empty for those who block the owner', async () => {
    const [blocker, blocked] = [await seedUser(), await seedUser()];
    await seedVideo(blocker);
    await seedVideo(blocked);
    await sqlRows('INSERT INTO blocks (blocker_id, blocked_id) VALUES ($1, $2)', [
      blocker.uuid,
      blocked.uuid,
    ]);
    const refused = await call('GET', `/v1/users/${blocker.id}/videos`, { token: blocked.token });
    expect([refused.status, await refused.json()]).toMatchObject([404, { code: 'users.not_found' }]);
    const page = await callJson<VideoPage>(200, 'GET', `/v1/users/${blocked.id}/videos`, {
      token: blocker.token,
    });
    expect(page).toEqual({ data: [], next_cursor: null });
  });

  it('are not found for people who are not there: unknown, suspended, deleted', async () => {
    const gone = [await seedUser(), await seedUser()] as const;
    for (const user of gone) await seedVideo(user);
    await sqlRows("UPDATE users SET status = 'suspended' WHERE id = $1", [gone[0].uuid]);
    await sqlRows("UPDATE users SET status = 'deleted' WHERE id = $1", [gone[1].uuid]);
    for (const id of [...gone.map((user) => user.id), encodeId('user', randomIds.next())])
      expect((await call('GET', `/v1/users/${id}/videos`)).status).toBe(404);
  });

  it('are empty, not missing, for people without videos', async () => {
    const page = await callJson<VideoPage>(200, 'GET', `/v1/users/${(await seedUser()).id}/videos`);
    expect(page).toEqual({ data: [], next_cursor: null });
  });
});
