import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endPlaybackOfLost, sweepViewers } from '../../../src/modules/live/index.ts';
import { decodeId, randomIds } from '../../../src/shared/ids.ts';
import { until } from '../../support/worker/chat.ts';
import {
  call,
  callJson,
  roundTripsOf,
  seedUser,
  sqlRows,
  type TestUser,
} from '../../support/worker/client.ts';
import { contextOf } from '../../support/worker/films.ts';
import {
  goOnAir,
  type LivePlaybackJson,
  openPlayer,
  type Player,
  seedChannel,
  stopBroadcast,
} from '../../support/worker/live.ts';
import { deliverEvents } from '../../support/worker/queues.ts';
import { putMessages } from '../../support/worker/recording-queue.ts';
import { createKey } from '../api-keys/keys.ts';

// One broadcast for the file, over which the tests send streams of different visibility, one after the other.
let owner: TestUser;
let arn = '';
let key = '';
let onAir: string | undefined;

beforeAll(async () => {
  ({ owner, arn } = await seedChannel());
  await callJson(200, 'PATCH', '/v1/me/live/channel', { token: owner.token, body: { type: 'BASIC' } });
  key = await goOnAir(owner, arn);
});
afterAll(() => stopBroadcast(key));

const setState = (id: string, state: 'live' | 'ended') =>
  sqlRows(
    `UPDATE streams SET state = $2, channel_arn = $3, started_at = now(), updated_at = now(),
       ended_at = CASE WHEN $2 = 'ended' THEN now() END
     WHERE id = $1`,
    [decodeId('stream', id), state, arn],
  );

/** A stream of the owner's that is what goes over their channel from now on. */
async function goLive(visibility = 'public'): Promise<string> {
  const { id } = await callJson<{ id: string }>(201, 'POST', '/v1/streams', {
    token: owner.token,
    body: { title: 'Live', visibility },
  });
  if (onAir !== undefined) await setState(onAir, 'ended');
  onAir = id;
  await setState(id, 'live');
  return id;
}

const ask = (stream: string, viewer?: TestUser) =>
  call('GET', `/v1/streams/${stream}/playback`, { token: viewer?.token });

