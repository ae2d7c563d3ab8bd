import type { RequestContext } from '../../../context.ts';
import { uploadPart } from '../../../integrations/aws/index.ts';
import { fetchPublic, OutboundError } from '../../../integrations/outbound/index.ts';
import { publishEvents } from '../../../jobs/publish.ts';
import { type ClaimedImport, renewLease, restartImport, saveImportedPart } from '../imports.repository.ts';
import type { FailureCode } from '../policy/failures.ts';
import { type ImportAnswer, readAnswer } from '../policy/import-answer.ts';
import { planParts } from '../policy/part-plan.ts';
import { percentOf, quarterOf } from '../policy/upload-progress.ts';
import { declareSize } from '../upload-reservations.repository.ts';
import { quarterEvents } from './quarter-events.ts';

export interface ImportRun {
  readonly uploadId: string;
  readonly leaseId: string;
}

export type CopyOutcome =
  | { readonly kind: 'copied'; readonly totalBytes: number; readonly s3UploadId: string }
  /** Enough for one run; the next goes on. */
  | { readonly kind: 'paused' }
  /** May pass; `code` is the reason when it does not. */
  | { readonly kind: 'interrupted'; readonly code: FailureCode }
  | { readonly kind: 'failed'; readonly code: FailureCode }
  /** Somebody else has the import, or it has ended. */
  | { readonly kind: 'lost' };

type Bytes = Extract<ImportAnswer, { kind: 'bytes' }>;

// A consumer of Queues has 15 minutes and 1,000 calls (https://developers.cloudflare.com/queues/platform/limits/); each part
// takes two.
const pausesAfterMs = 240_000;
const endsAfterMs = 780_000;
const partsPerRun = 300;
/** A slow server needs longer for a part than the lease lasts. */
const renewsAfterMs = 30_000;
/** Without a byte for so long, the server counts as away. */
const stallMs = 30_000;

/**
 * Copies what is missing of a file to S3, part by part, with one part in memory. The server may stop, lie and stall; what it may
 * not do is make us call anything that is not public, store more than allowed or wait for ever.
 * @throws AwsError, and what the database throws.
 */
export async function copyFile(
  ctx: RequestContext,
  run: ImportRun,
  claimed: ClaimedImport,
  address: string,
): Promise<CopyOutcome> {
  const { s3UploadId } = claimed.upload;
  if (s3UploadId === null) return { kind: 'lost' };
  const patience = patienceOf(stallMs);
  try {
    const canResume = claimed.doneBytes > 0 && claimed.validator !== null;
    const position = canResume
      ? { doneBytes: claimed.doneBytes, totalBytes: claimed.totalBytes }
      : { doneBytes: 0, totalBytes: null };
    const { response } = await fetchPublic(ctx.config.outbound, address, {
      method: 'GET',
      headers: {
        'accept-encoding': 'identity',
        range: `bytes=${position.doneBytes}-`,
        'user-agent': 'social-flow',
        ...(canResume && claimed.validator !== null ? { 'if-range': claimed.validator } : {}),
      },
      maxRedirects: 5,
      signal: patience.signal,
    });
    const answer = readAnswer(response.status, response.headers, position);
    if (answer.kind === 'bytes')
      return await copyBody(ctx, run, claimed, { s3UploadId, answer, response, patience });
    await response.body?.cancel();
    return await withoutBody(ctx, run, position.doneBytes, s3UploadId, answer);
  } catch (error) {
    if (!(error instanceof OutboundError)) throw error;
    if (error.retryable) return { kind: 'interrupted', code: 'import_unreachable' };
    const unknown = error.failure === 'unknown_host' || error.failure === 'too_many_redirects';
    return { kind: 'failed', code: unknown ? 'import_not_available' : 'import_address_refused' };
  } finally {
    patience.end();
  }
}

async function withoutBody(
  ctx: RequestContext,
  run: ImportRun,
  doneBytes: number,
  s3UploadId: string,
  answer: Exclude<ImportAnswer, { kind: 'bytes' }>,
): Promise<CopyOutcome> {
  switch (answer.kind) {
    case 'complete':
      return { kind: 'copied', totalBytes: doneBytes, s3UploadId };
    case 'changed': {
      const nothing = { validator: null, totalBytes: null };
      const isOurs = await restartImport(ctx.databases.primary, run, nothing);
      return isOurs ? { kind: 'interrupted', code: 'import_broken' } : { kind: 'lost' };
    }
    case 'later':
      return { kind: 'interrupted', code: 'import_unreachable' };
    case 'failed':
      return answer;
  }
}

interface Transfer {
  readonly s3UploadId: string;
  readonly answer: Bytes;
  readonly response: Response;
  readonly patience: Patience;
}

