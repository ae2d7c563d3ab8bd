import { utf8 } from '../../shared/encoding.ts';

/** The events somebody here waits for, with the message each becomes. */
export const takenEvents = {
  'aws.mediaconvert/MediaConvert Job State Change': 'mediaconvert.job_changed',
  'aws.guardduty/GuardDuty Malware Protection Object Scan Result': 'guardduty.object_scanned',
  'aws.ivs/IVS Stream State Change': 'ivs.stream_changed',
  'aws.ivs/IVS Stream Health Change': 'ivs.stream_changed',
  'aws.ivs/IVS Limit Breach': 'ivs.stream_changed',
  'aws.ivs/IVS Recording State Change': 'ivs.recording_changed',
} as const;

export type TakenMessage = (typeof takenEvents)[keyof typeof takenEvents];

// What the handlers read of an event. The rest may be long, and a queue message holds 128 KB.
const readMembers: Readonly<Record<TakenMessage, readonly string[]>> = {
  'mediaconvert.job_changed': [
    'timestamp',
    'jobId',
    'status',
    'jobProgress',
    'outputGroupDetails',
    'errorCode',
    'errorMessage',
  ],
  'guardduty.object_scanned': ['scanStatus', 's3ObjectDetails', 'scanResultDetails'],
  'ivs.stream_changed': ['event_name', 'limit_name', 'stream_id'],
  'ivs.recording_changed': [
    'recording_status',
    'recording_s3_bucket_name',
    'recording_s3_key_prefix',
    'recording_duration_ms',
    'recording_session_stream_ids',
    'stream_id',
  ],
};
const readMetadata = ['job_id', 'video_id', 'attempt', 'environment'] as const;

const maxDetailBytes = 65_536;
const maxDepth = 10;

/**
 * The part of an event's detail that is handed on, in a form Postgres stores. Outputs are dropped when they are too long:
 * they can be asked for.
 * @returns undefined when it is too long even so, which no event of AWS is.
 */
export function relevantDetail(
  type: TakenMessage,
  detail: Readonly<Record<string, unknown>>,
): Record<string, unknown> | undefined {
  const kept = storable(chosen(detail, readMembers[type]), 0) as Record<string, unknown>;
  if (typeof detail.userMetadata === 'object' && detail.userMetadata !== null)
    kept.userMetadata = storable(
      chosen(detail.userMetadata as Readonly<Record<string, unknown>>, readMetadata),
      0,
    );
  if (typeof kept.errorMessage === 'string') kept.errorMessage = kept.errorMessage.slice(0, 2_000);
  if (byteLength(kept) > maxDetailBytes) delete kept.outputGroupDetails;
  return byteLength(kept) > maxDetailBytes ? undefined : kept;
}

const chosen = (from: Readonly<Record<string, unknown>>, names: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(names.flatMap((name) => (from[name] === undefined ? [] : [[name, from[name]]])));

const byteLength = (value: unknown): number => utf8(JSON.stringify(value)).length;

/** Without what `jsonb` refuses (U+0000, half a surrogate pair) and without what lies too deep to be walked. */
function storable(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return value.toWellFormed().replaceAll('\0', '\ufffd');
  if (typeof value !== 'object' || value === null) return value;
  if (depth === maxDepth) return null;
  if (Array.isArray(value)) return value.map((item) => storable(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      String(storable(name, depth)),
      storable(member, depth + 1),
    ]),
  );
}
