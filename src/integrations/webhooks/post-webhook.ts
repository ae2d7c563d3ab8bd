import type { Config } from '../../config/index.ts';
import { fetchPublic, OutboundError, readAtMost } from '../outbound/index.ts';

/** What a receiver said, or why nothing came. */
export interface WebhookAnswer {
  /** Undefined: no answer. */
  readonly status: number | undefined;
  /** A word for what went wrong before there was an answer. */
  readonly error: string | undefined;
  /** The beginning of what it said. */
  readonly excerpt: string;
  /** From `Retry-After`. */
  readonly retryAfterSeconds: number | undefined;
  readonly durationMs: number;
}

const excerptBytes = 1_024;
const userAgent = 'SocialFlow-Webhooks/1.0';

/**
 * Posts a webhook to an address a user gave: public ones only, redirects not followed, under a deadline that also covers what
 * is read of the answer. Never throws: whatever happens is the receiver's doing, and goes into the log.
 */
export async function postWebhook(
  config: Pick<Config, 'outbound' | 'webhooks'>,
  request: {
    readonly url: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  },
): Promise<WebhookAnswer> {
  const startedAt = Date.now();
  const elapsed = () => Math.max(0, Date.now() - startedAt);
  const signal = AbortSignal.timeout(config.webhooks.attemptTimeoutMs);
  try {
    const { response } = await fetchPublic(config.outbound, request.url, {
      method: 'POST',
      headers: {
        ...request.headers,
        'content-type': 'application/json',
        accept: '*/*',
        'user-agent': userAgent,
      },
      body: request.body,
      maxRedirects: 0,
      signal,
    });
    const { status } = response;
    const retryAfterSeconds = secondsOf(response.headers.get('retry-after'));
    const excerpt = await readAtMost(response, excerptBytes).then(printable, () => '');
    return { status, error: undefined, excerpt, retryAfterSeconds, durationMs: elapsed() };
  } catch (error) {
    return {
      status: undefined,
      error: signal.aborted ? 'timeout' : error instanceof OutboundError ? failureOf(error) : 'unreachable',
      excerpt: '',
      retryAfterSeconds: undefined,
      durationMs: elapsed(),
    };
  }
}

const failureOf = ({ failure, problem }: OutboundError): string =>
  problem === undefined ? failure : `${failure}_${problem}`;

// Only the form in seconds: a date is as good as the clock of whoever wrote it.
const secondsOf = (header: string | null): number | undefined =>
  header !== null && /^\d{1,6}$/.test(header) ? Number(header) : undefined;

const decoder = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true });

// Postgres keeps no NUL, and whoever reads the log wants no control characters.
const printable = (bytes: Uint8Array): string =>
  decoder.decode(bytes).replace(/(?![\n\t])\p{Cc}|[\u202a-\u202e\u2066-\u2069]/gu, '\ufffd');
