import type { IvsOptions } from '../ports.ts';
import type { Channel } from '../resources.ts';
import type { Store } from '../store.ts';
import type { Limits } from './limits.ts';
import type { Inputs } from './schemas.ts';

/** What the API sees of a broadcast that is going on. */
export type LiveStream = {
  readonly sessionArn: string;
  readonly health: 'HEALTHY' | 'STARVING' | 'UNKNOWN';
  viewerCount(): number;
};

/** What the API asks of the part that takes broadcasts in. */
export type Broadcasts = {
  /** The broadcast of a channel, also one that viewers cannot see yet. */
  of(channelArn: string): LiveStream | undefined;
  /** Disconnects the publisher. */
  stop(channelArn: string): void;
  /** Puts timed metadata into the stream. */
  putMetadata(channelArn: string, metadata: string): void;
};

export type ApiContext = {
  readonly options: IvsOptions;
  readonly store: Store;
  readonly limits: Limits;
  readonly broadcasts: Broadcasts;
  now(): number;
  /** Host and port that encoders connect to with RTMPS. */
  ingestEndpoint(): string;
  playbackUrl(channel: Channel): string;
};

/** One operation: takes the checked body, gives the answer; `undefined` is a 204. */
export type Operation<Name extends keyof Inputs> = (input: Inputs[Name]) => unknown;
export type Operations<Name extends keyof Inputs> = { readonly [N in Name]: Operation<N> };
