import { stripVTControlCharacters, styleText } from 'node:util';

// What wrangler prints about itself at every start and reload; its warnings and errors pass.
const noise = [
  /^\s*$/,
  /^\s*env\.\w+/,
  /^(Binding|Your Worker has access|Using secrets defined|─+)/,
  /^\s*⛅️ wrangler/,
  /\[custom build\] Running/,
  /^\[wrangler:info\] (GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS|QUEUE) /,
  /^⎔ /,
  /Scheduled Workers are not automatically triggered/,
  /To manually trigger a scheduled event|cdn-cgi\/local\/scheduled|test-cron-triggers-locally/,
];

const quiet = new Set(['message.handled', 'cron.completed', 'cron.skipped']);

/** A line of the Worker's output for people: a request or event in a few words; undefined when it is not worth showing. */
export function readableLine(line: string): string | undefined {
  const plain = stripVTControlCharacters(line);
  if (plain.startsWith('{"time"')) return readableEvent(plain);
  return noise.some((pattern) => pattern.test(plain)) ? undefined : plain;
}

function readableEvent(line: string): string | undefined {
  let fields: Record<string, unknown>;
  try {
    fields = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return line;
  }
  const {
    time: _time,
    level,
    event,
    release: _release,
    environment: _environment,
    trace_id: _trace,
    span_id: _span,
    ...rest
  } = fields;
  if (event === 'request.completed') {
    const status = Number(rest.status);
    const colour = status >= 500 ? 'red' : status >= 400 ? 'yellow' : 'green';
    const code = rest.error_code === undefined ? '' : ` ${rest.error_code}`;
    return `${String(rest.method).padEnd(6)} ${rest.path} ${styleText(colour, String(status))}${code} ${styleText('dim', `${rest.duration_ms} ms, ${rest.db_round_trips} trips`)}`;
  }
  if (level === 'info' && quiet.has(String(event))) return undefined;
  const colour = level === 'error' ? 'red' : level === 'warn' ? 'yellow' : 'cyan';
  const details = Object.entries(rest).map(([key, value]) => `${key}=${String(value)}`);
  return `${styleText(colour, String(event))} ${styleText('dim', details.join(' '))}`;
}
