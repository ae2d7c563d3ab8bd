import type {
  StreamSession as SdkSession,
  StreamSessionSummary as SdkSessionSummary,
  _Stream as SdkStream,
  StreamHealth,
  StreamSummary,
} from '@aws-sdk/client-ivs';
import type { AwsConfig } from './client.ts';
import { callIvs, callIvsIfPresent, type IvsWire } from './ivs-call.ts';

export type LiveStream = IvsWire<SdkStream>;
export type LiveStreamSummary = IvsWire<StreamSummary>;
export type StreamSession = IvsWire<SdkSession>;
export type StreamSessionSummary = IvsWire<SdkSessionSummary>;

/** A page of a list, at most 100; `nextToken` leads to the next one. */
export interface IvsPage<T> {
  readonly items: readonly T[];
  readonly nextToken: string | undefined;
}

// `ChannelNotBroadcasting` stands for an offline channel, `ResourceNotFoundException` for one that is not there.
const notOnAir = ['ChannelNotBroadcasting', 'ResourceNotFoundException'] as const;

/** @returns undefined when the channel is not on air, or there is none. */
export async function getStream(config: AwsConfig, channelArn: string): Promise<LiveStream | undefined> {
  const answer = await callIvsIfPresent<{ stream: LiveStream }>(
    config,
    { operation: 'GetStream', body: { channelArn }, retries: 2 },
    ...notOnAir,
  );
  return answer?.stream;
}

/** What is on air in the account, of a health if one is given. Begin without `nextToken`. */
export async function listStreams(
  config: AwsConfig,
  query: { readonly health?: StreamHealth; readonly nextToken?: string | undefined },
): Promise<IvsPage<LiveStreamSummary>> {
  const { health, nextToken } = query;
  const answer = await callIvs<{ streams: LiveStreamSummary[]; nextToken?: string }>(config, {
    operation: 'ListStreams',
    body: { ...(health === undefined ? {} : { filterBy: { health } }), maxResults: 100, nextToken },
    retries: 2,
  });
  return { items: answer.streams, nextToken: answer.nextToken };
}

/**
 * Disconnects the encoder of a channel. It may come back, unless its stream key was deleted first.
 * @returns false when the channel was not on air, or there is none.
 * @throws AwsError `StreamUnavailable` for a broadcast that viewers do not see yet.
 */
export async function stopStream(config: AwsConfig, channelArn: string): Promise<boolean> {
  const answer = await callIvsIfPresent(
    config,
    { operation: 'StopStream', body: { channelArn }, retries: 2 },
    ...notOnAir,
  );
  return answer !== undefined;
}

/**
 * Sends text with the picture to everybody who watches: at most 1 KB in UTF-8, five times a second for a channel.
 * @throws AwsError `ChannelNotBroadcasting`, `ThrottlingException`.
 */
export async function putMetadata(config: AwsConfig, channelArn: string, metadata: string): Promise<void> {
  await callIvs(config, { operation: 'PutMetadata', body: { channelArn, metadata }, retries: 0 });
}

/** A session of a channel, the last without `streamId`; what IVS has forgotten (after 60 days) is undefined. */
export async function getStreamSession(
  config: AwsConfig,
  query: { readonly channelArn: string; readonly streamId?: string },
): Promise<StreamSession | undefined> {
  const answer = await callIvsIfPresent<{ streamSession: StreamSession }>(
    config,
    { operation: 'GetStreamSession', body: query, retries: 2 },
    'ResourceNotFoundException',
  );
  return answer?.streamSession;
}

/** Sessions of a channel, newest first. Begin without `nextToken`. */
export async function listStreamSessions(
  config: AwsConfig,
  query: { readonly channelArn: string; readonly nextToken?: string | undefined },
): Promise<IvsPage<StreamSessionSummary>> {
  const answer = await callIvsIfPresent<{ streamSessions: StreamSessionSummary[]; nextToken?: string }>(
    config,
    { operation: 'ListStreamSessions', body: { ...query, maxResults: 100 }, retries: 2 },
    'ResourceNotFoundException',
  );
  return { items: answer?.streamSessions ?? [], nextToken: answer?.nextToken };
}

/** Viewer sessions to be ended: those of a viewer of a channel whose tokens name a version up to this one. */
export interface ViewerSessions {
  readonly channelArn: string;
  readonly viewerId: string;
  readonly version: number;
}

/**
 * Ends the sessions of up to 20 viewers, and refuses their tokens up to the version. Those of channels that are gone are passed
 * over. Twice a second at most for the whole account.
 * @throws AwsError
 */
export async function startViewerSessionRevocations(
  config: AwsConfig,
  sessions: readonly ViewerSessions[],
): Promise<void> {
  await callIvs(config, {
    operation: 'BatchStartViewerSessionRevocation',
    body: {
      viewerSessions: sessions.map(({ version, ...session }) => ({
        ...session,
        viewerSessionVersionsLessThanOrEqualTo: version,
      })),
    },
    retries: 2,
  });
}
