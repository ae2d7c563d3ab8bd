import { newStreamId } from '../ids.ts';
import type { Channel, StreamSession } from '../resources.ts';
import type { Store } from '../store.ts';

/** A session of a channel as it is now, with the configuration that it is to be recorded by. */
export function newSession(store: Store, channel: Channel, nowMs: number): StreamSession {
  const configuration = store.find('recording-configuration', channel.recordingConfigurationArn);
  return {
    arn: store.newArn('stream-session'),
    createdAtMs: nowMs,
    streamId: newStreamId(),
    channelArn: channel.arn,
    channel,
    ...(configuration && { recordingConfiguration: configuration }),
    events: [],
    tags: {},
  };
}
