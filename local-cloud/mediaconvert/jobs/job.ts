import { randomBytes } from 'node:crypto';
import type { EventBridgeEvent } from '../../events/index.ts';
import type { OutputGroupDetail } from '../package/package.ts';
import type { CreateJobBody } from '../settings/create-job.ts';

export type JobStatus = 'SUBMITTED' | 'PROGRESSING' | 'COMPLETE' | 'CANCELED' | 'ERROR';
export type JobPhase = 'PROBING' | 'TRANSCODING' | 'UPLOADING';

/** A job as it is kept on disk. Times are milliseconds since the epoch. */
export type JobRecord = {
  id: string;
  arn: string;
  queueArn: string;
  status: JobStatus;
  /** The validated request, on the wire's lowerCamelCase. */
  request: CreateJobBody;
  createdAtMs: number;
  startedAtMs?: number;
  finishedAtMs?: number;
  phase?: JobPhase;
  percentComplete?: number;
  /** How often the job was started; more than one after a restart of the local cloud. */
  attempts: number;
  /** Whether MediaConvert would have accelerated the job; undefined until its input is probed. */
  accelerated?: boolean;
  errorCode?: number;
  errorMessage?: string;
  warnings: { code: number; message: string }[];
  outputGroups?: OutputGroupDetail[];
  /** Events that belong to the state above and were not handed over yet: saved with it, so none is lost. */
  pendingEvents: EventBridgeEvent[];
};

export const isFinished = (job: JobRecord): boolean =>
  job.status === 'COMPLETE' || job.status === 'CANCELED' || job.status === 'ERROR';

/** MediaConvert's form of a job id: submit time in milliseconds, a dash, six letters or digits. */
export function newJobId(nowMs: number): string {
  const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789';
  const suffix = [...randomBytes(6)].map((byte) => alphabet[byte % alphabet.length]).join('');
  return `${nowMs}-${suffix}`;
}

export const JOB_ID = /^\d{13,}-[a-z0-9]{6}$/;

/** The Job structure of the API: lowerCamelCase, epoch seconds. */
export function presentJob(job: JobRecord): Record<string, unknown> {
  const { request } = job;
  const warnings = countWarnings(job);
  return {
    id: job.id,
    arn: job.arn,
    queue: job.queueArn,
    role: request.role,
    status: job.status,
    createdAt: epochSeconds(job.createdAtMs),
    timing: {
      submitTime: epochSeconds(job.createdAtMs),
      ...(job.startedAtMs === undefined ? {} : { startTime: epochSeconds(job.startedAtMs) }),
      ...(job.finishedAtMs === undefined ? {} : { finishTime: epochSeconds(job.finishedAtMs) }),
    },
    ...(job.status === 'PROGRESSING' && job.phase ? { currentPhase: job.phase } : {}),
    ...(job.percentComplete === undefined ? {} : { jobPercentComplete: job.percentComplete }),
    ...(job.errorCode === undefined ? {} : { errorCode: job.errorCode, errorMessage: job.errorMessage }),
    ...(request.clientRequestToken === undefined ? {} : { clientRequestToken: request.clientRequestToken }),
    accelerationSettings: request.accelerationSettings ?? { mode: 'DISABLED' },
    accelerationStatus: accelerationStatus(job),
    billingTagsSource: request.billingTagsSource ?? 'QUEUE',
    hopDestinations: request.hopDestinations ?? [],
    messages: { info: [], warning: job.warnings.map((warning) => warning.message) },
    outputGroupDetails: (job.outputGroups ?? []).map((group) => ({
      outputDetails: group.outputDetails.map((detail) => ({
        durationInMs: detail.durationInMs,
        ...(detail.videoDetails
          ? {
              videoDetails: {
                widthInPx: detail.videoDetails.widthInPx,
                heightInPx: detail.videoDetails.heightInPx,
              },
            }
          : {}),
      })),
    })),
    priority: request.priority ?? 0,
    queueTransitions: [],
    retryCount: Math.max(0, job.attempts - 1),
    settings: request.settings,
    simulateReservedQueue: request.simulateReservedQueue ?? 'DISABLED',
    statusUpdateInterval: request.statusUpdateInterval ?? 'SECONDS_60',
    userMetadata: request.userMetadata ?? {},
    warnings,
  };
}

/** What MediaConvert would say of the job: it decides once the input is probed. Here nothing runs faster for it. */
function accelerationStatus(job: JobRecord): string {
  if ((job.request.accelerationSettings?.mode ?? 'DISABLED') === 'DISABLED') return 'NOT_APPLICABLE';
  if (job.accelerated === undefined) return isFinished(job) ? 'NOT_ACCELERATED' : 'IN_PROGRESS';
  return job.accelerated ? 'ACCELERATED' : 'NOT_ACCELERATED';
}

export function countWarnings(job: JobRecord): { code: number; count: number }[] {
  const counts = new Map<number, number>();
  for (const { code } of job.warnings) counts.set(code, (counts.get(code) ?? 0) + 1);
  return [...counts].map(([code, count]) => ({ code, count }));
}

const epochSeconds = (milliseconds: number): number => Math.floor(milliseconds / 1000);