async function copyBody(
  ctx: RequestContext,
  run: ImportRun,
  { upload }: ClaimedImport,
  { s3UploadId, answer, response, patience }: Transfer,
): Promise<CopyOutcome> {
  const { aws, videos } = ctx.config;
  const { primary } = ctx.databases;
  const reader = response.body?.getReader();
  const stop = async (outcome: CopyOutcome): Promise<CopyOutcome> => {
    await reader?.cancel().catch(() => undefined);
    return outcome;
  };
  const { startsAt, totalBytes } = answer;
  if (totalBytes === 0 || reader === undefined) return stop({ kind: 'failed', code: 'import_not_available' });
  if ((totalBytes ?? 0) > videos.maxFileBytes) return stop({ kind: 'failed', code: 'import_too_large' });
  const plan = planParts(totalBytes ?? videos.maxFileBytes);
  if (startsAt === 0) {
    if (!(await restartImport(primary, run, answer))) return stop({ kind: 'lost' });
    const size = { id: upload.id, ownerId: upload.ownerId, sizeBytes: totalBytes ?? 0, ...plan };
    if (totalBytes !== null && (await declareSize(primary, size, videos)) !== undefined)
      return stop({ kind: 'failed', code: 'import_over_quota' });
  }

  const target = { bucket: aws.uploadsBucket, key: upload.objectKey, uploadId: s3UploadId };
  const events = quarterEvents(ctx, upload);
  const part = new Uint8Array(plan.partSizeBytes);
  const begunAtMs = ctx.clock.now();
  let filled = 0;
  let doneBytes = startsAt;
  let parts = 0;
  let heldAtMs = begunAtMs;
  const store = async (): Promise<boolean> => {
    patience.pause();
    const partNumber = Math.floor(doneBytes / plan.partSizeBytes) + 1;
    const etag = await uploadPart(aws, { ...target, partNumber }, part.slice(0, filled));
    doneBytes += filled;
    filled = 0;
    parts += 1;
    const percent = totalBytes === null ? 0 : percentOf(doneBytes, totalBytes);
    const kept = { partNumber, etag, doneBytes, percent, quarter: quarterOf(percent) };
    const isOurs = await saveImportedPart(primary, run, kept, events);
    if (kept.quarter > 0) await publishEvents(ctx, { ids: events.map(({ id }) => id), limit: events.length });
    patience.restart();
    heldAtMs = ctx.clock.now();
    return isOurs;
  };

  for (;;) {
    const chunk = await nextOf(reader);
    if (chunk === 'broken') return { kind: 'interrupted', code: 'import_broken' };
    patience.restart();
    if (chunk === undefined) break;
    for (let taken = 0; taken < chunk.length; ) {
      const piece = chunk.subarray(taken, taken + plan.partSizeBytes - filled);
      part.set(piece, filled);
      filled += piece.length;
      taken += piece.length;
      if (doneBytes + filled > (totalBytes ?? videos.maxFileBytes))
        return stop({
          kind: 'failed',
          code: totalBytes === null ? 'import_too_large' : 'import_not_available',
        });
      if (filled === plan.partSizeBytes && !(await store())) return stop({ kind: 'lost' });
    }
    const nowMs = ctx.clock.now();
    const runMs = nowMs - begunAtMs;
    if (filled === 0 && answer.validator !== null && (runMs > pausesAfterMs || parts >= partsPerRun))
      return stop({ kind: 'paused' });
    if (runMs > endsAfterMs) return stop({ kind: 'failed', code: 'import_too_slow' });
    if (nowMs - heldAtMs > renewsAfterMs) {
      if (!(await renewLease(primary, run))) return stop({ kind: 'lost' });
      heldAtMs = nowMs;
    }
  }
  if (totalBytes !== null && doneBytes + filled < totalBytes)
    return { kind: 'interrupted', code: 'import_broken' };
  if (filled > 0 && !(await store())) return { kind: 'lost' };
  return doneBytes === 0
    ? { kind: 'failed', code: 'import_not_available' }
    : { kind: 'copied', totalBytes: doneBytes, s3UploadId };
}

async function nextOf(
  reader: ReadableStreamDefaultReader<Uint8Array>,
): Promise<Uint8Array | undefined | 'broken'> {
  try {
    const { done, value } = await reader.read();
    return done ? undefined : value;
  } catch {
    return 'broken';
  }
}

interface Patience {
  readonly signal: AbortSignal;
  restart(): void;
  /** While we are the slow ones. */
  pause(): void;
  end(): void;
}

function patienceOf(ms: number): Patience {
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | null = null;
  const pause = (): void => clearTimeout(timer);
  const restart = (): void => {
    pause();
    timer = setTimeout(() => controller.abort(), ms);
  };
  restart();
  return { signal: controller.signal, restart, pause, end: pause };
}
