import type { RequestContext } from '../../../context.ts';
import { insertEvents, newEvent } from '../../../db/outbox.ts';
import { getJob } from '../../../integrations/aws/index.ts';
import { publishEvents } from '../../../jobs/publish.ts';
import { claimSilentJobs, type EncodeJobRow } from '../encode-jobs.repository.ts';
import { claimMissingExtras, findUnbuiltCaptions } from '../extras.repository.ts';
import { reportOfJob } from '../policy/job-reports.ts';
import { claimStalledProbes } from '../probe.repository.ts';
import { makeExtras } from './make-extras.ts';
import { refuse } from './probe-video.ts';
import { reportJob } from './report-job.ts';
import { startQueuedJobs } from './start-queued-jobs.ts';
import { submitJob } from './submit-encode.ts';

const batchSize = 25;
const givesUpAfterSeconds = 259_200;

/**
 * Finds out what lost messages would have told: asks MediaConvert about jobs nobody has heard of for a while, submits those
 * that never got there, starts what waits in our queue, makes what published videos lack beside what is played, and sends waiting
 * videos to be probed again. One that fails is left for the next run.
 */
export async function reconcileEncodeJobs(ctx: RequestContext): Promise<void> {
  const { primary } = ctx.databases;
  const options = {
    nowMs: ctx.clock.now(),
    silentSeconds: ctx.config.videos.reconcileAfterSeconds,
    limit: batchSize,
  };
  for (const job of await claimSilentJobs(primary, options))
    await attempt(ctx, job.id, () => (job.providerJobId === null ? submitJob(ctx, job) : askAbout(ctx, job)));
  await startQueuedJobs(ctx);
  for (const id of await claimMissingExtras(primary, options))
    await attempt(ctx, id, () => makeExtras(ctx, id));
  for (const id of await findUnbuiltCaptions(primary, options.silentSeconds, batchSize))
    await attempt(ctx, id, () => makeExtras(ctx, id));
  for (const video of await claimStalledProbes(primary, options))
    await attempt(ctx, video.id, async () => {
      if (video.waitingSeconds > givesUpAfterSeconds) return refuse(ctx, video, 'probe_timeout');
      const again = newEvent(ctx, 'video.released', { video_id: video.id, revision: video.revision });
      await insertEvents(primary, [again]);
      await publishEvents(ctx, { ids: [again.id], limit: 1 });
    });
}

async function askAbout(ctx: RequestContext, job: EncodeJobRow): Promise<void> {
  const found = await getJob(ctx.config.aws, job.providerJobId ?? '');
  const said =
    found === undefined
      ? {
          providerJobId: job.providerJobId ?? undefined,
          jobId: job.id,
          report: { kind: 'error', atMs: ctx.clock.now() } as const,
          error: { code: 'lost', message: 'MediaConvert does not know the job.' },
        }
      : reportOfJob(found, ctx.clock.now());
  if (said !== undefined) await reportJob(ctx, said);
}

async function attempt(ctx: RequestContext, id: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    ctx.log.log('warn', 'videos.reconcile_failed', {
      id,
      error_name: error instanceof Error ? error.name : 'unknown',
      reason: error instanceof Error ? error.message : undefined,
    });
  }
}
