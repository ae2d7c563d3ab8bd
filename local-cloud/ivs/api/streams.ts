import { notBroadcasting, notFound, streamUnavailable } from '../errors.ts';
import type { StreamSession } from '../resources.ts';
import { presentChannel } from './channels.ts';
import type { ApiContext, LiveStream, Operations } from './context.ts';
import { pageOf } from './paging.ts';
import { presentRecordingConfiguration } from './recording-configurations.ts';

const time = (ms: number): string => new Date(ms).toISOString();

/** What is on air, and what was. */
export function streamOperations(
  context: ApiContext,
): Operations<
  'GetStream' | 'ListStreams' | 'StopStream' | 'GetStreamSession' | 'ListStreamSessions' | 'PutMetadata'
> {
  const { store, broadcasts } = context;

  /** Every broadcast that viewers can see. */
  const onAir = (): { session: StreamSession; stream: LiveStream }[] =>
    store.all('channel').flatMap(({ arn }) => {
      const stream = broadcasts.of(arn);
      const session = stream && store.find('stream-session', stream.sessionArn);
      return stream && session?.startedAtMs !== undefined ? [{ session, stream }] : [];
    });

  function liveStream(channelArn: string): { session: StreamSession; stream: LiveStream } {
    store.get('channel', channelArn);
    const live = onAir().find(({ session }) => session.channelArn === channelArn);
    if (live === undefined) throw notBroadcasting();
    return live;
  }

  const summaryOf = ({ session, stream }: { session: StreamSession; stream: LiveStream }) => ({
    channelArn: session.channelArn,
    streamId: session.streamId,
    startTime: time(session.startedAtMs ?? session.createdAtMs),
    state: 'LIVE',
    health: stream.health,
    viewerCount: stream.viewerCount(),
  });

  const sessionsOf = (channelArn: string): StreamSession[] => {
    store.get('channel', channelArn);
    return store.all('stream-session').filter((session) => session.channelArn === channelArn);
  };

  return {
    GetStream({ channelArn }) {
      const live = liveStream(channelArn);
      const playbackUrl = context.playbackUrl(store.get('channel', channelArn));
      return { stream: { ...summaryOf(live), playbackUrl } };
    },
    ListStreams({ filterBy, ...input }) {
      const health = filterBy?.health;
      const live = onAir().filter(({ stream }) => health === undefined || stream.health === health);
      const { page, nextToken } = pageOf(
        live.map(({ session }) => session),
        input,
      );
      const shown = live.filter(({ session }) => page.includes(session));
      return { streams: shown.map(summaryOf), ...(nextToken && { nextToken }) };
    },
    StopStream({ channelArn }) {
      store.get('channel', channelArn);
      const stream = broadcasts.of(channelArn);
      if (stream === undefined) throw notBroadcasting();
      if (store.find('stream-session', stream.sessionArn)?.startedAtMs === undefined)
        throw streamUnavailable();
      broadcasts.stop(channelArn);
      return {};
    },
    GetStreamSession({ channelArn, streamId }) {
      const sessions = sessionsOf(channelArn);
      const session =
        streamId === undefined
          ? sessions.at(-1)
          : sessions.find((candidate) => candidate.streamId === streamId);
      if (session === undefined) throw notFound(streamId ?? channelArn);
      return { streamSession: presentSession(context, session) };
    },
    ListStreamSessions({ channelArn, ...input }) {
      const { page, nextToken } = pageOf(sessionsOf(channelArn), input);
      return {
        streamSessions: page.map((session) => ({
          ...boundsOf(session),
          hasErrorEvent: session.events.some(({ name }) => /Failure|Breach|Starvation Start/.test(name)),
        })),
        ...(nextToken && { nextToken }),
      };
    },
    PutMetadata({ channelArn, metadata }) {
      liveStream(channelArn);
      context.limits.takeMetadata(channelArn);
      broadcasts.putMetadata(channelArn, metadata);
    },
  };
}

function boundsOf({ streamId, createdAtMs, startedAtMs, endedAtMs }: StreamSession) {
  return {
    streamId,
    startTime: time(startedAtMs ?? createdAtMs),
    ...(endedAtMs !== undefined && { endTime: time(endedAtMs) }),
  };
}

function presentSession(context: ApiContext, session: StreamSession) {
  const { video, audio, recordingConfiguration } = session;
  const track = { track: 'Track0' };
  const avc = { avcProfile: video?.profile, avcLevel: video?.level };
  return {
    ...boundsOf(session),
    channel: presentChannel(context, session.channel),
    ...((video || audio) && {
      ingestConfiguration: {
        ...(video && { video: { ...video, ...avc, ...track } }),
        ...(audio && { audio: { ...audio, ...track } }),
      },
      ingestConfigurations: {
        videoConfigurations: video ? [{ ...video, avcProfile: '', avcLevel: '', ...track }] : [],
        audioConfigurations: audio ? [{ ...audio, ...track }] : [],
      },
    }),
    ...(recordingConfiguration && {
      recordingConfiguration: presentRecordingConfiguration(recordingConfiguration),
    }),
    truncatedEvents: session.events.toReversed(),
  };
}
