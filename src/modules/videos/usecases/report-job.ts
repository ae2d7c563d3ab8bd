import type { RequestContext } from '../../../context.ts';
import { insertEvents, newEvent, type OutboxEvent } from '../../../db/outbox.ts';
import { cancelJob, headObject, listObjects } from '../../../integrations/aws/index.ts';
import type { MessageOf } from '../../../jobs/messages.ts';
import { publishEvents } from '../../../jobs/publish.ts';
import {
  type EncodeJobRow,
  type EncodeOutputs,
  findReportedJob,
  saveTransition,
  type TransitionToSave,
} from '../encode-jobs.repository.ts';
import { actualCost } from '../policy/encode-cost.ts';
import { downloadKey, prefixOf, previewKey, thumbnailPrefix } from '../policy/encode-plan.ts';
import { applyReport, isFinished, type JobReport, type Transition } from '../policy/encode-state.ts';
import {
  failureOfError,
  jobEventDetail,
  madeDurationMs,
  madeRungs,
  manifestsOf,
  type ReportOfJob,
  reportOfEvent,
} from '../policy/job-reports.ts';
import { startQueuedJobs } from './start-queued-jobs.ts';

const maxTries = 5;
const handlerName = 'videos.job_changed';

/** A report names a job of ours that is not there (yet): the message is tried again. */
class UnknownJob extends Error {
  constructor(jobId: string) {
    super(`no encode job ${jobId}`);
    this.name = 'UnknownJob';
  }
}

/**
 * Takes in a MediaConvert event. Duplicates, late ones and those of other systems sharing the account change nothing.
 * @throws when the job is ours but not known yet, or a dependency did not answer: the message is tried again.
 */
export async function takeJobEvent(
  ctx: RequestContext,
  message: MessageOf<'mediaconvert.job_changed'>,
): Promise<void> {
  const parsed = jobEventDetail.safeParse(message.data.detail);
  if (!parsed.success) {
    ctx.log.log('error', 'mediaconvert.event_unreadable', { event_id: message.data.event_id });
    return;
  }
  const { environment } = parsed.data.userMetadata ?? {};
  if (environment !== undefined && environment !== ctx.config.app.environment) return;
  const said = reportOfEvent(parsed.data, Date.parse(message.data.time));
  if (said === undefined) return;
  const outcome = await reportJob(ctx, { ...said, messageId: message.id });
  if (outcome === 'unknown_job' && said.jobId !== undefined) throw new UnknownJob(said.jobId);
}

/**
 * Applies a report about a job: the one verb behind events, the reconciling cron and refused submissions. The pure state
 * machine decides; one statement writes the job, the video, what was made and the event, if nobody was faster.
 * @throws AwsError when S3 could not be asked what was made.
 */
export async function reportJob(
  ctx: RequestContext,
  said: ReportOfJob & { readonly messageId?: string },
): Promise<'applied' | 'ignored' | 'unknown_job'> {
  for (let tries = 0; tries < maxTries; tries += 1) {
    const job = await findReportedJob(ctx.databases.primary, said);
    if (job === undefined) return 'unknown_job';
    if (job.videoDeleted || job.videoWithdrawn) await clearAfter(ctx, job, said);
    const decided = await decide(ctx, job, said);
    if (!decided.transition.applies) return 'ignored';
    const { video } = decided;
    const event = eventOf(ctx, job, video);
    const waiting = progressed(ctx, job);
    const extras =
      video?.state === 'published'
        ? newEvent(ctx, 'video.extras_requested', { video_id: job.replacesId ?? job.videoId })
        : undefined;
    const saved = await saveTransition(ctx.databases.primary, job, {
      providerJobId: said.providerJobId,
      job: decided.transition.job,
      error: said.error,
      video,
      event,
      waiting,
      extras,
      actualCostMicros: decided.transition.job.state === 'complete' ? costOf(ctx, job, said) : undefined,
      accelerationStatus: said.acceleration,
      handled: said.messageId === undefined ? undefined : { handler: handlerName, messageId: said.messageId },
    });
    if (saved === 'conflict') continue;
    const events = [event, waiting, extras].flatMap((written) => written?.id ?? []);
    if (saved === 'saved' && video !== undefined)
      await publishEvents(ctx, { ids: events, limit: events.length });
    if (saved === 'saved' && isFinished(decided.transition.job.state)) await startQueuedJobs(ctx);
    return saved === 'saved' ? 'applied' : 'ignored';
  }
  throw new Error(`encode job of ${said.providerJobId ?? said.jobId} keeps changing`);
}

/**
 * The encode of a deleted or withdrawn video, which went on after its files were removed (cancelling takes a while, or our row never
 * learned of the job): stops it, and once it has ended has what it wrote since removed too.
 */
