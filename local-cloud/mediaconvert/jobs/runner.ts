import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { killLeftover } from '../../ffmpeg/index.ts';
import { JobFailure } from '../errors.ts';
import type { MediaConvertOptions } from '../ports.ts';
import { accelerationObstacle } from '../transcode/acceleration.ts';
import { processNote, transcode } from '../transcode/transcode.ts';
import { completion, type EventSource, inputInformation, jobEvent, statusUpdate } from './events.ts';
import { isFinished, type JobPhase, type JobRecord } from './job.ts';
import { createPublisher } from './publisher.ts';
import type { JobStore } from './store.ts';

/** Starts of one job after which it is given up: something about it keeps bringing the local cloud down. */
const MAX_ATTEMPTS = 5;
const DEFAULT_STATUS_INTERVAL_MS = 1000;
/** Share of the whole that a phase starts at and covers, in percent. */
const PHASE_SHARES: Record<JobPhase, { from: number; share: number }> = {
  PROBING: { from: 0, share: 2 },
  TRANSCODING: { from: 2, share: 90 },
  UPLOADING: { from: 92, share: 8 },
};

/** Removes what an earlier run left behind, and ends the ffmpeg that outlived it. */
function clearWorkRoot(workRoot: string, log: (line: string) => void): void {
  for (const name of existsSync(workRoot) ? readdirSync(workRoot) : []) {
    if (killLeftover(processNote(join(workRoot, name)))) log(`ended an ffmpeg left over in ${name}`);
  }
  rmSync(workRoot, { recursive: true, force: true, maxRetries: 5 });
}

export type JobRunner = {
  /** Starts waiting jobs while there is room. */
  pump(): void;
  /** Cancels a job that is not finished; resolves when its ffmpeg is gone and its outputs are taken back. */
  cancel(job: JobRecord): Promise<void>;
  /** Stops all work and leaves unfinished jobs to the next start. */
  close(): Promise<void>;
};

type Reason = 'canceled' | 'closing';

/** Runs jobs, highest priority first and otherwise in the order of submission. */
export function createJobRunner(options: MediaConvertOptions, store: JobStore): JobRunner {
  const log = options.log ?? (() => {});
  const now = options.now ?? (() => new Date());
  const source: EventSource = { region: options.region, accountId: options.accountId, now };
  const workRoot = join(options.dataDir, 'work');
  clearWorkRoot(workRoot, log);
  const publisher = createPublisher(store, options.emit, log);
  const running = new Map<string, { controller: AbortController; done: Promise<void> }>();
  let closed = false;
  publisher.resume();

  function pump(): void {
    while (!closed && running.size < (options.maxConcurrentJobs ?? 1)) {
      const next = store
        .all()
        .filter((job) => !isFinished(job) && !running.has(job.id))
        .sort((a, b) => (b.request.priority ?? 0) - (a.request.priority ?? 0))[0];
      if (!next) return;
      const controller = new AbortController();
      const done = run(next, controller.signal)
        .catch((error: unknown) => log(`job ${next.id}: ${String(error)}`))
        .finally(() => {
          running.delete(next.id);
          pump();
        });
      running.set(next.id, { controller, done });
    }
  }

  async function run(job: JobRecord, signal: AbortSignal): Promise<void> {
    job.attempts += 1;
    if (job.attempts > MAX_ATTEMPTS)
      return fail(job, new JobFailure(1999, 'the job was interrupted too often'));
    job.status = 'PROGRESSING';
    job.startedAtMs ??= now().getTime();
    job.percentComplete = 0;
    await publisher.publish(job, jobEvent(source, job, 'PROGRESSING'));
    try {
      const result = await transcode({
        job: job.request,
        workDirectory: join(workRoot, `${job.id}-${randomUUID()}`),
        ffmpeg: options.ffmpeg,
        objectStore: options.objectStore,
        preset: options.preset ?? 'ultrafast',
        signal,
        onInput: (probe) => {
          job.accelerated = accelerationObstacle(job.request.settings, probe) === undefined;
          return publisher.publish(
            job,
            jobEvent(source, job, 'INPUT_INFORMATION', inputInformation(job, probe)),
          );
        },
        onProgress: progressReporter(job),
      });
      job.outputGroups = result.outputGroups;
      job.warnings = result.warnings;
      job.percentComplete = 100;
      await finish(job, 'COMPLETE', completion(job));
    } catch (error) {
      const reason: Reason | undefined = signal.aborted ? signal.reason : undefined;
      if (reason === 'closing') return;
      if (reason === 'canceled') await finish(job, 'CANCELED', {});
      else await fail(job, error);
    }
  }

  function progressReporter(job: JobRecord): (phase: JobPhase, phasePercent: number, frames: number) => void {
    let lastSentMs = now().getTime();
    let framesDecoded = 0;
    return (phase, phasePercent, frames) => {
      const { from, share } = PHASE_SHARES[phase];
      job.phase = phase;
      job.percentComplete = Math.max(
        job.percentComplete ?? 0,
        Math.floor(from + (share * phasePercent) / 100),
      );
      framesDecoded = Math.max(framesDecoded, frames);
      const atMs = now().getTime();
      if (atMs - lastSentMs < (options.statusUpdateIntervalMs ?? DEFAULT_STATUS_INTERVAL_MS)) return;
      lastSentMs = atMs;
      const detail = statusUpdate(job, phase, phasePercent, framesDecoded);
      publisher.send(jobEvent(source, job, 'STATUS_UPDATE', detail));
    };
  }

  async function fail(job: JobRecord, error: unknown): Promise<void> {
    const known = error instanceof JobFailure;
    if (!known) log(`job ${job.id}: ${error instanceof Error ? error.stack : String(error)}`);
    job.errorCode = known ? error.code : 1999;
    job.errorMessage = known ? error.message : 'an unexpected error occurred';
    await finish(job, 'ERROR', { errorCode: job.errorCode, errorMessage: job.errorMessage });
  }

  async function finish(
    job: JobRecord,
    status: 'COMPLETE' | 'CANCELED' | 'ERROR',
    detail: Record<string, unknown>,
  ): Promise<void> {
    job.status = status;
    job.finishedAtMs = now().getTime();
    await publisher.publish(job, jobEvent(source, job, status, detail));
  }

  async function cancel(job: JobRecord): Promise<void> {
    const active = running.get(job.id);
    if (!active) return finish(job, 'CANCELED', {});
    active.controller.abort('canceled' satisfies Reason);
    await active.done;
  }

  async function close(): Promise<void> {
    closed = true;
    const active = [...running.values()];
    for (const { controller } of active) controller.abort('closing' satisfies Reason);
    await Promise.all(active.map(({ done }) => done));
    await publisher.close();
  }

  return { pump, cancel, close };
}
