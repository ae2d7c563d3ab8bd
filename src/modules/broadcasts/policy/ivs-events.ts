import { z } from 'zod';

// https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/eventbridge.html

/** What an event says about a session of a channel; undefined members are not spoken of. */
export interface SessionNews {
  readonly sessionId: string;
  readonly startedAt?: string;
  readonly endedAt?: string;
  readonly failureCode?: string;
}

/** What an event says about how well a session is fed. */
export interface HealthNews {
  readonly sessionId: string;
  readonly health: 'healthy' | 'starving';
}

const streamDetail = z.object({
  event_name: z.string().max(64).optional(),
  limit_name: z.string().max(64).optional(),
  stream_id: z.string().min(1).max(128),
});

/**
 * What a `IVS Stream State Change`, `IVS Stream Health Change` or `IVS Limit Breach` says. `Session Created` and takeovers change
 * nothing for viewers; a breach ends the session, and its end is told by an event of its own.
 */
export function readStreamEvent(
  time: string,
  detail: Readonly<Record<string, unknown>>,
): SessionNews | HealthNews | undefined {
  const parsed = streamDetail.safeParse(detail);
  if (!parsed.success) return undefined;
  const { event_name: name, limit_name: limit, stream_id: sessionId } = parsed.data;
  if (limit !== undefined) return { sessionId, failureCode: 'limit_breach' };
  switch (name) {
    case 'Stream Start':
      return { sessionId, startedAt: time };
    case 'Stream End':
    case 'Session Ended':
      return { sessionId, endedAt: time };
    case 'Stream Failure':
      return { sessionId, endedAt: time, failureCode: 'stream_failure' };
    case 'Starvation Start':
      return { sessionId, health: 'starving' };
    case 'Starvation End':
      return { sessionId, health: 'healthy' };
    default:
      return undefined;
  }
}

/** What an `IVS Recording State Change` says. */
export interface RecordingNews {
  readonly kind: 'began' | 'ended' | 'failed';
  readonly bucket: string;
  /** Of every key of the recording, without a slash at its end. */
  readonly prefix: string;
  readonly sessionIds: readonly string[];
  readonly durationMs: number | undefined;
}

const recordingDetail = z.object({
  recording_status: z.string().max(64),
  recording_s3_bucket_name: z.string().min(3).max(63),
  recording_s3_key_prefix: z.string().regex(/^ivs\/v1\/[\w/-]{1,400}$/),
  recording_duration_ms: z.number().int().min(0).optional(),
  recording_session_stream_ids: z.array(z.string().min(1).max(128)).max(1_000).optional(),
  stream_id: z.string().min(1).max(128).optional(),
});

const recordingKinds: Readonly<Record<string, RecordingNews['kind']>> = {
  'Recording Start': 'began',
  'Recording End': 'ended',
  'Recording Start Failure': 'failed',
  'Recording End Failure': 'failed',
};

/** Whether a recording lies where IVS puts those of this channel: `ivs/v1/<account>/<channel>/`, and then its own folders. */
export function isRecordedBy(channelArn: string, prefix: string): boolean {
  const [, account, channel] = /^arn:[\w-]+:ivs:[\w-]+:(\d+):channel\/(\w+)$/.exec(channelArn) ?? [];
  return account !== undefined && prefix.startsWith(`ivs/v1/${account}/${channel}/`);
}

export function readRecordingEvent(detail: Readonly<Record<string, unknown>>): RecordingNews | undefined {
  const parsed = recordingDetail.safeParse(detail);
  const kind = parsed.success ? recordingKinds[parsed.data.recording_status] : undefined;
  if (!parsed.success || kind === undefined) return undefined;
  const { recording_session_stream_ids: ids = [], stream_id: id } = parsed.data;
  return {
    kind,
    bucket: parsed.data.recording_s3_bucket_name,
    prefix: parsed.data.recording_s3_key_prefix.replace(/\/+$/, ''),
    sessionIds: [...new Set([...(id === undefined ? [] : [id]), ...ids])],
    durationMs: parsed.data.recording_duration_ms,
  };
}
