import { throttled } from '../errors.ts';

/**
 * Requests per second that IVS grants each operation, which nobody can raise ("Service Quotas", IVS Low-Latency
 * User Guide). Operations that are not named have five.
 */
const PER_SECOND: Readonly<Record<string, number>> = {
  PutMetadata: 155,
  StartViewerSessionRevocation: 10,
  CreateRecordingConfiguration: 3,
  GetRecordingConfiguration: 3,
  ListRecordingConfigurations: 3,
  DeleteRecordingConfiguration: 3,
  ImportPlaybackKeyPair: 3,
  GetPlaybackKeyPair: 3,
  ListPlaybackKeyPairs: 3,
  DeletePlaybackKeyPair: 3,
  BatchStartViewerSessionRevocation: 2,
};
const DEFAULT_PER_SECOND = 5;
const METADATA_PER_SECOND_AND_CHANNEL = 5;

export type Limits = {
  /** @throws IvsError ThrottlingException */
  take(operation: string): void;
  /** @throws IvsError ThrottlingException */
  takeMetadata(channelArn: string): void;
};

/** Buckets that hold one second's worth of requests and fill at that rate. */
export function createLimits(enabled: boolean, now: () => Date): Limits {
  const buckets = new Map<string, { tokens: number; atMs: number }>();

  function take(name: string, perSecond: number): void {
    if (!enabled) return;
    const nowMs = now().getTime();
    const bucket = buckets.get(name) ?? { tokens: perSecond, atMs: nowMs };
    const tokens = Math.min(perSecond, bucket.tokens + ((nowMs - bucket.atMs) / 1000) * perSecond);
    if (tokens < 1) throw throttled();
    buckets.set(name, { tokens: tokens - 1, atMs: nowMs });
  }

  return {
    take: (operation) => take(operation, PER_SECOND[operation] ?? DEFAULT_PER_SECOND),
    takeMetadata: (channelArn) => take(channelArn, METADATA_PER_SECOND_AND_CHANNEL),
  };
}
