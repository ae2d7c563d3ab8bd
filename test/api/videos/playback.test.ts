import { env } from 'cloudflare:workers';
import { AwsClient } from 'aws4fetch';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import type { Bindings } from '../../../src/context.ts';
import { encodeId, randomIds } from '../../../src/shared/ids.ts';
import {
  type CallOptions,
  call,
  callJson,
  roundTripsOf,
  seedUser,
  sqlRows,
  type TestUser,
} from '../../support/worker/client.ts';
import { testEnv } from '../../support/worker/env.ts';

interface Playback {
  readonly hls_url: string;
  readonly dash_url: string;
  readonly thumbnails: readonly string[];
  readonly storyboard_url: string | null;
  readonly download_url: string | null;
  readonly query: string;
  readonly cookies: boolean;
  readonly expires_at: string;
}

let owner: TestUser;
let viewer: TestUser;
beforeAll(async () => {
  owner = await seedUser();
  viewer = await seedUser();
});

const s3 = new AwsClient({
  accessKeyId: inject('awsAccessKeyId'),
  secretAccessKey: inject('awsSecretAccessKey'),
  service: 's3',
  region: 'us-east-1',
  retries: 0,
});

/** A published film whose files are really there. */
async function makeFilm(
  columns: Readonly<Record<string, unknown>> = {},
): Promise<{ id: string; uuid: string }> {
  const uuid = randomIds.next();
  const prefix = `media/${uuid}/v1/`;
  const row = {
    id: uuid,
    owner_id: owner.uuid,
    title: 'A film',
    state: 'published',
    published_at: new Date().toISOString(),
    hls_key: `${prefix}video.m3u8`,
    dash_key: `${prefix}video.mpd`,
    storyboard_key: `${prefix}storyboard.vtt`,
    download_key: `${prefix}download/video.mp4`,
    ...columns,
  };
  const names = Object.keys(row);
  await sqlRows(
    `INSERT INTO videos (${names.join()}) VALUES (${names.map((_, index) => `$${index + 1}`).join()})`,
    Object.values(row),
  );
  await sqlRows('INSERT INTO thumbnails VALUES ($1, 1, 0, $2)', [uuid, `${prefix}thumbnails/t.0.jpg`]);
  for (const file of ['video.m3u8', 'video.mpd', 'seg_1.m4s', 'thumbnails/t.0.jpg', 'download/video.mp4'])
    await s3.fetch(`${inject('s3Url')}/social-flow-media/${prefix}${file}`, { method: 'PUT', body: file });
  return { id: encodeId('video', uuid), uuid };
}

const play = (id: string, user?: TestUser, body?: unknown, options: CallOptions = {}) =>
  call('POST', `/v1/videos/${id}/playback`, { token: user?.token, body, ...options });

const granted = async (response: Promise<Response>): Promise<Playback> => {
  const answer = await response;
  expect(answer.status).toBe(200);
  return answer.json();
};

const outcome = async (response: Response | Promise<Response>): Promise<string> => {
  const answer = await response;
  const { code = 'plays' } = (await answer.json()) as { code?: string };
  return `${answer.status} ${code}`;
};

const statusOf = async (url: string): Promise<number> => {
  const response = await fetch(url);
  await response.arrayBuffer();
  return response.status;
};

