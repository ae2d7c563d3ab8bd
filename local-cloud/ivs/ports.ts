import type { AwsCredentials } from '../aws-gate/verify.ts';
import type { EventBridgeEvent } from '../events/index.ts';
import type { Ffmpeg } from '../ffmpeg/index.ts';

/** The part of the local S3 that recordings need. */
export type RecordingStore = {
  bucketExists(bucket: string): boolean;
  /** Stores a copy of a file as an object. Rejects when the bucket does not exist. */
  putFile(
    bucket: string,
    key: string,
    sourcePath: string,
    options: { contentType: string; cacheControl?: string },
  ): Promise<unknown>;
};

export type IvsOptions = {
  region: string;
  credentials: readonly AwsCredentials[];
  /** Twelve digits. */
  accountId: string;
  /** Resources, sessions, recordings in progress and the live window live here. */
  dataDir: string;
  objectStore: RecordingStore;
  ffmpeg: Ffmpeg;
  /** Takes an event for delivery; resolves once it cannot be lost any more. */
  emit: (event: EventBridgeEvent) => Promise<void>;
  /** Where each listener binds on 127.0.0.1; 0 picks a free port. */
  ports: { readonly rtmp: number; readonly rtmps: number; readonly playback: number };
  /** Requests per second as IVS grants them. Default true. */
  throttled?: boolean;
  /** How far viewers can go back. Default 300 s. */
  dvrWindowSeconds?: number;
  /** Broadcasts at one time in the account. Default 100. */
  maxConcurrentStreams?: number;
  /** A publisher that sends nothing for so long is disconnected. Default 30,000 ms. */
  ingestIdleMs?: number;
  /** A broadcast that sends no media for so long is starving. Default 3,000 ms. */
  starvationMs?: number;
  now?: () => Date;
  log?: (line: string) => void;
};
