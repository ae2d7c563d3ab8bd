import { afterEach, describe, expect, it, vi } from 'vitest';
import { getChannel, listStreamKeys } from '../../../src/integrations/aws/index.ts';
import { until } from '../../support/worker/chat.ts';
import {
  call,
  callJson,
  roundTripsOf,
  seedUser,
  signToken,
  sqlRows,
  type TestUser,
} from '../../support/worker/client.ts';
import { contextOf } from '../../support/worker/films.ts';
import {
  type ChannelJson,
  channelArnOf,
  goOnAir,
  isBroadcasting,
  isOnAir,
  makeStreamKey,
  seedChannel,
  seedStreamer,
  startBroadcast,
} from '../../support/worker/live.ts';
import { createKey } from '../api-keys/keys.ts';

const { aws } = contextOf().config;
const path = '/v1/me/live/channel';

const channelOf = ({ token }: TestUser) => callJson<ChannelJson>(200, 'GET', path, { token });
const change = ({ token }: TestUser, body: unknown) => call('PATCH', path, { token, body });
const codeOf = async (response: Response) => ((await response.json()) as { code: string }).code;

afterEach(() => vi.restoreAllMocks());

/** Lets calls of IVS through, but for what a test does about one of an operation. */
function atIvs(operation: string, act: (pass: () => Promise<Response>) => Promise<Response>): void {
  const original = globalThis.fetch;
  vi.spyOn(globalThis, 'fetch').mockImplementation((input, init) => {
    const pass = () => original(input, init);
    return input instanceof Request && input.url.endsWith(`/${operation}`) ? act(pass) : pass();
  });
}

const unreachable = async (): Promise<Response> => {
  throw new TypeError('connection lost');
};

describe('a live channel', () => {
  it('belongs to one account, which gets the same one again', async () => {
    const owner = await seedStreamer();
    expect((await call('GET', path, { token: owner.token })).status).toBe(404);
    const made = await callJson<ChannelJson>(201, 'POST', path, { token: owner.token });
    const again = await call('POST', path, { token: owner.token });
    expect([again.status, (await roundTripsOf(again)).roundTrips]).toEqual([200, 1]);
    expect(await again.json()).toEqual(made);
    const found = await call('GET', path, { token: owner.token });
    expect((await roundTripsOf(found)).roundTrips).toBe(1);
    expect(await found.json()).toEqual(made);
    expect(made).toMatchObject({
      ingest: { rtmps_url: expect.stringMatching(/^rtmps:\/\/127\.0\.0\.1:\d+\/app\/$/), rtmp_url: null },
      latency_mode: 'LOW',
      type: 'STANDARD',
      insecure_ingest: false,
      recorded: true,
      stream_key: null,
    });
    expect(await getChannel(aws, await channelArnOf(owner))).toMatchObject({
      authorized: true,
      containerFormat: 'FRAGMENTED_MP4',
      playbackUrl: made.playback_url,
    });
  });

  it('needs a verified e-mail address', async () => {
    const { token } = await seedUser();
    const refused = await call('POST', path, { token });
    expect([refused.status, await codeOf(refused)]).toEqual([403, 'live.email_not_verified']);
  });

  it('is one for two requests at once, and another for each of many people', async () => {
    const people = await Promise.all(Array.from({ length: 4 }, () => seedStreamer()));
    const answers = await Promise.all(
      people.flatMap(({ token }) => [call('POST', path, { token }), call('POST', path, { token })]),
    );
    expect(answers.map(({ status }) => status).filter((status) => status > 201)).toEqual([]);
    const arns = await Promise.all(people.map(channelArnOf));
    expect(new Set(arns).size).toBe(people.length);
  });

  it('is for later when IVS makes none', async () => {
    await sqlRows('UPDATE live_channels SET retired_at = now() WHERE owner_id IS NULL');
    const { token } = await seedStreamer();
    atIvs('CreateChannel', unreachable);
    const refused = await call('POST', path, { token });
    expect([refused.status, await codeOf(refused)]).toEqual([503, 'live.no_channel_ready']);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    vi.restoreAllMocks();
    expect((await call('POST', path, { token })).status).toBe(201);
  });

  it('is changed while it is offline', async () => {
    const { owner, arn } = await seedChannel();
    expect((await change(owner, { latency_mode: 'NORMAL', type: 'BASIC' })).status).toBe(200);
    expect(await getChannel(aws, arn)).toMatchObject({ latencyMode: 'NORMAL', type: 'BASIC' });
    const open = await change(owner, { insecure_ingest: true });
    expect(await open.json()).toMatchObject({
      ingest: { rtmp_url: expect.stringMatching(/^rtmp:\/\/127\.0\.0\.1:\d+\/app\/$/) },
      latency_mode: 'NORMAL',
      type: 'BASIC',
      insecure_ingest: true,
    });
    expect(await channelOf(owner)).toMatchObject({ latency_mode: 'NORMAL', insecure_ingest: true });
    const dear = await change(owner, { type: 'ADVANCED_HD' });
    expect([dear.status, await codeOf(dear)]).toEqual([422, 'live.type_not_offered']);
    for (const body of [{}, { type: 'HUGE' }, { latency_mode: 'low' }, { name: 'x' }])
      expect((await change(owner, body)).status).toBe(422);
    expect((await change(await seedStreamer(), { latency_mode: 'LOW' })).status).toBe(404);
  });

  it('heals a change that was cut off after IVS had made it', async () => {
    const { owner } = await seedChannel();
    atIvs('UpdateChannel', async (pass) => {
      await pass();
      throw new TypeError('connection lost');
    });
    const lost = await change(owner, { latency_mode: 'NORMAL' });
    expect([lost.status, await codeOf(lost)]).toEqual([503, 'live.unavailable']);
    vi.restoreAllMocks();
    await change(owner, { insecure_ingest: false });
    expect(await channelOf(owner)).toMatchObject({ latency_mode: 'NORMAL' });
  });

  it('is not for API keys', async () => {
    const { owner } = await seedChannel();
    const { secret } = await createKey(owner, ['profile:read', 'videos:write']);
    for (const [method, target] of [
      ['GET', path],
      ['POST', `${path}/stream-key`],
      ['DELETE', `${path}/stream-key`],
    ] as const) {
      const refused = await call(method, target, { token: secret });
      expect([refused.status, await codeOf(refused)]).toEqual([403, 'auth.api_key_refused']);
    }
  });
});

