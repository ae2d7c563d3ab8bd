import { afterEach, describe, expect, it, vi } from 'vitest';
import { findChannels, getChannel, listStreamKeys } from '../../../src/integrations/aws/index.ts';
import { cleanUpChannels, fillPool, retireLiveChannel } from '../../../src/modules/live/index.ts';
import { until } from '../../support/worker/chat.ts';
import { call, callJson, sqlRows } from '../../support/worker/client.ts';
import { contextOf } from '../../support/worker/films.ts';
import {
  type ChannelJson,
  goOnAir,
  isBroadcasting,
  isOnAir,
  makeStreamKey,
  seedChannel,
  seedStreamer,
} from '../../support/worker/live.ts';
import { deliverEvents } from '../../support/worker/queues.ts';

const { aws } = contextOf().config;
const poolOf = (size: number, settings: Readonly<Record<string, string>> = {}) =>
  contextOf({ settings: { LIVE_CHANNEL_POOL_SIZE: String(size), ...settings } });

const ready = async (): Promise<string[]> => {
  const rows = await sqlRows<{ arn: string }>(
    'SELECT arn FROM live_channels WHERE owner_id IS NULL AND retired_at IS NULL',
  );
  return rows.map(({ arn }) => arn);
};
const orders = async (): Promise<string[]> =>
  (await sqlRows<{ name: string }>('SELECT name FROM live_channel_orders')).map(({ name }) => name);

afterEach(() => vi.restoreAllMocks());

/** Loses the answers of an operation of IVS, which did what it was asked. */
function losingAnswersOf(operation: string): void {
  const original = globalThis.fetch;
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
    const response = await original(input, init);
    if (!response.url.endsWith(`/${operation}`)) return response;
    throw new TypeError('connection lost');
  });
}

describe('the pool of channels', () => {
  it('is filled up to its size, and people get what is in it without a call to IVS', async () => {
    await fillPool(poolOf(3));
    await fillPool(poolOf(3));
    expect(await ready()).toHaveLength(3);
    expect(await orders()).toEqual([]);
    const { token } = await seedStreamer();
    const spy = vi.spyOn(globalThis, 'fetch');
    const channel = await callJson<ChannelJson>(201, 'POST', '/v1/me/live/channel', { token });
    expect(channel.recorded).toBe(true);
    const called = spy.mock.calls.map(([input]) => (input instanceof Request ? input.url : String(input)));
    expect(called.filter((url) => url.endsWith('Channel'))).toEqual([]);
    expect(await ready()).toHaveLength(2);
  });

  it('takes in a channel whose making was cut off, once that is certain', async () => {
    const before = await ready();
    losingAnswersOf('CreateChannel');
    await expect(fillPool(poolOf(before.length + 1))).rejects.toThrow('CreateChannel');
    vi.restoreAllMocks();
    const [name = ''] = await orders();
    const [orphan] = await findChannels(aws, name);
    await fillPool(poolOf(0));
    expect(await ready()).not.toContain(orphan);
    await sqlRows("UPDATE live_channel_orders SET ordered_at = now() - interval '10 minutes'");
    await fillPool(poolOf(0));
    expect(await ready()).toEqual(expect.arrayContaining([...before, orphan]));
    expect(await orders()).toEqual([]);
    await fillPool(poolOf(0));
    expect(await ready()).toHaveLength(before.length + 1);
  });

  it('orders nothing that IVS refuses', async () => {
    const original = globalThis.fetch;
    vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) =>
      input instanceof Request && input.url.endsWith('/CreateChannel')
        ? Response.json(
            { exceptionMessage: 'too many' },
            { status: 402, headers: { 'x-amzn-errortype': 'ServiceQuotaExceededException' } },
          )
        : original(input, init),
    );
    await expect(fillPool(poolOf(100))).rejects.toThrow('ServiceQuotaExceededException');
    expect(await orders()).toEqual([]);
  });

  it('forgets a channel that was never made', async () => {
    await sqlRows(
      "INSERT INTO live_channel_orders VALUES ('social-flow-test-never', now() - interval '10 minutes')",
    );
    await fillPool(poolOf(0));
    expect(await orders()).toEqual([]);
  });

  it('has all channels recorded as the setting says', async () => {
    const { owner, arn } = await seedChannel();
    await fillPool(poolOf(0, { LIVE_RECORDING_CONFIGURATION_ARN: '' }));
    expect((await getChannel(aws, arn))?.recordingConfigurationArn).toBe('');
    const channel = await callJson<ChannelJson>(200, 'GET', '/v1/me/live/channel', { token: owner.token });
    expect(channel.recorded).toBe(false);
    await fillPool(poolOf(0));
    expect((await getChannel(aws, arn))?.recordingConfigurationArn).not.toBe('');
  });
});

describe('channels that are to end', () => {
  it('go off air when IVS could not be reached as the key was revoked', async () => {
    const { owner, arn } = await seedChannel();
    const key = await goOnAir(owner, arn);
    const original = globalThis.fetch;
    vi.spyOn(globalThis, 'fetch').mockImplementation((input, init) =>
      input instanceof Request && input.url.endsWith('/StopStream')
        ? Promise.reject(new TypeError('connection lost'))
        : original(input, init),
    );
    expect((await call('DELETE', '/v1/me/live/channel/stream-key', { token: owner.token })).status).toBe(204);
    vi.restoreAllMocks();
    expect(await isOnAir(arn)).toBe(true);
    await cleanUpChannels(contextOf());
    await until(async () => !(await isBroadcasting(key)), 'the encoder is disconnected');
  });

  it('keep the key their owner made after a revocation', async () => {
    const { owner, arn } = await seedChannel();
    await makeStreamKey(owner);
    await call('DELETE', '/v1/me/live/channel/stream-key', { token: owner.token });
    await makeStreamKey(owner);
    await cleanUpChannels(contextOf());
    expect(await listStreamKeys(aws, arn)).toHaveLength(1);
  });

  it('go off air with the suspension of their owner', async () => {
    const { owner, arn } = await seedChannel();
    const key = await goOnAir(owner, arn);
    await sqlRows("UPDATE users SET status = 'suspended' WHERE id = $1", [owner.uuid]);
    await cleanUpChannels(contextOf());
    await until(async () => !(await isBroadcasting(key)), 'the encoder is disconnected');
    expect(await listStreamKeys(aws, arn)).toEqual([]);
  });

  it('go off air when their owner closes the account, who makes a new key after coming back', async () => {
    const { owner, arn } = await seedChannel();
    const key = await goOnAir(owner, arn);
    await sqlRows('UPDATE users SET password_hash = $2 WHERE id = $1', [owner.uuid, 'none that fits']);
    await callJson(204, 'POST', '/v1/me/deactivation', { token: owner.token });
    await deliverEvents();
    await until(async () => !(await isBroadcasting(key)), 'the encoder is disconnected');
    expect(await listStreamKeys(aws, arn)).toEqual([]);
    const [row] = await sqlRows('SELECT owner_id, key_arn FROM live_channels WHERE arn = $1', [arn]);
    expect(row).toEqual({ owner_id: owner.uuid, key_arn: null });
  });

  it('are deleted when their owner is erased, also while they are live', async () => {
    const { owner, arn } = await seedChannel();
    await goOnAir(owner, arn);
    await retireLiveChannel(contextOf().databases.primary, owner.uuid);
    await until(async () => {
      await cleanUpChannels(contextOf());
      return (await getChannel(aws, arn)) === undefined;
    }, 'the channel is deleted');
    expect(await sqlRows('SELECT FROM live_channels WHERE arn = $1', [arn])).toEqual([]);
  });
});