describe('POST /v1/videos/{id}/playback', () => {
  it('lets a stranger play a public film with one trip to the database, and its addresses answer only so', async () => {
    const film = await makeFilm();
    const page = await callJson<{ hls_url: string }>(200, 'GET', `/v1/videos/${film.id}`);
    expect(await statusOf(page.hls_url)).toBe(403);
    const response = await play(film.id);
    expect(await roundTripsOf(response)).toMatchObject({ roundTrips: 1 });
    const playback = (await response.json()) as Playback;
    for (const url of [playback.hls_url, playback.dash_url, ...playback.thumbnails])
      expect(await statusOf(url)).toBe(200);
    const segment = page.hls_url.replace('video.m3u8', 'seg_1.m4s');
    expect([await statusOf(segment), await statusOf(`${segment}?${playback.query}`)]).toEqual([403, 200]);
    expect(`${page.hls_url}?${playback.query}`).toBe(playback.hls_url);
    expect(playback.download_url).toBeNull();
    expect(playback.cookies).toBe(false);
    expect(response.headers.get('set-cookie')).toBeNull();
  });

  it('signs for one film and no other, for hours where all may play and for minutes where not', async () => {
    const [film, other] = [await makeFilm(), await makeFilm()];
    const locked = await makeFilm({ visibility: 'private' });
    const playback = await granted(play(film.id));
    const elsewhere = await granted(play(other.id));
    expect(await statusOf(`${elsewhere.hls_url.split('?')[0]}?${playback.query}`)).toBe(403);
    const lifeOf = ({ expires_at: until }: Playback): number => (Date.parse(until) - Date.now()) / 1000;
    expect(lifeOf(playback)).toBeGreaterThan(21_000);
    expect(lifeOf(await granted(play(locked.id, owner)))).toBeLessThanOrEqual(1_200);
  });

  it('signs with either kind of key, the first of the list', async () => {
    const film = await makeFilm();
    const keys = JSON.parse(String(inject('cdnSigningKeys'))) as { id: string }[];
    for (const list of [keys, keys.toReversed()]) {
      const bindings: Bindings = { ...testEnv(env), CDN_SIGNING_KEYS: JSON.stringify(list) };
      const playback = await granted(play(film.id, undefined, undefined, { bindings }));
      expect(playback.query).toContain(`Key-Pair-Id=${list[0]?.id}`);
      expect(await statusOf(playback.hls_url)).toBe(200);
    }
  });

  it('gives plain addresses where the CDN asks for no signature', async () => {
    const film = await makeFilm();
    const bindings: Bindings = { ...testEnv(env), CDN_SIGNING_KEYS: '[]' };
    const playback = await granted(play(film.id, undefined, undefined, { bindings }));
    expect([playback.query, playback.expires_at, playback.hls_url.includes('?')]).toEqual(['', null, false]);
  });

  it('sets cookies for the films folder only when asked, and where there is a domain for them', async () => {
    const film = await makeFilm();
    const bindings: Bindings = { ...testEnv(env), CDN_COOKIE_DOMAIN: 'example.com' };
    expect((await play(film.id, undefined, {}, { bindings })).headers.get('set-cookie')).toBeNull();
    const response = await play(film.id, undefined, { cookies: true }, { bindings });
    const cookies = response.headers.getSetCookie();
    expect(cookies.map((cookie) => cookie.split('=')[0])).toEqual([
      'CloudFront-Policy',
      'CloudFront-Signature',
      'CloudFront-Key-Pair-Id',
      'CloudFront-Hash-Algorithm',
    ]);
    for (const cookie of cookies)
      expect(cookie).toMatch(
        new RegExp(
          `; Domain=example.com; Path=/media/${film.uuid}/v1/; Max-Age=\\d+; Secure; HttpOnly; SameSite=Lax$`,
        ),
      );
    const playback = (await response.json()) as Playback;
    expect(playback.cookies).toBe(true);
    const header = cookies.map((cookie) => cookie.split(';')[0]).join('; ');
    const answer = await fetch(playback.hls_url.split('?')[0] ?? '', { headers: { cookie: header } });
    expect(answer.status).toBe(200);
  });

  it('binds signatures of restricted films to an IPv4 address where that is wanted', async () => {
    const film = await makeFilm({ visibility: 'private' });
    const bindings: Bindings = { ...testEnv(env), PLAYBACK_BIND_TO_ADDRESS: 'true' };
    const from = (ip: string) => granted(play(film.id, owner, {}, { bindings, ip }));
    expect(await statusOf((await from('203.0.113.7')).hls_url)).toBe(403);
    expect(await statusOf((await from('127.0.0.1')).hls_url)).toBe(200);
    // CloudFront compares no IPv6 addresses here.
    expect(await statusOf((await from('2001:db8::1')).hls_url)).toBe(200);
  });

  it('refuses who may not see the film as if it were not there', async () => {
    for (const columns of [
      { visibility: 'private' },
      { visibility: 'followers' },
      { visibility: 'members' },
      { state: 'transcoding' },
      { publish_at: '2999-01-01T00:00:00Z' },
      { deleted_at: '2026-01-01T00:00:00Z' },
    ]) {
      const film = await makeFilm(columns);
      expect([await outcome(play(film.id)), await outcome(play(film.id, viewer))]).toEqual([
        '404 videos.not_found',
        '404 videos.not_found',
      ]);
    }
    const film = await makeFilm({ visibility: 'followers' });
    const follower = await seedUser();
    await callJson(200, 'PUT', `/v1/users/${owner.id}/follow`, { token: follower.token });
    expect(await outcome(play(film.id, follower))).toBe('200 plays');
    await callJson(200, 'PUT', `/v1/users/${follower.id}/block`, { token: owner.token });
    expect(await outcome(play(film.id, follower))).toBe('404 videos.not_found');
    expect(await outcome(play((await makeFilm({ state: 'transcoding' })).id, owner))).toBe(
      '409 videos.not_ready',
    );
  });

  it('refuses bodies that are not what it asks for', async () => {
    const film = await makeFilm();
    for (const body of [
      { unlock_token: '' },
      { unlock_token: 'x'.repeat(101) },
      { embed_origin: 'not an address' },
      { embed_origin: `https://${'a'.repeat(3_000)}.com` },
      { cookies: 'yes' },
      { password: 'secret' },
      [],
    ])
      expect((await play(film.id, undefined, body)).status).toBe(422);
    expect(await outcome(play(encodeId('video', randomIds.next())))).toBe('404 videos.not_found');
    expect(await outcome(play(owner.id))).toMatch(/^404/);
  });
});

