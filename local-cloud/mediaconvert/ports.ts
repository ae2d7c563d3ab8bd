import type { AwsCredentials } from '../aws-gate/verify.ts';
import type { EventBridgeEvent } from '../events/index.ts';
import type { Ffmpeg } from '../ffmpeg/index.ts';

/** The part of the local S3 that the transcoder needs: it reads and writes beside the S3 API, on the same disk. */
export type ObjectStore = {
  /** Path of an object's bytes; undefined when the bucket or the key does not exist. */
  objectPath(bucket: string, key: string): string | undefined;
  /** Stores a copy of a file as an object. Rejects when the bucket does not exist. */
  putFile(
    bucket: string,
    key: string,
    sourcePath: string,
    options: { contentType: string },
  ): Promise<unknown>;
  /** Removes an object; used to take back the outputs of a job that is cancelled while uploading. */
  deleteObject(bucket: string, key: string): Promise<unknown>;
};

export type MediaConvertOptions = {
  region: string;
  credentials: readonly AwsCredentials[];
  /** Twelve digits. */
  accountId: string;
  /** Jobs and scratch files live here. */
  dataDir: string;
  objectStore: ObjectStore;
  ffmpeg: Ffmpeg;
  /** Takes a job event for delivery; resolves once it cannot be lost any more. */
  emit: (event: EventBridgeEvent) => Promise<void>;
  now?: () => Date;
  /** Default 1: an encode already uses every core. */
  maxConcurrentJobs?: number;
  /** x264 preset. Default `ultrafast`. */
  preset?: string;
  /** Least time between two STATUS_UPDATE events of a job. Default 1,000 ms, as local jobs are over in seconds. */
  statusUpdateIntervalMs?: number;
  log?: (line: string) => void;
};
