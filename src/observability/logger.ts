export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Fields that may be written. Anything not listed is dropped, so a secret can only leak by being given one of these names. */
const allowedFields = new Set([
  'request_id', 'trace_id', 'span_id', 'method', 'route', 'path', 'status', 'duration_ms', 'actor', 'user_id', 'session_id',
  'error_code', 'error_name', 'stack', 'db_round_trips', 'db_background_round_trips', 'country', 'colo', 'user_agent', 'release',
  'environment', 'event_id', 'event_type', 'queue', 'attempts', 'delay_seconds', 'handler', 'job', 'cron', 'count', 'video_id', 'upload_id',
  'post_id', 'job_id', 'provider_job_id', 'state', 'statement', 'reason', 'failure_code', 'entries', 'detail_type', 'setting', 'cache', 'hit_rate', 'object', 'key_id',
  'source', 'service', 'provider', 'operation', 'rate_limit_policy', 'replayed', 'connection', 'percent', 'oldest_age_seconds',
  'partitions_made', 'processed_events_pruned', 'inbound_events_pruned', 'sessions_pruned', 'replays_pruned', 'users', 'posts', 'audit_seq', 'audit_hash', 'audit_origins_erased',
]); // biome-ignore format: one list

export type LogFields = Readonly<Record<string, unknown>>;

/** One JSON object a line. Events are named `noun.verb`. */
export interface Logger {
  log(level: LogLevel, event: string, fields?: LogFields): void;
  /** A logger that adds `fields` to every line. */
  with(fields: LogFields): Logger;
}

const rank = { debug: 0, info: 1, warn: 2, error: 3, silent: 4 } as const;
const maxValueLength = 2_000;

// Control characters could forge or split lines in a reader that is not a JSON parser; JSON.stringify escapes the rest.
const clean = (value: unknown): unknown =>
  typeof value === 'string'
    ? value.slice(0, maxValueLength)
    : typeof value === 'bigint'
      ? value.toString()
      : value;

export function createLogger(
  minimum: keyof typeof rank,
  base: LogFields = {},
  write: (line: string, level: LogLevel) => void = writeToConsole,
): Logger {
  return {
    log(level, event, fields = {}) {
      if (rank[level] < rank[minimum]) return;
      const line: Record<string, unknown> = { time: new Date().toISOString(), level, event };
      for (const source of [base, fields])
        for (const [key, value] of Object.entries(source))
          if (allowedFields.has(key) && value !== undefined) line[key] = clean(value);
      write(JSON.stringify(line), level);
    },
    with: (fields) => createLogger(minimum, { ...base, ...fields }, write),
  };
}

function writeToConsole(line: string, level: LogLevel): void {
  if (level === 'error') console.error(line);
  else if (level === 'warn') console.warn(line);
  else console.log(line);
}