async function watch(stream: string, viewer?: TestUser): Promise<Player> {
  const response = await ask(stream, viewer);
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${response.status} ${text}`);
  return openPlayer((JSON.parse(text) as LivePlaybackJson).hls_url);
}

const codeOf = async (response: Response) => [
  response.status,
  ((await response.json()) as { code?: string }).code,
];
const ended = (player: Player) => until(async () => (await player.poll()) === 403, 'the playback has ended');
const inviteMember = (viewer: TestUser, expiresAt: string | null = null) =>
  sqlRows(
    `INSERT INTO channel_members (owner_id, user_id, expires_at) VALUES ($1, $2, $3)
     ON CONFLICT (owner_id, user_id) DO UPDATE SET expires_at = excluded.expires_at`,
    [owner.uuid, viewer.uuid, expiresAt],
  );

describe('playback of a live stream', () => {
  it('plays with a token of the viewer, and without one not at all', async () => {
    const viewer = await seedUser();
    const stream = await goLive();
    const response = await ask(stream, viewer);
    expect((await roundTripsOf(response)).roundTrips).toBe(1);
    expect(response.headers.get('cache-control')).toBe('no-store');
    const { hls_url, expires_at, latency_mode } = (await response.json()) as LivePlaybackJson;
    expect(latency_mode).toBe('LOW');
    expect(await (await openPlayer(hls_url)).poll()).toBe(200);
    const url = new URL(hls_url);
    const token = url.searchParams.get('token') ?? '';
    expect(decodeProtectedHeader(token)).toEqual({ alg: 'ES384', typ: 'JWT' });
    const claims = decodeJwt(token);
    expect(claims).toMatchObject({
      'aws:channel-arn': arn,
      'aws:access-control-allow-origin': expect.stringContaining('localhost'),
      'aws:viewer-id': viewer.uuid.replaceAll('-', ''),
    });
    expect(new Date((claims.exp ?? 0) * 1_000).toISOString()).toBe(expires_at);
    const lifeSeconds = (claims.exp ?? 0) - Date.now() / 1_000;
    expect(lifeSeconds).toBeGreaterThan(200);
    expect(lifeSeconds).toBeLessThanOrEqual(300);
    url.search = '';
    expect((await fetch(url)).status).toBe(403);
    const { hls_url: other } = await callJson<LivePlaybackJson>(200, 'GET', `/v1/streams/${stream}/playback`);
    expect(decodeJwt(new URL(other).searchParams.get('token') ?? '')['aws:viewer-id']).toBe('strangers');
    expect(await (await openPlayer(other)).poll()).toBe(200);
  });

  it('is for those who may see the stream, once it is live', async () => {
    const [member, stranger, blocked] = [await seedUser(), await seedUser(), await seedUser()];
    await inviteMember(member);
    await sqlRows('INSERT INTO blocks (blocker_id, blocked_id) VALUES ($1, $2)', [owner.uuid, blocked.uuid]);
    const callers = [undefined, owner, member, stranger, blocked];
    const expected = {
      public: [200, 200, 200, 200, 404],
      unlisted: [200, 200, 200, 200, 404],
      members: [404, 200, 200, 404, 404],
      private: [404, 200, 404, 404, 404],
    };
    for (const [visibility, statuses] of Object.entries(expected)) {
      const stream = await goLive(visibility);
      const seen = [];
      for (const caller of callers) seen.push((await ask(stream, caller)).status);
      expect(seen, visibility).toEqual(statuses);
    }
    const announced = await callJson<{ id: string }>(201, 'POST', '/v1/streams', {
      token: owner.token,
      body: { title: 'Later' },
    });
    expect(await codeOf(await ask(announced.id, stranger))).toEqual([409, 'streams.not_live']);
    await setState(announced.id, 'ended');
    expect(await codeOf(await ask(announced.id, stranger))).toEqual([409, 'streams.not_live']);
    expect(await codeOf(await ask(announced.id, blocked))).toEqual([404, 'streams.not_found']);
  });
});

describe('playback ends', () => {
  it('for a viewer the owner sends away, until they are let back', async () => {
    const [viewer, other] = [await seedUser(), await seedUser()];
    const stream = await goLive();
    const [player, undisturbed] = [await watch(stream, viewer), await watch(stream, other)];
    const path = `/v1/streams/${stream}/viewers/${viewer.id}/revoke`;
    expect((await call('POST', path, { token: other.token })).status).toBe(404);
    expect((await call('POST', path, { token: owner.token })).status).toBe(204);
    await ended(player);
    expect(await undisturbed.poll()).toBe(200);
    expect(await codeOf(await ask(stream, viewer))).toEqual([403, 'live.sent_away']);
    expect((await call('DELETE', path, { token: other.token })).status).toBe(404);
    expect((await call('DELETE', path, { token: owner.token })).status).toBe(204);
    expect((await call('DELETE', path, { token: owner.token })).status).toBe(204);
    await until(
      async () => (await watch(stream, viewer).catch(() => undefined)) !== undefined,
      'they watch again',
    );
    const self = `/v1/streams/${stream}/viewers/${owner.id}/revoke`;
    expect(await codeOf(await call('POST', self, { token: owner.token }))).toEqual([422, 'live.self']);
    const early = await seedUser();
    const before = `/v1/streams/${stream}/viewers/${early.id}/revoke`;
    expect((await call('POST', before, { token: owner.token })).status).toBe(204);
    expect((await ask(stream, early)).status).toBe(403);
    expect((await call('DELETE', before, { token: owner.token })).status).toBe(204);
    expect((await ask(stream, early)).status).toBe(200);
  });

  it('for a viewer the owner blocks, and for one who blocks the owner', async () => {
    const [blocked, blocker] = [await seedUser(), await seedUser()];
    const stream = await goLive();
    const players = [await watch(stream, blocked), await watch(stream, blocker)];
    await call('PUT', `/v1/users/${blocked.id}/block`, { token: owner.token });
    await call('PUT', `/v1/users/${owner.id}/block`, { token: blocker.token });
    await deliverEvents({ times: 2 });
    for (const player of players) await ended(player);
    // Of those who watch nothing, IVS is not told.
    await call('PUT', `/v1/users/${(await seedUser()).id}/block`, { token: owner.token });
    const types = (await deliverEvents()).map(({ body }) => body.type);
    expect(types).toContain('user.blocked');
    expect(types).not.toContain('stream.access_changed');
    expect((await ask(stream, blocked)).status).toBe(404);
  });

  it('for a viewer who is banned from the channel for good, or whose account is suspended', async () => {
    const [banned, suspended] = [await seedUser(), await seedUser()];
    const stream = await goLive();
    const players = [await watch(stream, banned), await watch(stream, suspended)];
    await callJson(204, 'POST', `/v1/streams/${stream}/chat/moderation`, {
      token: owner.token,
      body: { action: 'ban', user_id: banned.id },
    });
    await deliverEvents();
    await sqlRows("UPDATE users SET status = 'suspended' WHERE id = $1", [suspended.uuid]);
    await sweepViewers(contextOf());
    for (const player of players) await ended(player);
    expect((await ask(stream, banned)).status).toBe(403);
  });

  it('for everybody who is not a member when a stream becomes one for members', async () => {
    const [member, viewer] = [await seedUser(), await seedUser()];
    await inviteMember(member);
    const stream = await goLive();
    const [stays, goes, unknown] = [
      await watch(stream, member),
      await watch(stream, viewer),
      await watch(stream),
    ];
    await callJson(200, 'PATCH', `/v1/streams/${stream}`, {
      token: owner.token,
      body: { visibility: 'members' },
    });
    await deliverEvents();
    await ended(goes);
    await ended(unknown);
    expect(await stays.poll()).toBe(200);
    await callJson(200, 'PATCH', `/v1/streams/${stream}`, {
      token: owner.token,
      body: { visibility: 'public' },
    });
    await until(
      async () => (await watch(stream).catch(() => undefined)) !== undefined,
      'strangers watch again',
    );
    expect(await goes.poll()).toBe(403);
  });

  it('with a membership, whether it is taken away or runs out', async () => {
    const [removed, expired] = [await seedUser(), await seedUser()];
    const stream = await goLive('members');
    await inviteMember(removed);
    await inviteMember(expired);
    const [first, second] = [await watch(stream, removed), await watch(stream, expired)];
    await call('DELETE', `/v1/me/members/${removed.id}`, { token: owner.token });
    await deliverEvents();
    await ended(first);
    expect(await second.poll()).toBe(200);
    await inviteMember(expired, new Date(Date.now() - 1_000).toISOString());
    await endPlaybackOfLost(contextOf());
    await ended(second);
  });

  it('when the channel goes on with a stream that is not for the viewer of the last one', async () => {
    const viewer = await seedUser();
    const player = await watch(await goLive(), viewer);
    const id = await goLive('private');
    const data = { stream_id: decodeId('stream', id), owner_id: owner.uuid };
    const started = {
      id: randomIds.next(),
      type: 'stream.started',
      occurred_at: new Date().toISOString(),
      data,
    };
    putMessages([{ queue: 'social-flow-events', body: started }]);
    await deliverEvents();
    await ended(player);
    const other = await watch(await goLive(), await seedUser());
    await goLive('private');
    await endPlaybackOfLost(contextOf());
    await ended(other);
  });

  it('and is forgotten days later', async () => {
    const viewer = await seedUser();
    const stream = await goLive();
    await watch(stream, viewer);
    await goLive();
    const watched = () =>
      sqlRows('SELECT FROM live_viewers WHERE viewer_id = $1', [viewer.uuid]).then(({ length }) => length);
    await sweepViewers(contextOf());
    expect(await watched()).toBe(1);
    await sqlRows("UPDATE live_viewers SET issued_at = now() - interval '4 days' WHERE viewer_id = $1", [
      viewer.uuid,
    ]);
    await sweepViewers(contextOf());
    expect(await watched()).toBe(0);
  });
});

describe('timed metadata', () => {
  const send = (stream: string, token: string, metadata: unknown) =>
    call('POST', `/v1/streams/${stream}/metadata`, { token, body: { metadata } });

  it('reaches players with the picture, from the owner and from bots with the scope', async () => {
    const stream = await goLive();
    const player = await watch(stream, owner);
    expect((await send(stream, owner.token, '{"poll":"räksmörgås"}')).status).toBe(204);
    await until(async () => (await player.read()).includes('{"poll":"räksmörgås"}'), 'players have it');
    const { secret } = await createKey(owner, ['live:write']);
    expect((await send(stream, secret, 'from a bot')).status).toBe(204);
    await until(async () => (await player.read()).includes('from a bot'), 'players have it');
    const { secret: narrow } = await createKey(owner, ['videos:write']);
    expect((await send(stream, narrow, 'x')).status).toBe(403);
  });

  it('is refused where it does not belong, or is too much', async () => {
    const stream = await goLive();
    const stranger = await seedUser();
    expect((await send(stream, stranger.token, 'x')).status).toBe(404);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    for (const wrong of ['', 'ä'.repeat(513), 7])
      expect((await send(stream, owner.token, wrong)).status).toBe(422);
    expect((await send(stream, owner.token, 'ä'.repeat(512))).status).toBe(204);
    const many = await Promise.all(Array.from({ length: 12 }, () => send(stream, owner.token, 'x')));
    expect(many.map(({ status }) => status)).toContain(429);
    const announced = await callJson<{ id: string }>(201, 'POST', '/v1/streams', {
      token: owner.token,
      body: { title: 'Later' },
    });
    await until(
      async () => (await send(announced.id, owner.token, 'x')).status === 409,
      'the stream that is not live refuses it',
    );
  });
});

describe('going back', () => {
  const back = (stream: string, viewer?: TestUser) =>
    call('GET', `/v1/streams/${stream}/dvr`, { token: viewer?.token });
  const codeOf = async (response: Response) => ((await response.json()) as { code: string }).code;
  const record = async (stream: string): Promise<string> => {
    const prefix = `ivs/v1/111122223333/${randomIds.next()}`;
    await sqlRows('INSERT INTO stream_recordings (prefix, stream_id, began_at) VALUES ($1, $2, now())', [
      prefix,
      decodeId('stream', stream),
    ]);
    return prefix;
  };

  it('is playing the recording while it is written, signed for its folder alone', async () => {
    const stream = await goLive();
    expect(await codeOf(await back(stream))).toBe('live.no_dvr');
    const prefix = await record(stream);
    const response = await back(stream);
    expect((await roundTripsOf(response)).roundTrips).toBe(2);
    const { hls_url, query, expires_at } = (await response.json()) as Record<string, string>;
    expect(hls_url).toContain(`/${prefix}/media/hls/master.m3u8?${query}`);
    const policy = atob(
      (new URLSearchParams(query).get('Policy') ?? '')
        .replaceAll('-', '+')
        .replaceAll('_', '=')
        .replaceAll('~', '/'),
    );
    expect(JSON.parse(policy)).toMatchObject({
      Statement: [{ Resource: expect.stringMatching(new RegExp(`/${prefix}/media/hls/\\*$`)) }],
    });
    expect(Date.parse(expires_at ?? '')).toBeGreaterThan(Date.now() + 500_000);
    await sqlRows('UPDATE stream_recordings SET ended_at = now() WHERE prefix = $1', [prefix]);
    expect(await codeOf(await back(stream))).toBe('live.no_dvr');
  });

  it('is for those who may watch', async () => {
    const [stranger, troll] = [await seedUser(), await seedUser()];
    const hidden = await goLive('private');
    await record(hidden);
    expect((await back(hidden, owner)).status).toBe(200);
    for (const viewer of [undefined, stranger]) expect((await back(hidden, viewer)).status).toBe(404);
    const open = await goLive();
    await record(open);
    expect((await back(open, troll)).status).toBe(200);
    await call('POST', `/v1/streams/${open}/viewers/${troll.id}/revoke`, { token: owner.token });
    expect(await codeOf(await back(open, troll))).toBe('live.sent_away');
    await setState(open, 'ended');
    expect(await codeOf(await back(open))).toBe('streams.not_live');
  });
});
