import { describe, expect, it } from 'vitest';
import { getStream } from '../../../src/integrations/aws/index.ts';
import { reconcileBroadcasts } from '../../../src/modules/broadcasts/index.ts';
import { decodeId } from '../../../src/shared/ids.ts';
import { until } from '../../support/worker/chat.ts';
import {
  call,
  callJson,
  roundTripsOf,
  seedUser,
  sqlRows,
  type TestUser,
} from '../../support/worker/client.ts';
import { contextOf, sendWebhook } from '../../support/worker/films.ts';
import {
  goOnAir,
  isBroadcasting,
  isOnAir,
  liveEvents,
  seedChannel,
  startBroadcast,
  stopBroadcast,
} from '../../support/worker/live.ts';
import { deliverEvents, takeMessages } from '../../support/worker/queues.ts';

interface Stream {
  readonly id: string;
  readonly title: string;
  readonly state: string;
  readonly started_at: string | null;
  readonly ended_at: string | null;
  readonly reconnecting: boolean;
  readonly viewers: number;
  readonly health: string | null;
}

const streamOf = async ({ id, token }: TestUser): Promise<Stream | undefined> =>
  (await callJson<{ data: Stream[] }>(200, 'GET', `/v1/users/${id}/streams`, { token })).data[0];

const inSeconds = (seconds: number) => contextOf({ clockMs: Date.now() + seconds * 1_000 });
const offAir = (arn: string) => until(async () => !(await isOnAir(arn)), 'it is off air');

describe('news of a broadcast that never came', () => {
  it('are asked for: what is on air is live, what is not is over, and its viewers are counted', async () => {
    const { owner, arn } = await seedChannel();
    const follower = await seedUser();
    await sqlRows('INSERT INTO follows (follower_id, followee_id) VALUES ($1, $2)', [
      follower.uuid,
      owner.uuid,
    ]);
    const key = await goOnAir(owner, arn);
    await reconcileBroadcasts(contextOf());
    await reconcileBroadcasts(contextOf());
    const live = await streamOf(owner);
    expect(live).toMatchObject({ state: 'live', viewers: 0, health: 'healthy', ended_at: null });
    const told = (await deliverEvents()).map(({ body }) => body.type);
    expect(told.filter((type) => type === 'stream.started')).toHaveLength(1);
    const samples = await sqlRows('SELECT viewers FROM stream_samples WHERE stream_id = $1', [
      decodeId('stream', live?.id ?? ''),
    ]);
    expect(samples.length).toBeGreaterThan(0);

    // The event of its start, when it comes at last, tells nothing new.
    for (const event of await liveEvents(arn)) await sendWebhook(event);
    const late = (await deliverEvents()).map(({ body }) => body.type);
    expect(late.filter((type) => type === 'stream.started')).toHaveLength(0);

    await stopBroadcast(key);
    await offAir(arn);
    await reconcileBroadcasts(contextOf());
    expect(await streamOf(owner)).toMatchObject({ id: live?.id, state: 'live', reconnecting: true });
    await reconcileBroadcasts(inSeconds(61));
    expect(await streamOf(owner)).toMatchObject({
      id: live?.id,
      state: 'ended',
      reconnecting: false,
      viewers: 0,
    });
    await reconcileBroadcasts(inSeconds(62));
    const ended = (await deliverEvents()).map(({ body }) => body.type);
    expect(ended.filter((type) => type === 'stream.ended')).toHaveLength(1);
  });
});

describe('a stream that is live', () => {
  it('is listed for everybody, tells its owner how it is fed, and stops for good', async () => {
    const { owner, arn } = await seedChannel();
    const key = await goOnAir(owner, arn);
    await reconcileBroadcasts(contextOf());
    takeMessages();
    const stream = await streamOf(owner);
    const directory = await call('GET', '/v1/streams?limit=100', {});
    expect((await roundTripsOf(directory)).roundTrips).toBe(1);
    const { data } = (await directory.json()) as { data: Stream[] };
    expect(data.map(({ id }) => id)).toContain(stream?.id);

    const path = `/v1/streams/${stream?.id}`;
    const health = await callJson<Record<string, unknown>>(200, 'GET', `${path}/health`, {
      token: owner.token,
    });
    expect(health).toMatchObject({
      session: { ended_at: null },
      video: { width: 160, height: 90 },
      starvations: 0,
    });
    const other = await seedUser();
    for (const [method, of] of [
      ['GET', 'health'],
      ['GET', 'sessions'],
      ['POST', 'stop'],
    ] as const)
      expect((await call(method, `${path}/${of}`, { token: other.token })).status).toBe(404);

    expect((await call('POST', `${path}/stop`, { token: owner.token })).status).toBe(204);
    expect(await streamOf(owner)).toMatchObject({ id: stream?.id, state: 'ended' });
    await until(async () => !(await isBroadcasting(key)), 'the encoder is disconnected');
    await offAir(arn);

    // The encoder comes back by itself, and is sent away again.
    await startBroadcast(key);
    await until(async () => (await getStream(contextOf().config.aws, arn)) !== undefined, 'it is back');
    for (const event of await liveEvents(arn)) await sendWebhook(event);
    await deliverEvents();
    await until(async () => !(await isBroadcasting(key)), 'it is disconnected again');
    await offAir(arn);
    expect(await streamOf(owner)).toMatchObject({ id: stream?.id, state: 'ended' });
    expect((await call('POST', `${path}/stop`, { token: owner.token })).status).toBe(204);
    expect(
      await sqlRows("SELECT id FROM audit_log WHERE action = 'stream.stopped' AND target_id = $1", [
        decodeId('stream', stream?.id ?? ''),
      ]),
    ).toHaveLength(1);
  });

  it('is not stopped before it has begun', async () => {
    const owner = await seedUser();
    const { id } = await callJson<Stream>(201, 'POST', '/v1/streams', {
      token: owner.token,
      body: { title: 'x' },
    });
    const response = await call('POST', `/v1/streams/${id}/stop`, { token: owner.token });
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([
      409,
      'streams.not_live',
    ]);
  });
});
