import { type ApiCalls, isTransient, type PartUrl, type RemoteUpload, type SentPart } from './api.ts';
import { sleep, waitBefore } from './backoff.ts';
import type { PartQueue } from './part-queue.ts';
import { type Transport, UploadError, type UploadEvents, type UploadSource } from './types.ts';

export interface SendOptions<Source extends UploadSource> {
  readonly upload: RemoteUpload;
  readonly parts: PartQueue;
  readonly api: ApiCalls;
  readonly source: Source;
  readonly transport: Transport<Source>;
  readonly concurrency: number;
  readonly maxAttempts: number;
  readonly retryBaseMs: number;
  readonly signal: AbortSignal;
  readonly onProgress: () => void;
  readonly onPart: (partNumber: number) => void;
  readonly onRetry: (retry: UploadEvents['retry']) => void;
}

const signedAtOnce = 20;
const acknowledgedAtOnce = 20;
const urlMarginMs = 30_000;

/**
 * Sends every part that is left, several at a time. Failures halve how many; ten parts that arrive let one more go.
 * @throws UploadError when a part fails too often or is refused for good; the signal's reason when it is aborted.
 */
export async function sendParts<Source extends UploadSource>(options: SendOptions<Source>): Promise<void> {
  const { parts, api, upload, concurrency } = options;
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  let allowed = concurrency;
  let streak = 0;
  let signing: Promise<void> | undefined;
  const told: SentPart[] = [];
  let telling = Promise.resolve();

  const urlOf = async (partNumber: number, fresh: boolean): Promise<PartUrl> => {
    if (!fresh) {
      const kept = parts.takeUrl(partNumber, Date.now(), urlMarginMs);
      if (kept !== undefined) return kept;
      await signing;
    }
    const again = fresh ? undefined : parts.takeUrl(partNumber, Date.now(), urlMarginMs);
    if (again !== undefined) return again;
    const numbers = fresh ? [partNumber] : [partNumber, ...parts.next(signedAtOnce - 1)];
    const asked = api.sign(upload.id, numbers, signal);
    const kept = asked.then((urls) => parts.keepUrls(urls));
    signing = kept.catch(() => undefined);
    await kept;
    const url = parts.takeUrl(partNumber, Date.now(), 0);
    if (url === undefined)
      throw new UploadError('api_refused', `No address was signed for part ${partNumber}.`);
    return url;
  };

  /** Optional for the server: it only lets progress be told early and resuming be quick. */
  const tell = (last: boolean): void => {
    if (told.length === 0 || (!last && told.length < acknowledgedAtOnce)) return;
    const batch = told.splice(0);
    telling = telling.then(() => api.acknowledge(upload.id, batch, signal).catch(() => undefined));
  };

  const sendOne = async (partNumber: number): Promise<void> => {
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await tryPart(options, partNumber, await urlOf(partNumber, attempt > 1), signal);
      if ('etag' in outcome) {
        parts.finish(partNumber, outcome.etag);
        told.push({ part_number: partNumber, etag: outcome.etag });
        streak += 1;
        if (streak % 10 === 0) allowed = Math.min(concurrency, allowed + 1);
        options.onPart(partNumber);
        options.onProgress();
        tell(false);
        return;
      }
      streak = 0;
      allowed = Math.max(1, Math.floor(allowed / 2));
      if (attempt >= options.maxAttempts || outcome.final)
        throw new UploadError(
          outcome.status === undefined ? 'network' : 'storage_refused',
          `Part ${partNumber} could not be sent: ${outcome.reason}.`,
          outcome.status === undefined ? {} : { status: outcome.status },
        );
      const waitMs = waitBefore(attempt, {
        baseMs: options.retryBaseMs,
        retryAfter: outcome.retryAfter,
        random: Math.random,
      });
      options.onRetry({ what: `part ${partNumber}`, attempt, waitMs, reason: outcome.reason });
      parts.noteSent(partNumber, 0);
      await sleep(waitMs, signal);
    }
  };

  const worker = async (index: number): Promise<void> => {
    for (;;) {
      signal.throwIfAborted();
      // One that is too many waits for better times, unless it is the last one there is.
      if (index >= allowed) {
        if (parts.next(1).length === 0) return;
        await sleep(250, signal);
        continue;
      }
      const partNumber = parts.take();
      if (partNumber === undefined) return;
      try {
        await sendOne(partNumber);
      } catch (error) {
        parts.putBack(partNumber);
        failed.abort(error);
        throw error;
      }
    }
  };

  const outcomes = await Promise.allSettled(Array.from({ length: concurrency }, (_, index) => worker(index)));
  options.signal.throwIfAborted();
  const reason = outcomes.find((outcome) => outcome.status === 'rejected')?.reason;
  if (reason !== undefined) throw failed.signal.aborted ? failed.signal.reason : reason;
  tell(true);
  await telling;
}

type PartOutcome =
  | { readonly etag: string }
  | {
      readonly reason: string;
      readonly status?: number;
      readonly retryAfter: string | null;
      readonly final: boolean;
    };

async function tryPart<Source extends UploadSource>(
  { source, transport, parts, onProgress }: SendOptions<Source>,
  partNumber: number,
  { url, headers }: PartUrl,
  signal: AbortSignal,
): Promise<PartOutcome> {
  const { start, end } = parts.rangeOf(partNumber);
  try {
    const { status, etag, retryAfter } = await transport({
      url,
      headers,
      source,
      start,
      end,
      signal,
      onSent: (bytes) => {
        parts.noteSent(partNumber, bytes);
        onProgress();
      },
    });
    if (status >= 200 && status < 300)
      return etag === null
        ? {
            reason: 'the storage does not show its ETag (CORS must expose it)',
            status,
            retryAfter,
            final: true,
          }
        : { etag };
    // A signature that ran out or a clock that is off: a fresh address may do. What else is refused stays so.
    const final = !isTransient(status) && status !== 400 && status !== 403;
    return { reason: `the storage answered ${status}`, status, retryAfter, final };
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    await source.verify();
    return {
      reason: error instanceof Error ? error.message : 'the network failed',
      retryAfter: null,
      final: false,
    };
  }
}
