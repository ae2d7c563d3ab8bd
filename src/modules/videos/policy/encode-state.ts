import type { VideoState } from '../videos.schemas.ts';

/**
 * What may follow what. Everything else is refused by the statements that change a video, whatever is delivered twice, late
 * or out of order. Only a person's retry leaves `failed`. Nothing leaves `published` but for a
 * threat found late (`withdrawFile`).
 */
export const videoTransitions: Readonly<Record<VideoState, readonly VideoState[]>> = {
  uploading: ['scanning', 'failed'],
  scanning: ['probing', 'failed'],
  probing: ['transcoding', 'failed'],
  transcoding: ['published', 'failed'],
  published: [],
  failed: ['transcoding', 'scanning'],
};

export const jobStates = [
  'queued',
  'submitting',
  'submitted',
  'progressing',
  'complete',
  'error',
  'canceled',
] as const;
export type JobState = (typeof jobStates)[number];

export const jobPhases = ['probing', 'transcoding', 'uploading'] as const;
export type JobPhase = (typeof jobPhases)[number];

/** An encode job as we know it. */
export interface JobFacts {
  readonly state: JobState;
  readonly phase: JobPhase | null;
  readonly percent: number;
  /** Time of the newest report that was applied, Unix milliseconds. */
  readonly lastReportMs: number | null;
}

/** The video a job works for. */
export interface EncodedVideoFacts {
  readonly state: VideoState;
  readonly revision: number;
  readonly deleted: boolean;
}

/** Something MediaConvert said about a job, in an event or when asked, with the time it said it (Unix milliseconds). */
export type JobReport =
  | {
      readonly kind: 'progress';
      readonly atMs: number;
      readonly percent?: number | undefined;
      readonly phase?: JobPhase | undefined;
    }
  | { readonly kind: 'complete'; readonly atMs: number }
  | { readonly kind: 'error'; readonly atMs: number }
  | { readonly kind: 'canceled'; readonly atMs: number };

export type Transition =
  | { readonly applies: false; readonly reason: 'finished' | 'older' | 'nothing_new' }
  | {
      readonly applies: true;
      readonly job: JobFacts;
      /** The state the video takes, or undefined when nothing about it changes. */
      readonly video: VideoState | undefined;
    };

const finished: ReadonlySet<JobState> = new Set(['complete', 'error', 'canceled']);

export const isFinished = (state: JobState): boolean => finished.has(state);

/**
 * What a report changes. A finished job stays as it is. An end is taken whenever it comes, since there is only one and
 * clocks differ; progress only when it is newer than what is known, and it never counts backwards.
 */
export function applyReport(
  job: JobFacts & { readonly revision: number; readonly isLatestAttempt: boolean },
  video: EncodedVideoFacts,
  report: JobReport,
): Transition {
  if (isFinished(job.state)) return { applies: false, reason: 'finished' };
  const speaksForVideo =
    videoTransitions[video.state].includes('published') &&
    !video.deleted &&
    video.revision === job.revision &&
    job.isLatestAttempt;
  const lastReportMs = Math.max(job.lastReportMs ?? report.atMs, report.atMs);
  if (report.kind !== 'progress') {
    const state = report.kind;
    return {
      applies: true,
      job: { state, phase: null, percent: state === 'complete' ? 100 : job.percent, lastReportMs },
      video: !speaksForVideo ? undefined : state === 'complete' ? 'published' : 'failed',
    };
  }
  if (job.lastReportMs !== null && report.atMs < job.lastReportMs) return { applies: false, reason: 'older' };
  const next: JobFacts = {
    state: 'progressing',
    phase: report.phase ?? job.phase,
    // 100 is for a film that can be played.
    percent: Math.min(99, Math.max(job.percent, Math.floor(report.percent ?? 0))),
    lastReportMs,
  };
  const isNew = next.state !== job.state || next.phase !== job.phase || next.percent !== job.percent;
  if (!isNew && lastReportMs === job.lastReportMs) return { applies: false, reason: 'nothing_new' };
  return { applies: true, job: next, video: speaksForVideo && isNew ? 'transcoding' : undefined };
}
