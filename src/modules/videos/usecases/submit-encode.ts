import type { RequestContext } from '../../../context.ts';
import {
  cancelJob,
  createJob,
  isAwsError,
  type Job,
  listRecentJobs,
} from '../../../integrations/aws/index.ts';
import type { MessageOf } from '../../../jobs/messages.ts';
import { type EncodeJobRow, findSubmittingJob, markSubmitted } from '../encode-jobs.repository.ts';
import { buildJobRequest } from '../policy/job-settings.ts';
import { reportJob } from './report-job.ts';

/** MediaConvert knows a client request token for about a minute; later than this it is no protection. */
const tokenSafeSeconds = 45;

/**
 * Hands the waiting job of a video to MediaConvert. Our row exists before MediaConvert is asked, and its id is the request
 * token, so that a repeated message finds the job it already made.
 * @throws AwsError when MediaConvert could not answer: the message is tried again.
 */
export async function requestEncode(
  ctx: RequestContext,
  message: MessageOf<'video.encode_requested'>,
): Promise<void> {
  const { video_id: videoId, revision, job_id: jobId } = message.data;
  const job = await findSubmittingJob(ctx.databases.primary, { videoId, revision, jobId });
  if (job !== undefined) await submitJob(ctx, job);
}

/**
 * Submits a job, or takes up the one an earlier, interrupted try has made.
 * @throws AwsError
 */
export async function submitJob(ctx: RequestContext, job: EncodeJobRow): Promise<void> {
  if (job.videoDeleted) {
    // Deleted in the moment this job was queued.
    const report = { kind: 'canceled', atMs: ctx.clock.now() } as const;
    await reportJob(ctx, { providerJobId: undefined, jobId: job.id, report });
    return;
  }
  const made = job.ageSeconds > tokenSafeSeconds ? await findMadeJob(ctx, job.id) : undefined;
  const provided = made ?? (await create(ctx, job));
  if (provided?.id === undefined) return;
  if (!(await markSubmitted(ctx.databases.primary, job.id, provided.id))) {
    // The video was deleted, or another try was taken up, while MediaConvert answered.
    await cancelJob(ctx.config.aws, provided.id);
  }
}

async function findMadeJob(ctx: RequestContext, jobId: string): Promise<Job | undefined> {
  const { aws } = ctx.config;
  const queues = [
    aws.mediaConvertQueueArn,
    aws.mediaConvertPriorityQueueArn,
    aws.mediaConvertOverflowQueueArn,
  ];
  for (const queue of new Set(queues.filter((arn) => arn !== ''))) {
    const recent = await listRecentJobs(aws, queue);
    const made = recent.find((job) => job.userMetadata?.job_id === jobId);
    if (made !== undefined) return made;
  }
  return undefined;
}

async function create(ctx: RequestContext, job: EncodeJobRow): Promise<Job | undefined> {
  const { app, aws } = ctx.config;
  const request = buildJobRequest(job.plan, {
    jobId: job.id,
    attempt: job.attempt,
    environment: app.environment,
    roleArn: aws.mediaConvertRoleArn,
    queueArn: aws.mediaConvertQueueArn,
    priorityQueueArn: aws.mediaConvertPriorityQueueArn,
    overflowQueueArn: aws.mediaConvertOverflowQueueArn,
    overflowAfterMinutes: aws.mediaConvertOverflowAfterMinutes,
    uploadsBucket: aws.uploadsBucket,
    recordingsBucket: aws.recordingsBucket,
    mediaBucket: aws.mediaBucket,
  });
  try {
    return await createJob(aws, request);
  } catch (error) {
    if (!isAwsError(error, 'BadRequestException')) throw error;
    ctx.log.log('error', 'encode.refused', { job_id: job.id, reason: error.message });
    await reportJob(ctx, {
      providerJobId: undefined,
      jobId: job.id,
      report: { kind: 'error', atMs: ctx.clock.now() },
      error: { code: error.code, message: error.message },
    });
    return undefined;
  }
}
