import { conflict, invalid, notFound, quotaExceeded } from '../errors.ts';
import { newStreamKey } from '../ids.ts';
import type { Channel, StreamKey, Tags } from '../resources.ts';
import type { ApiContext, Operations } from './context.ts';
import { pageOf } from './paging.ts';
import type { Inputs } from './schemas.ts';

const MAX_CHANNELS = 5000;

type Settings = Partial<Omit<Channel, 'arn' | 'createdAtMs' | 'tags'>>;

const presentStreamKey = ({ arn, value, channelArn, tags }: StreamKey) => ({
  arn,
  value,
  channelArn,
  tags,
});

export function presentChannel(context: ApiContext, channel: Channel) {
  const { createdAtMs: _, ...shown } = channel;
  return { ...shown, ingestEndpoint: context.ingestEndpoint(), playbackUrl: context.playbackUrl(channel) };
}

/** Channels and their stream keys, of which each channel has at most one. */
export function channelOperations(
  context: ApiContext,
): Operations<
  | 'CreateChannel'
  | 'GetChannel'
  | 'BatchGetChannel'
  | 'ListChannels'
  | 'UpdateChannel'
  | 'DeleteChannel'
  | 'CreateStreamKey'
  | 'GetStreamKey'
  | 'BatchGetStreamKey'
  | 'ListStreamKeys'
  | 'DeleteStreamKey'
> {
  const { store, broadcasts } = context;

  function checked(settings: Settings, channel: Channel): Channel {
    const next = { ...channel, ...settings };
    const advanced = next.type === 'ADVANCED_SD' || next.type === 'ADVANCED_HD';
    if (settings.preset && !advanced)
      throw invalid('preset: only ADVANCED_SD and ADVANCED_HD channels have one');
    next.preset = advanced ? next.preset || 'HIGHER_BANDWIDTH_DELIVERY' : '';
    if (next.recordingConfigurationArn) store.get('recording-configuration', next.recordingConfigurationArn);
    if (next.playbackRestrictionPolicyArn)
      store.get('playback-restriction-policy', next.playbackRestrictionPolicyArn);
    return next;
  }

  function offline(arn: string): Channel {
    const channel = store.get('channel', arn);
    if (broadcasts.of(arn)) throw conflict('The channel is live: stop the stream first');
    return channel;
  }

  const keysOf = (channelArn: string): StreamKey[] =>
    store.all('stream-key').filter((key) => key.channelArn === channelArn);

  function addStreamKey(channelArn: string, tags: Tags): StreamKey {
    const key: StreamKey = {
      arn: store.newArn('stream-key'),
      createdAtMs: context.now(),
      value: newStreamKey(context.options.region),
      channelArn,
      tags,
    };
    store.save('stream-key', key);
    return key;
  }

  return {
    CreateChannel({ tags = {}, ...settings }) {
      if (store.all('channel').length >= MAX_CHANNELS) throw quotaExceeded('Too many channels');
      const channel = checked(definedOf(settings), {
        arn: store.newArn('channel'),
        createdAtMs: context.now(),
        name: '',
        latencyMode: 'LOW',
        type: 'STANDARD',
        authorized: false,
        insecureIngest: false,
        preset: '',
        containerFormat: 'TS',
        recordingConfigurationArn: '',
        playbackRestrictionPolicyArn: '',
        tags,
      });
      store.save('channel', channel);
      const streamKey = addStreamKey(channel.arn, {});
      return { channel: presentChannel(context, channel), streamKey: presentStreamKey(streamKey) };
    },
    GetChannel: ({ arn }) => ({ channel: presentChannel(context, store.get('channel', arn)) }),
    BatchGetChannel: ({ arns }) => {
      const { found, errors } = batch(arns, (arn) => store.find('channel', arn));
      return { channels: found.map((channel) => presentChannel(context, channel)), errors };
    },
    ListChannels(input) {
      const { page, nextToken } = pageOf(store.all('channel').filter(filterOf(input)), input);
      return { channels: page.map(summaryOf), ...(nextToken && { nextToken }) };
    },
    UpdateChannel({ arn, ...settings }) {
      const channel = checked(definedOf(settings), offline(arn));
      store.save('channel', channel);
      return { channel: presentChannel(context, channel) };
    },
    DeleteChannel({ arn }) {
      offline(arn);
      for (const key of keysOf(arn)) store.remove('stream-key', key.arn);
      store.remove('channel', arn);
    },
    CreateStreamKey({ channelArn, tags = {} }) {
      store.get('channel', channelArn);
      if (keysOf(channelArn).length > 0)
        throw quotaExceeded('You have exceeded the maximum number of stream keys for this channel');
      return { streamKey: presentStreamKey(addStreamKey(channelArn, tags)) };
    },
    GetStreamKey: ({ arn }) => ({ streamKey: presentStreamKey(store.get('stream-key', arn)) }),
    BatchGetStreamKey: ({ arns }) => {
      const { found, errors } = batch(arns, (arn) => store.find('stream-key', arn));
      return { streamKeys: found.map(presentStreamKey), errors };
    },
    ListStreamKeys({ channelArn, ...input }) {
      store.get('channel', channelArn);
      const { page, nextToken } = pageOf(keysOf(channelArn), input);
      return {
        streamKeys: page.map(({ arn, tags }) => ({ arn, channelArn, tags })),
        ...(nextToken && { nextToken }),
      };
    },
    DeleteStreamKey({ arn }) {
      store.get('stream-key', arn);
      store.remove('stream-key', arn);
    },
  };
}

function summaryOf({ createdAtMs: _created, containerFormat: _format, ...summary }: Channel) {
  return summary;
}

function filterOf(input: Inputs['ListChannels']): (channel: Channel) => boolean {
  const { filterByName, filterByRecordingConfigurationArn, filterByPlaybackRestrictionPolicyArn } = input;
  return (channel) =>
    (filterByName === undefined || channel.name === filterByName) &&
    (filterByRecordingConfigurationArn === undefined ||
      channel.recordingConfigurationArn === filterByRecordingConfigurationArn) &&
    (filterByPlaybackRestrictionPolicyArn === undefined ||
      channel.playbackRestrictionPolicyArn === filterByPlaybackRestrictionPolicyArn);
}

function batch<T>(arns: readonly string[], find: (arn: string) => T | undefined) {
  const found: T[] = [];
  const errors: { arn: string; code: string; message: string }[] = [];
  for (const arn of new Set(arns)) {
    const item = find(arn);
    const { type: code, message } = notFound(arn);
    if (item === undefined) errors.push({ arn, code, message });
    else found.push(item);
  }
  return { found, errors };
}

/** Without the members that were not sent, which would otherwise overwrite what is there. */
function definedOf<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