describe('a film with a password', () => {
  const unlock = (id: string, password: string, options: CallOptions = {}) =>
    call('POST', `/v1/videos/${id}/unlock`, { body: { password }, ...options });
  const setAccess = (id: string, body: unknown) =>
    callJson(200, 'PATCH', `/v1/videos/${id}`, { token: owner.token, body });

  it('plays with the token the password is exchanged for, until the password changes', async () => {
    const film = await makeFilm();
    expect(await setAccess(film.id, { password: 'open sesame' })).toMatchObject({ password_protected: true });
    expect(await outcome(play(film.id))).toBe('403 videos.locked');
    expect(await outcome(play(film.id, owner))).toBe('200 plays');
    expect(await outcome(unlock(film.id, 'wrong'))).toBe('403 videos.wrong_password');
    const { unlock_token: token } = (await (await unlock(film.id, 'open sesame')).json()) as {
      unlock_token: string;
    };
    const withToken = (id: string, unlock_token = token) => outcome(play(id, undefined, { unlock_token }));
    expect(await withToken(film.id)).toBe('200 plays');
    const other = await makeFilm();
    await setAccess(other.id, { password: 'open sesame' });
    expect(await withToken(other.id)).toBe('403 videos.locked');
    const [expiry = '', tag = ''] = token.split('.');
    for (const forged of [
      `${Number(expiry) + 1}.${tag}`,
      `1.${tag}`,
      `${expiry}.${'A'.repeat(43)}`,
      'nonsense',
    ])
      expect(await withToken(film.id, forged)).toBe('403 videos.locked');
    await setAccess(film.id, { password: 'open sesame' });
    expect(await withToken(film.id)).toBe('403 videos.locked');
    expect(await setAccess(film.id, { password: null })).toMatchObject({ password_protected: false });
    expect(await outcome(play(film.id))).toBe('200 plays');
    expect(await outcome(unlock(film.id, 'open sesame'))).toBe('409 videos.not_locked');
  });

  it('is never told, and stored as a hash', async () => {
    const film = await makeFilm();
    const answer = await call('PATCH', `/v1/videos/${film.id}`, {
      token: owner.token,
      body: { password: 'tell nobody' },
    });
    expect(await answer.text()).not.toContain('tell nobody');
    const [row] = await sqlRows<{ password_hash: string }>('SELECT password_hash FROM videos WHERE id = $1', [
      film.uuid,
    ]);
    expect(row?.password_hash).toMatch(/^v1\$/);
    const page = await (await call('GET', `/v1/videos/${film.id}`)).text();
    expect(page).not.toContain('v1$');
    // Its stills are not for those who have not given it.
    expect(JSON.parse(page)).toMatchObject({ thumbnails: [], password_protected: true, access: null });
  });

  it('cannot be guessed for long, by one viewer or network, while others still get in', async () => {
    const film = await makeFilm();
    await setAccess(film.id, { password: 'right one' });
    const ip = '198.51.100.23';
    const tries: string[] = [];
    for (let attempt = 0; attempt < 6; attempt += 1)
      tries.push(await outcome(unlock(film.id, `guess ${attempt}`, { ip })));
    expect(tries).toEqual([...Array(5).fill('403 videos.wrong_password'), '429 videos.too_many_attempts']);
    const refused = await unlock(film.id, 'right one', { ip });
    expect([refused.status, Number(refused.headers.get('retry-after')) > 0]).toEqual([429, true]);
    expect((await unlock(film.id, 'right one', { ip: '198.51.100.99' })).status).toBe(200);
    // Right ones are no failures.
    const friendly = '203.0.113.50';
    for (let attempt = 0; attempt < 8; attempt += 1)
      expect((await unlock(film.id, 'right one', { ip: friendly })).status).toBe(200);
  });

  it('is not asked of who may not see the film', async () => {
    const film = await makeFilm({ visibility: 'private' });
    await setAccess(film.id, { password: 'right one' });
    expect(await outcome(unlock(film.id, 'right one'))).toBe('404 videos.not_found');
    for (const password of ['', 'x'.repeat(129), 7, null])
      expect((await call('POST', `/v1/videos/${film.id}/unlock`, { body: { password } })).status).toBe(422);
  });
});

