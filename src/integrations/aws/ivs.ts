import type {
  CreateChannelRequest,
  CreateChannelResponse,
  Channel as SdkChannel,
  StreamKey as SdkStreamKey,
  UpdateChannelRequest,
} from '@aws-sdk/client-ivs';
import type { AwsConfig } from './client.ts';
import { callIvs, callIvsIfPresent, type IvsWire } from './ivs-call.ts';

export type LiveChannel = IvsWire<SdkChannel>;
export type StreamKey = IvsWire<SdkStreamKey>;

/**
 * Makes a channel with its first stream key. Not repeated when the answer is lost, since IVS would make another: look for the
 * name with `findChannels` then.
 * @throws AwsError
 */
export async function createChannel(
  config: AwsConfig,
  request: CreateChannelRequest,
): Promise<IvsWire<CreateChannelResponse>> {
  return await callIvs(config, { operation: 'CreateChannel', body: request, retries: 0 });
}

/** @returns undefined when there is no such channel. */
export async function getChannel(config: AwsConfig, arn: string): Promise<LiveChannel | undefined> {
  const answer = await callIvsIfPresent<{ channel: LiveChannel }>(
    config,
    { operation: 'GetChannel', body: { arn }, retries: 2 },
    'ResourceNotFoundException',
  );
  return answer?.channel;
}

/** The ARNs of the channels of a name, which are a hundred at most where names are made to be unique. */
export async function findChannels(config: AwsConfig, name: string): Promise<string[]> {
  const { channels } = await callIvs<{ channels: LiveChannel[] }>(config, {
    operation: 'ListChannels',
    body: { filterByName: name, maxResults: 100 },
    retries: 2,
  });
  return channels.flatMap(({ arn }) => arn ?? []);
}

/**
 * Changes what is given of a channel.
 * @throws AwsError `ConflictException` while it is live, `ResourceNotFoundException`.
 */
export async function updateChannel(
  config: AwsConfig,
  request: UpdateChannelRequest & { readonly arn: string },
): Promise<LiveChannel> {
  const { channel } = await callIvs<{ channel: LiveChannel }>(config, {
    operation: 'UpdateChannel',
    body: request,
    retries: 2,
  });
  return channel;
}

/**
 * Deletes a channel and its stream keys. Does nothing when it is gone.
 * @throws AwsError `ConflictException` while it is live.
 */
export async function deleteChannel(config: AwsConfig, arn: string): Promise<void> {
  await callIvsIfPresent(
    config,
    { operation: 'DeleteChannel', body: { arn }, retries: 2 },
    'ResourceNotFoundException',
  );
}

/**
 * Makes the stream key of a channel that has none.
 * @throws AwsError `ServiceQuotaExceededException` when it has one, `ResourceNotFoundException`.
 */
export async function createStreamKey(config: AwsConfig, channelArn: string): Promise<StreamKey> {
  const { streamKey } = await callIvs<{ streamKey: StreamKey }>(config, {
    operation: 'CreateStreamKey',
    body: { channelArn },
    retries: 0,
  });
  return streamKey;
}

/** The ARNs of the stream keys of a channel; none when there is no such channel. A channel has one at most. */
export async function listStreamKeys(config: AwsConfig, channelArn: string): Promise<string[]> {
  const answer = await callIvsIfPresent<{ streamKeys: StreamKey[] }>(
    config,
    { operation: 'ListStreamKeys', body: { channelArn }, retries: 2 },
    'ResourceNotFoundException',
  );
  return (answer?.streamKeys ?? []).flatMap(({ arn }) => arn ?? []);
}

/** Deletes a stream key: no broadcast can begin with it; one that has begun goes on. Does nothing when it is gone. */
export async function deleteStreamKey(config: AwsConfig, arn: string): Promise<void> {
  await callIvsIfPresent(
    config,
    { operation: 'DeleteStreamKey', body: { arn }, retries: 2 },
    'ResourceNotFoundException',
  );
}
