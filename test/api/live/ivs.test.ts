import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  createChannel,
  createStreamKey,
  deleteChannel,
  deleteStreamKey,
  findChannels,
  getChannel,
  getStream,
  getStreamSession,
  isAwsError,
  listStreamKeys,
  listStreamSessions,
  listStreams,
  putMetadata,
  startViewerSessionRevocations,
  stopStream,
  updateChannel,
} from '../../../src/integrations/aws/index.ts';
import { until } from '../../support/worker/chat.ts';
import { contextOf } from '../../support/worker/films.ts';
import { isBroadcasting, startBroadcast } from '../../support/worker/live.ts';

const { aws } = contextOf().config;
const nowhere = 'arn:aws:ivs:us-east-1:000000000000:channel/nowhere';

afterEach(() => vi.restoreAllMocks());

async function newChannel(name: string) {
  const { channel, streamKey } = await createChannel(aws, { name, authorized: true, type: 'BASIC' });
  return { arn: channel?.arn ?? '', key: streamKey?.value ?? '' };
}

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error) => (isAwsError(error) ? error.code : String(error)),
  );

describe('the client of IVS', () => {
  it('makes, finds, changes and deletes channels', async () => {
    const { arn } = await newChannel('client-channels');
    expect(await findChannels(aws, 'client-channels')).toEqual([arn]);
    expect(await getChannel(aws, arn)).toMatchObject({ arn, authorized: true, latencyMode: 'LOW' });
    expect(await updateChannel(aws, { arn, latencyMode: 'NORMAL' })).toMatchObject({
      latencyMode: 'NORMAL',
      type: 'BASIC',
    });
    await deleteChannel(aws, arn);
    await deleteChannel(aws, arn);
    expect(await getChannel(aws, arn)).toBeUndefined();
    expect(await codeOf(updateChannel(aws, { arn, latencyMode: 'LOW' }))).toBe('ResourceNotFoundException');
  });

  it('replaces the stream key of a channel, which has one', async () => {
    const { arn, key } = await newChannel('client-keys');
    expect(await codeOf(createStreamKey(aws, arn))).toBe('ServiceQuotaExceededException');
    for (const keyArn of await listStreamKeys(aws, arn)) {
      await deleteStreamKey(aws, keyArn);
      await deleteStreamKey(aws, keyArn);
    }
    const made = await createStreamKey(aws, arn);
    expect(made.value).toMatch(/^sk_/);
    expect(made.value).not.toBe(key);
    expect(await listStreamKeys(aws, nowhere)).toEqual([]);
  });

  it('knows what is on air, speaks into it and ends it', async () => {
    const { arn, key } = await newChannel('client-streams');
    expect(await getStream(aws, arn)).toBeUndefined();
    expect(await stopStream(aws, arn)).toBe(false);
    expect(await stopStream(aws, nowhere)).toBe(false);
    expect(await codeOf(putMetadata(aws, arn, 'x'))).toBe('ChannelNotBroadcasting');
    await startBroadcast(key);
    await until(async () => (await getStream(aws, arn)) !== undefined, 'the channel is on air');
    expect(await getStream(aws, arn)).toMatchObject({ channelArn: arn, state: 'LIVE' });
    const { items } = await listStreams(aws, { health: 'HEALTHY' });
    expect(items.map(({ channelArn }) => channelArn)).toContain(arn);
    await putMetadata(aws, arn, '{"poll":1}');
    await startViewerSessionRevocations(aws, [
      { channelArn: arn, viewerId: 'viewer', version: 7 },
      { channelArn: nowhere, viewerId: 'viewer', version: 7 },
    ]);
    const session = await getStreamSession(aws, { channelArn: arn });
    expect(session?.channel?.arn).toBe(arn);
    const sessions = await listStreamSessions(aws, { channelArn: arn });
    expect(sessions.items.map(({ streamId }) => streamId)).toEqual([session?.streamId]);
    expect(await codeOf(deleteChannel(aws, arn))).toBe('ConflictException');
    for (const keyArn of await listStreamKeys(aws, arn)) await deleteStreamKey(aws, keyArn);
    expect(await stopStream(aws, arn)).toBe(true);
    await until(async () => !(await isBroadcasting(key)), 'the encoder is gone');
    await until(async () => (await getStream(aws, arn)) === undefined, 'the channel is off air');
  });

  it('waits its turn when it comes too fast, also where nothing else may be repeated', async () => {
    const original = globalThis.fetch;
    let refusals = 0;
    vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
      if (!(input as Request).url.endsWith('/CreateChannel') || refusals === 2) return original(input, init);
      refusals += 1;
      return Response.json(
        { exceptionMessage: 'slower' },
        { status: 429, headers: { 'x-amzn-errortype': 'ThrottlingException' } },
      );
    });
    const { arn } = await newChannel('client-throttled');
    expect(await findChannels(aws, 'client-throttled')).toEqual([arn]);
    expect(refusals).toBe(2);
  });

  it('makes no second channel when the answer about the first is lost', async () => {
    const original = globalThis.fetch;
    vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
      const response = await original(input, init);
      if (!response.url.endsWith('/CreateChannel')) return response;
      throw new TypeError('connection lost');
    });
    expect(await codeOf(newChannel('client-lost'))).toBe('Unreachable');
    expect(await findChannels(aws, 'client-lost')).toHaveLength(1);
  });
});
