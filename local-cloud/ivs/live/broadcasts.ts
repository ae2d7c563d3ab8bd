import type { Broadcasts } from '../api/context.ts';
import type { Events } from '../events.ts';
import type { IvsOptions } from '../ports.ts';
import type { Channel } from '../resources.ts';
import type { IngestConnection, IngestSink, OnPublish } from '../rtmp/session.ts';
import type { Store } from '../store.ts';
import { Broadcast, type BroadcastDeps } from './broadcast.ts';
import { Ingest } from './ingest.ts';

/** How long players may still fetch the end of a broadcast. */
const AFTERLIFE_MS = 30_000;
const MAX_TAKEOVERS = 100;
const MAX_PRIORITY = 2 ** 31 - 1;
const STATE = 'IVS Stream State Change';

export type LiveBroadcasts = Omit<Broadcasts, 'of'> & {
  readonly onPublish: OnPublish;
  of(channelArn: string): Broadcast | undefined;
  /** Ends every broadcast; resolves when all is told and recorded. */
  close(): Promise<void>;
};

export function createBroadcasts(
  options: IvsOptions,
  store: Store,
  events: Events,
  record: BroadcastDeps['record'],
  viewersOf: BroadcastDeps['viewersOf'],
): LiveBroadcasts {
  const live = new Map<string, Broadcast>();
  const leaving = new Map<Broadcast, NodeJS.Timeout>();
  const finishing = new Set<Promise<void>>();
  const log = options.log ?? (() => {});
  let closed = false;

  function onEnd(broadcast: Broadcast): void {
    live.delete(broadcast.session.channelArn);
    finishing.add(broadcast.done);
    broadcast.done.then(() => finishing.delete(broadcast.done));
    leaving.set(
      broadcast,
      setTimeout(() => leave(broadcast), AFTERLIFE_MS),
    );
  }

  async function leave(broadcast: Broadcast): Promise<void> {
    clearTimeout(leaving.get(broadcast));
    leaving.delete(broadcast);
    await broadcast.done;
    await broadcast.remove().catch((error: unknown) => log(String(error)));
  }

  function begin(channel: Channel, ingest: Ingest): IngestSink | { refused: string } {
    const maximum = options.maxConcurrentStreams ?? 100;
    if (live.size >= maximum) {
      events.account('IVS Limit Breach', {
        limit_name: 'Concurrent Broadcasts',
        limit_value: maximum,
        exceeded_by: live.size + 1 - maximum,
        limit_unit: 'streams',
      });
      return { refused: 'Too many streams are live.' };
    }
    const broadcast = new Broadcast({ options, store, events, record, viewersOf, onEnd }, channel, ingest);
    live.set(channel.arn, broadcast);
    return sinkOf(broadcast, ingest);
  }

  const sinkOf = (broadcast: Broadcast, ingest: Ingest): IngestSink => ({
    tag(tag) {
      if (broadcast.ended || broadcast.ingest !== ingest) return;
      const ready = ingest.add(tag);
      broadcast.fed();
      if (ready && !broadcast.ended) broadcast.begin();
    },
    ended() {
      if (broadcast.ingest === ingest) broadcast.end();
    },
  });

  /** A second encoder with a higher priority: watched until it is known whether the stream can go on with it. */
  function challenge(broadcast: Broadcast, ingest: Ingest): IngestSink | { refused: string } {
    const fail = (code: string): void =>
      events.stream(broadcast.session, STATE, 'Stream Takeover Failure', { code });
    if (ingest.priority <= broadcast.ingest.priority || ingest.priority > MAX_PRIORITY) {
      fail('StreamTakeoverInvalidPriority');
      return { refused: 'The priority does not allow to take the stream over.' };
    }
    if (broadcast.takeovers >= MAX_TAKEOVERS) {
      fail('StreamTakeoverLimitBreached');
      return { refused: 'The stream was taken over too often.' };
    }
    const accepted = sinkOf(broadcast, ingest);
    const decide = (): void => {
      if (isSameKind(broadcast.ingest, ingest)) {
        broadcast.takeOver(ingest);
        return;
      }
      fail('StreamTakeoverMediaMismatch');
      ingest.connection.close();
    };
    return {
      tag(tag) {
        if (broadcast.ended) ingest.connection.close();
        else if (broadcast.ingest === ingest) accepted.tag(tag);
        else if (ingest.add(tag)) decide();
      },
      ended: accepted.ended,
    };
  }

  function onPublish(name: string, connection: IngestConnection): IngestSink | { refused: string } {
    const [value = '', query = ''] = name.split('?');
    const key = store.all('stream-key').find((candidate) => candidate.value === value);
    const channel = key && store.find('channel', key.channelArn);
    if (closed || !channel) return { refused: 'The stream key is not valid.' };
    if (!connection.secure && !channel.insecureIngest) return { refused: 'The channel takes RTMPS only.' };
    if (options.ffmpeg.source === 'wasm') return { refused: 'Live streams need a native ffmpeg.' };
    const priority = new URLSearchParams(query).get('priority');
    const ingest = new Ingest(connection, Number(priority ?? 0));
    const present = live.get(channel.arn);
    if (!present) return begin(channel, ingest);
    if (priority === null) return { refused: 'The channel is live already.' };
    return challenge(present, ingest);
  }

  return {
    onPublish,
    of: (channelArn) => live.get(channelArn),
    stop: (channelArn) => live.get(channelArn)?.end(),
    putMetadata: (channelArn, metadata) => live.get(channelArn)?.putMetadata(metadata),
    async close() {
      closed = true;
      const all = [...live.values()];
      for (const broadcast of all) broadcast.end();
      await Promise.all([...all.map(({ done }) => done), ...finishing]);
      await Promise.all([...leaving.keys()].map(leave));
    },
  };
}

function isSameKind(former: Ingest, next: Ingest): boolean {
  const shape = ({ meter }: Ingest) =>
    JSON.stringify([
      meter.video?.videoWidth,
      meter.video?.videoHeight,
      meter.copiesVideo,
      meter.copiesAudio,
      meter.hasAudio,
      meter.audio?.codec,
    ]);
  return shape(former) === shape(next);
}
