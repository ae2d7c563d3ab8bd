import type { LocalSecrets } from './secrets.ts';
import type { StackOptions } from './stack.ts';

export const region = 'us-east-1';
export const accountId = '000000000000';
export const uploadsBucket = 'social-flow-uploads';
export const mediaBucket = 'social-flow-media';
export const recordingsBucket = 'social-flow-recordings';
export const distributionId = 'ELOCALDISTRIBUTION';

/** Where each part listens, if nobody else does. */
export const preferredPorts = {
  postgres: 55_432,
  neon: 4_480,
  s3: 9_000,
  aws: 9_001,
  cdn: 9_002,
  mail: 9_003,
  sms: 9_007,
  oauth: 9_006,
  breachedPasswords: 9_005,
  turnstile: 9_004,
  webhookInbox: 9_008,
  playback: 9_009,
  rtmp: 1_935,
  rtmps: 1_936,
};

/** What the parts of the stack are started with. */
export interface Parts {
  readonly options: StackOptions;
  readonly secrets: LocalSecrets;
  /** AWS credentials that the stand-ins of AWS accept. */
  readonly credentials: readonly { readonly accessKeyId: string; readonly secretAccessKey: string }[];
  /** Ends a part again; called in reverse order. */
  onStop(close: () => Promise<unknown>): void;
}

/** Begins a step of the start, unless it was given up. @returns its time, for `status.ok`. */
export function beginStep(options: StackOptions): number {
  options.signal?.throwIfAborted();
  return Date.now();
}
