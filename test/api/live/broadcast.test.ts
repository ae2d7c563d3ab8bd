import { expect, it } from 'vitest';
import { until } from '../../support/worker/chat.ts';
import { call, callJson, seedUser, sqlRows } from '../../support/worker/client.ts';
import { sendWebhook } from '../../support/worker/films.ts';
import {
  goOnAir,
  isBroadcasting,
  type LivePlaybackJson,
  liveEvents,
  openPlayer,
  seedChannel,
} from '../../support/worker/live.ts';
import { deliverEvents } from '../../support/worker/queues.ts';

it('goes from an encoder to viewers by what IVS tells, and ends when the key is revoked', async () => {
  const { owner, arn } = await seedChannel();
  const [member, stranger] = [await seedUser(), await seedUser()];
  await sqlRows('INSERT INTO channel_members (owner_id, user_id) VALUES ($1, $2)', [owner.uuid, member.uuid]);
  const stream = await callJson<{ id: string }>(201, 'POST', '/v1/streams', {
    token: owner.token,
    body: { title: 'Premiere', visibility: 'members' },
  });
  const path = `/v1/streams/${stream.id}/playback`;
  const statusFor = async (token: string) => (await call('GET', path, { token })).status;
  let told = 0;
  const hear = async (): Promise<void> => {
    const events = await liveEvents(arn);
    for (const event of events.slice(told)) expect((await sendWebhook(event)).status).toBe(202);
    told = events.length;
    await deliverEvents();
  };

  expect(await statusFor(member.token)).toBe(409);
  const key = await goOnAir(owner, arn);
  await hear();
  expect(await statusFor(stranger.token)).toBe(404);
  const playback = await callJson<LivePlaybackJson>(200, 'GET', path, { token: member.token });
  const player = await openPlayer(playback.hls_url);
  expect(await player.poll()).toBe(200);

  await call('DELETE', '/v1/me/live/channel/stream-key', { token: owner.token });
  await until(async () => !(await isBroadcasting(key)), 'the encoder is disconnected');
  await until(async () => {
    await hear();
    const { state, reconnecting } = await callJson<{ state: string; reconnecting: boolean }>(
      200,
      'GET',
      `/v1/streams/${stream.id}`,
      { token: owner.token },
    );
    return state === 'ended' || reconnecting;
  }, 'the stream is known to have lost its encoder');
});