describe('rules of playback', () => {
  const setAccess = (id: string, body: unknown, token = owner.token) =>
    call('PATCH', `/v1/videos/${id}`, { token, body });

  it('are set by the owner, shown to the owner, and kept from everybody else', async () => {
    const film = await makeFilm();
    const body = {
      age_restricted: true,
      geo: { mode: 'allow', countries: ['DE', 'FR', 'DE'] },
      embed: { mode: 'listed', domains: ['Example.COM', 'bücher.example'] },
    };
    const response = await setAccess(film.id, body);
    expect([response.status, await roundTripsOf(response)]).toMatchObject([200, { roundTrips: 1 }]);
    expect(await response.json()).toMatchObject({
      age_restricted: true,
      embeddable: true,
      access: {
        geo: { mode: 'allow', countries: ['DE', 'FR'] },
        embed: { mode: 'listed', domains: ['example.com', 'xn--bcher-kva.example'] },
      },
    });
    const page = await (await call('GET', `/v1/videos/${film.id}`, { token: viewer.token })).json();
    expect(page).toMatchObject({ age_restricted: true, access: null });
    expect((await setAccess(film.id, { geo: null }, viewer.token)).status).toBe(404);
    expect((await setAccess(film.id, { geo: null, embed: { mode: 'nowhere' } })).status).toBe(200);
  });

  it('refuse what means nothing', async () => {
    const film = await makeFilm();
    for (const body of [
      { geo: { mode: 'allow', countries: [] } },
      { geo: { mode: 'allow', countries: ['de'] } },
      { geo: { mode: 'allow', countries: ['XX'] } },
      { geo: { mode: 'maybe', countries: ['DE'] } },
      { geo: { mode: 'deny' } },
      { embed: { mode: 'listed' } },
      { embed: { mode: 'listed', domains: [] } },
      { embed: { mode: 'anywhere', domains: ['example.com'] } },
      ...[
        'https://example.com',
        'example.com/x',
        'localhost',
        '127.0.0.1',
        '*.example.com',
        'a b.com',
        "x'.com",
        '',
      ].map((domain) => ({ embed: { mode: 'listed', domains: [domain] } })),
      { embed: null },
      { password: 'abc' },
      { password: 'x'.repeat(129) },
      { password: 'nul\u0000l' },
      { password: '' },
      { age_restricted: 'yes' },
      { visibility: 'friends' },
    ])
      expect({ body, status: (await setAccess(film.id, body)).status }).toEqual({ body, status: 422 });
  });

  it('hold at playback: age by what was stated, embedding by where the player stands, country by where the caller is', async () => {
    const film = await makeFilm({ age_restricted: true });
    const adult = await seedUser();
    const minor = await seedUser();
    const state = (user: TestUser, birth_date: string) =>
      callJson(200, 'PUT', '/v1/me/birth-date', { token: user.token, body: { birth_date } });
    await state(adult, '1990-01-01');
    await state(minor, new Date(Date.now() - 15 * 365.25 * 86_400_000).toISOString().slice(0, 10));
    expect(await outcome(play(film.id))).toBe('403 videos.age_unknown');
    expect(await outcome(play(film.id, viewer))).toBe('403 videos.age_unknown');
    expect(await outcome(play(film.id, minor))).toBe('403 videos.under_age');
    expect(await outcome(play(film.id, adult))).toBe('200 plays');

    const embedded = await makeFilm({ embed_mode: 'listed', embed_domains: '{example.com}' });
    const from = (embed_origin: string) => outcome(play(embedded.id, undefined, { embed_origin }));
    expect(await from('https://blog.example.com')).toBe('200 plays');
    expect(await from('https://example.com.evil.test')).toBe('403 videos.embed_refused');
    expect(await from('null://')).toBe('403 videos.embed_refused');
    const byOrigin = (origin: string) => outcome(play(embedded.id, undefined, {}, { headers: { origin } }));
    expect(await byOrigin('https://evil.test')).toBe('403 videos.embed_refused');
    expect(await byOrigin('null')).toBe('403 videos.embed_refused');
    expect(await byOrigin('https://api.test')).toBe('200 plays');
    expect(await outcome(play(embedded.id))).toBe('200 plays');

    const local = await makeFilm({ geo_mode: 'allow', geo_countries: '{DE}' });
    // Nothing in the tests says where a request comes from.
    expect(await outcome(play(local.id))).toBe('403 videos.country_refused');
    const denied = await makeFilm({ geo_mode: 'deny', geo_countries: '{DE}' });
    expect(await outcome(play(denied.id))).toBe('200 plays');
  });
});