async function clearAfter(ctx: RequestContext, job: EncodeJobRow, said: ReportOfJob): Promise<void> {
  const { providerJobId, report } = said;
  if (report.kind === 'progress') {
    if (providerJobId !== undefined) await cancelJob(ctx.config.aws, providerJobId);
    return;
  }
  const told = { video_id: job.videoId, owner_id: job.ownerId };
  const again = job.videoDeleted
    ? newEvent(ctx, 'video.deleted', told)
    : newEvent(ctx, 'video.withdrawn', { ...told, prefix: prefixOf(job.plan) });
  await insertEvents(ctx.databases.primary, [again]);
  await publishEvents(ctx, { ids: [again.id], limit: 1 });
}

interface Decision {
  readonly transition: Transition;
  readonly video: TransitionToSave['video'];
}

async function decide(ctx: RequestContext, job: EncodeJobRow, said: ReportOfJob): Promise<Decision> {
  const transition = transitionOf(job, said.report);
  if (!transition.applies) return { transition, video: undefined };
  if (job.kind !== 'stream') return decideFile(ctx, job, said, transition);
  switch (transition.video) {
    case 'published': {
      const outputs = await collectOutputs(ctx, job, said);
      if (outputs !== undefined) return { transition, video: { state: 'published', outputs } };
      ctx.log.log('error', 'encode.outputs_missing', { job_id: job.id, video_id: job.videoId });
      return {
        transition: transitionOf(job, { kind: 'error', atMs: said.report.atMs }),
        video: { state: 'failed', code: 'encode_failed' },
      };
    }
    case 'failed': {
      const code = said.report.kind === 'canceled' ? 'encode_canceled' : failureOfError(said.error?.code);
      return { transition, video: { state: 'failed', code } };
    }
    case 'transcoding':
      return { transition, video: { state: 'transcoding' } };
    default:
      return { transition, video: undefined };
  }
}

/** A job that makes a single file never speaks for the video: with or without the file it stays published. */
async function decideFile(
  ctx: RequestContext,
  job: EncodeJobRow,
  said: ReportOfJob,
  transition: Transition & { readonly applies: true },
): Promise<Decision> {
  if (transition.job.state !== 'complete' || job.kind === 'stream') return { transition, video: undefined };
  const key = job.kind === 'preview' ? previewKey(job.plan) : downloadKey(job.plan);
  const made = await headObject(ctx.config.aws, { bucket: ctx.config.aws.mediaBucket, key });
  if (made !== undefined) return { transition, video: { state: 'completed', file: job.kind, key } };
  ctx.log.log('error', 'encode.outputs_missing', { job_id: job.id, video_id: job.videoId });
  return { transition: transitionOf(job, { kind: 'error', atMs: said.report.atMs }), video: undefined };
}

const transitionOf = (job: EncodeJobRow, report: JobReport): Transition =>
  applyReport(
    { ...job, isLatestAttempt: job.isLatestAttempt && job.kind === 'stream' },
    { state: job.videoState, revision: job.videoRevision, deleted: job.videoDeleted },
    report,
  );

/** What lies in the media bucket after an encode; undefined when there is nothing to play. */
async function collectOutputs(
  ctx: RequestContext,
  job: EncodeJobRow,
  said: ReportOfJob,
): Promise<EncodeOutputs | undefined> {
  const { aws } = ctx.config;
  const bucket = aws.mediaBucket;
  const manifests = manifestsOf(job.plan, bucket, said.outputs?.playlists ?? []);
  const [hls, dash, stills] = await Promise.all([
    headObject(aws, { bucket, key: manifests.hlsKey }),
    headObject(aws, { bucket, key: manifests.dashKey }),
    listObjects(aws, { bucket, prefix: thumbnailPrefix(job.plan) }),
  ]);
  if (hls === undefined || dash === undefined) return undefined;
  return {
    ...manifests,
    durationMs: madeDurationMs(said.outputs),
    rungs: madeRungs(job.plan, said.outputs),
    thumbnailKeys: stills.keys.filter((key) => key.endsWith('.jpg')),
  };
}

const progressed = (ctx: RequestContext, job: EncodeJobRow): OutboxEvent =>
  newEvent(ctx, 'video.progressed', { video_id: job.replacesId ?? job.videoId, owner_id: job.ownerId });

/** What is told of a change; of a replacement, in the name of the video it replaces; of a single file, nothing. */
function eventOf(
  ctx: RequestContext,
  job: EncodeJobRow,
  video: TransitionToSave['video'],
): OutboxEvent | undefined {
  if (video?.state === 'completed') return undefined;
  if (video === undefined || video.state === 'transcoding') return progressed(ctx, job);
  if (video.state === 'published' && job.replacesId !== null)
    return newEvent(ctx, 'video.replaced', { video_id: job.replacesId, owner_id: job.ownerId });
  return newEvent(ctx, `video.${video.state}`, { video_id: job.videoId, owner_id: job.ownerId });
}

const costOf = (ctx: RequestContext, job: EncodeJobRow, said: ReportOfJob): bigint =>
  actualCost(job.plan, ctx.config.encoding.encodePrices, {
    outputs: said.outputs?.billed ?? [],
    accelerated: said.acceleration === undefined ? undefined : said.acceleration === 'ACCELERATED',
  });