describe('a stream key', () => {
  it('is shown once, kept as a fingerprint, and replaces the one before', async () => {
    const { owner, arn } = await seedChannel();
    const first = await makeStreamKey(owner);
    const second = await makeStreamKey(owner);
    expect(first.stream_key).toMatch(/^sk_/);
    expect(second.stream_key).not.toBe(first.stream_key);
    expect(second.srt).toBeNull();
    expect((await channelOf(owner)).stream_key?.fingerprint).toBe(second.fingerprint);
    expect(await listStreamKeys(aws, arn)).toHaveLength(1);
    const kept = JSON.stringify([
      await sqlRows('SELECT * FROM live_channels WHERE owner_id = $1', [owner.uuid]),
      await sqlRows('SELECT * FROM audit_log WHERE actor_id = $1', [owner.uuid]),
    ]);
    expect(kept).toContain(second.fingerprint);
    expect(kept).not.toContain(second.stream_key);
    await startBroadcast(first.stream_key);
    await until(async () => !(await isBroadcasting(first.stream_key)), 'the old key is refused');
    const events = await callJson<{ data: { type: string }[] }>(200, 'GET', '/v1/me/security-events', {
      token: owner.token,
    });
    expect(events.data.map(({ type }) => type).filter((type) => type === 'stream_key_made')).toHaveLength(2);
  });

  it('is made by a recent login only', async () => {
    const { owner } = await seedChannel();
    await sqlRows("UPDATE sessions SET auth_time = now() - interval '1 day' WHERE user_id = $1", [
      owner.uuid,
    ]);
    const response = await call('POST', `${path}/stream-key`, {
      token: await staleToken(owner),
    });
    expect(await codeOf(response)).toBe('auth.step_up_required');
  });

  it('comes with what SRT needs where the channel has it, the passphrase being kept nowhere', async () => {
    const { owner, arn } = await seedChannel();
    await sqlRows("UPDATE live_channels SET srt_endpoint = 'a1.srt.live-video.net' WHERE arn = $1", [arn]);
    atIvs('GetChannel', async (pass) => {
      const answer = (await (await pass()).json()) as { channel: object };
      return Response.json({ channel: { ...answer.channel, srt: { passphrase: 'open sesame' } } });
    });
    const made = await makeStreamKey(owner);
    expect(made.srt).toEqual({
      url: 'srt://a1.srt.live-video.net:9000',
      stream_id: made.stream_key,
      passphrase: 'open sesame',
    });
    expect((await channelOf(owner)).ingest.srt_url).toBe('srt://a1.srt.live-video.net:9000');
    const kept = await sqlRows('SELECT * FROM live_channels WHERE owner_id = $1', [owner.uuid]);
    expect(JSON.stringify(kept)).not.toContain('sesame');
  });

  it('is one after two requests at once', async () => {
    const { owner, arn } = await seedChannel();
    const answers = await Promise.all([makeStreamKey(owner), makeStreamKey(owner)]);
    const fingerprint = (await channelOf(owner)).stream_key?.fingerprint;
    expect(answers.map((answer) => answer.fingerprint)).toContain(fingerprint);
    expect(await listStreamKeys(aws, arn)).toHaveLength(1);
  });

  it('is healed by the next call when its making was cut off after the old one was deleted', async () => {
    const { owner, arn } = await seedChannel();
    await makeStreamKey(owner);
    atIvs('CreateStreamKey', unreachable);
    const lost = await call('POST', `${path}/stream-key`, { token: owner.token });
    expect([lost.status, await codeOf(lost)]).toEqual([503, 'live.unavailable']);
    expect(await listStreamKeys(aws, arn)).toHaveLength(0);
    vi.restoreAllMocks();
    const { fingerprint } = await makeStreamKey(owner);
    expect((await channelOf(owner)).stream_key?.fingerprint).toBe(fingerprint);
  });

  it('is not made past a revocation that comes at the same moment', async () => {
    const { owner, arn } = await seedChannel();
    const revoke = () => call('DELETE', `${path}/stream-key`, { token: owner.token });
    let revoking: Promise<Response> | undefined;
    atIvs('CreateStreamKey', async (pass) => {
      const answer = await pass();
      revoking ??= revoke();
      await until(async () => {
        const [row] = await sqlRows('SELECT stop_due_at FROM live_channels WHERE arn = $1', [arn]);
        return row?.stop_due_at !== null;
      }, 'the key is revoked');
      return answer;
    });
    const refused = await call('POST', `${path}/stream-key`, { token: owner.token });
    expect([refused.status, await codeOf(refused)]).toEqual([409, 'live.channel_is_busy']);
    expect((await revoking)?.status).toBe(204);
    expect(await listStreamKeys(aws, arn)).toEqual([]);
    vi.restoreAllMocks();
    await makeStreamKey(owner);
    expect(await listStreamKeys(aws, arn)).toHaveLength(1);
  });

  it('ends the broadcast when it is revoked, and lets none begin', async () => {
    const { owner, arn } = await seedChannel();
    const key = await goOnAir(owner, arn);
    const live = await change(owner, { latency_mode: 'NORMAL' });
    expect([live.status, await codeOf(live)]).toEqual([409, 'live.channel_is_live']);
    expect((await call('DELETE', `${path}/stream-key`, { token: owner.token })).status).toBe(204);
    await until(async () => !(await isBroadcasting(key)), 'the encoder is disconnected');
    await until(async () => !(await isOnAir(arn)), 'the stream has ended');
    expect((await channelOf(owner)).stream_key).toBeNull();
    await startBroadcast(key);
    await until(async () => !(await isBroadcasting(key)), 'the encoder is refused');
    expect(await isOnAir(arn)).toBe(false);
    expect((await call('DELETE', `${path}/stream-key`, { token: owner.token })).status).toBe(204);
    expect((await call('DELETE', `${path}/stream-key`, { token: (await seedStreamer()).token })).status).toBe(
      404,
    );
  });

  it('leaves the broadcast on air when it is replaced', async () => {
    const { owner, arn } = await seedChannel();
    const key = await goOnAir(owner, arn);
    await makeStreamKey(owner);
    expect(await isBroadcasting(key)).toBe(true);
    expect(await isOnAir(arn)).toBe(true);
    await call('DELETE', `${path}/stream-key`, { token: owner.token });
    await until(async () => !(await isOnAir(arn)), 'the stream has ended');
  });
});

async function staleToken(user: TestUser): Promise<string> {
  const dayAgo = Math.floor(Date.now() / 1_000) - 86_400;
  return signToken({ userUuid: user.uuid, sessionUuid: user.sessionUuid, claims: { auth_time: dayAgo } });
}
