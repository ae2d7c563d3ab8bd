import { z } from 'zod';
import type { Job } from '../../../integrations/aws/index.ts';
import { bitrateOf, type EncodePlan, manifestKeys, prefixOf } from './encode-plan.ts';
import type { JobPhase, JobReport } from './encode-state.ts';
import type { FailureCode } from './failures.ts';

/** Something said about a job, and whose job it is. */
export interface ReportOfJob {
  /** MediaConvert's id; undefined when it never took the job. */
  readonly providerJobId: string | undefined;
  /** Ours, as sent along with the job. */
  readonly jobId: string | undefined;
  readonly report: JobReport;
  readonly error?: { readonly code: string; readonly message: string } | undefined;
  readonly outputs?: ReportedOutputs | undefined;
  readonly acceleration?: AccelerationStatus | undefined;
}

export const accelerationStatuses = [
  'NOT_APPLICABLE',
  'IN_PROGRESS',
  'ACCELERATED',
  'NOT_ACCELERATED',
] as const;
export type AccelerationStatus = (typeof accelerationStatuses)[number];

export interface ReportedOutputs {
  /** `s3://` addresses of manifests, when the report names them. */
  readonly playlists: readonly string[];
  /** Outputs of the streaming group, in the order of the job's settings. */
  readonly streams: readonly {
    readonly durationMs: number | undefined;
    readonly width: number | undefined;
    readonly height: number | undefined;
    /** Bits per second. */
    readonly bitrate: number | undefined;
  }[];
  /** Every output of the job that is billed: all but stills. */
  readonly billed: readonly Omit<ReportedOutputs['streams'][number], 'bitrate'>[];
}

const maxMessageLength = 2_000;
const text = z.string().transform((value) => value.slice(0, maxMessageLength));

/** A whole number from 1 to `max`; anything else counts as not said. */
const measure = (max: number) => z.int().min(1).max(max).optional().catch(undefined);
const maxDurationMs = 31_536_000_000;

const outputDetail = z.looseObject({
  durationInMs: measure(maxDurationMs),
  outputFilePaths: z.array(z.string()).optional().catch(undefined),
  videoDetails: z
    .looseObject({
      widthInPx: measure(16_384),
      heightInPx: measure(16_384),
      averageBitrate: measure(1_000_000_000),
    })
    .optional(),
});

const outputGroupDetail = z.looseObject({
  type: z.string().optional(),
  playlistFilePaths: z.array(z.string()).optional(),
  outputDetails: z.array(outputDetail).optional(),
});

const accelerationStatus = z.enum(accelerationStatuses).optional().catch(undefined);

/** The end of the year 9999. */
const maxTimeMs = 253_402_300_799_999;

/**
 * `detail` of a `MediaConvert Job State Change` event. AWS may add fields at any time.
 * https://docs.aws.amazon.com/mediaconvert/latest/ug/mediaconvert_cwe_events.html
 */
export const jobEventDetail = z.looseObject({
  timestamp: z.number().min(0).max(maxTimeMs).optional().catch(undefined),
  jobId: z.string().min(1).max(100),
  status: z.string(),
  userMetadata: z.record(z.string(), z.string()).optional(),
  jobProgress: z
    .looseObject({ jobPercentComplete: z.number().optional(), currentPhase: z.string().optional() })
    .optional(),
  outputGroupDetails: z.array(outputGroupDetail).optional(),
  accelerationStatus: accelerationStatus,
  errorCode: z.union([z.number(), z.string()]).optional(),
  errorMessage: text.optional(),
});

export type JobEventDetail = z.infer<typeof jobEventDetail>;

/** What an event says; undefined for kinds that change nothing (warnings, queue hops, input information). */
export function reportOfEvent(detail: JobEventDetail, eventTimeMs: number): ReportOfJob | undefined {
  const atMs = detail.timestamp ?? eventTimeMs;
  const whose = {
    providerJobId: detail.jobId,
    jobId: ourJobId(detail.userMetadata),
    acceleration: detail.accelerationStatus,
  };
  switch (detail.status) {
    case 'PROGRESSING':
    case 'STATUS_UPDATE': {
      const { jobPercentComplete: percent, currentPhase } = detail.jobProgress ?? {};
      return { ...whose, report: { kind: 'progress', atMs, percent, phase: phaseOf(currentPhase) } };
    }
    case 'COMPLETE':
      return {
        ...whose,
        report: { kind: 'complete', atMs },
        outputs: outputsOf(detail.outputGroupDetails),
      };
    case 'ERROR':
      return { ...whose, report: { kind: 'error', atMs }, error: errorOf(detail) };
    case 'CANCELED':
      return { ...whose, report: { kind: 'canceled', atMs } };
    default:
      return undefined;
  }
}

/** What MediaConvert answers when asked about a job at `askedAtMs`; undefined while it still waits. */
export function reportOfJob(job: Job, askedAtMs: number): ReportOfJob | undefined {
  const finishTime = job.timing?.finishTime;
  const endedAtMs = finishTime === undefined ? askedAtMs : finishTime * 1_000;
  const whose = {
    providerJobId: job.id,
    jobId: ourJobId(job.userMetadata),
    acceleration: accelerationStatus.parse(job.accelerationStatus),
  };
  switch (job.status) {
    case 'PROGRESSING':
      return {
        ...whose,
        report: {
          kind: 'progress',
          atMs: askedAtMs,
          percent: job.jobPercentComplete,
          phase: phaseOf(job.currentPhase),
        },
      };
    case 'COMPLETE': {
      const groups = z.array(outputGroupDetail).safeParse(job.outputGroupDetails ?? []);
      return {
        ...whose,
        report: { kind: 'complete', atMs: endedAtMs },
        outputs: outputsOf(groups.success ? groups.data : []),
      };
    }
    case 'ERROR':
      return { ...whose, report: { kind: 'error', atMs: endedAtMs }, error: errorOf(job) };
    case 'CANCELED':
      return { ...whose, report: { kind: 'canceled', atMs: endedAtMs } };
    default:
      return undefined;
  }
}

const ourJobId = (metadata: Readonly<Record<string, string>> | undefined): string | undefined => {
  const id = z.uuid().safeParse(metadata?.job_id);
  return id.success ? id.data : undefined;
};

const phases: Readonly<Record<string, JobPhase>> = {
  PROBING: 'probing',
  TRANSCODING: 'transcoding',
  UPLOADING: 'uploading',
};

const phaseOf = (phase: string | undefined): JobPhase | undefined =>
  phase === undefined ? undefined : phases[phase];

const errorOf = (said: {
  readonly errorCode?: number | string | undefined;
  readonly errorMessage?: string | undefined;
}): { code: string; message: string } => ({
  code: String(said.errorCode ?? 'unknown').slice(0, 100),
  message: (said.errorMessage ?? '').slice(0, maxMessageLength),
});

function outputsOf(groups: readonly z.infer<typeof outputGroupDetail>[] | undefined): ReportedOutputs {
  const stream = groups?.find((group) => group.type === 'CMAF_GROUP') ?? groups?.[0];
  const measured = (outputs: readonly z.infer<typeof outputDetail>[] | undefined) =>
    (outputs ?? []).map(({ durationInMs, videoDetails }) => ({
      durationMs: durationInMs,
      width: videoDetails?.widthInPx,
      height: videoDetails?.heightInPx,
      bitrate: videoDetails?.averageBitrate,
    }));
  return {
    playlists: stream?.playlistFilePaths ?? [],
    streams: measured(stream?.outputDetails),
    billed: (groups ?? []).flatMap((group) =>
      measured(group.outputDetails?.filter((output) => !output.outputFilePaths?.some(isStill))),
    ),
  };
}

const isStill = (path: string): boolean => /\.jpe?g$/i.test(path);

const maxKeyLength = 1_024;

/** Manifests as reported, if they lie where they must, else where our settings put them. */
export function manifestsOf(
  plan: EncodePlan,
  mediaBucket: string,
  playlists: readonly string[],
): { readonly hlsKey: string; readonly dashKey: string } {
  const bucket = `s3://${mediaBucket}/`;
  const keys = playlists
    .filter((path) => path.startsWith(`${bucket}${prefixOf(plan)}`))
    .map((path) => path.slice(bucket.length))
    .filter((key) => key.length <= maxKeyLength && !/(?:^|\/)\.{0,2}(?:\/|$)/.test(key));
  const derived = manifestKeys(plan);
  return {
    hlsKey: keys.find((key) => key.endsWith('.m3u8')) ?? derived.hlsKey,
    dashKey: keys.find((key) => key.endsWith('.mpd')) ?? derived.dashKey,
  };
}

/**
 * The plan's rungs with the sizes and durations that were really made; where the sizes were left to the encoder, what it
 * chose, smallest first.
 */
export function madeRungs(plan: EncodePlan, outputs: ReportedOutputs | undefined) {
  const pictures = (outputs?.streams ?? []).filter((stream) => stream.width !== undefined);
  if (plan.mode === 'automated_abr' && pictures.length > 0) return chosenRungs(pictures);
  const matches = pictures.length === plan.rungs.length;
  return plan.rungs.map((rung, index) => {
    const made = matches ? pictures[index] : undefined;
    return {
      ...rung,
      width: made?.width ?? rung.width,
      height: made?.height ?? rung.height,
      durationMs: positive(made?.durationMs),
    };
  });
}

function chosenRungs(pictures: ReportedOutputs['streams']) {
  const sorted = pictures
    .map(({ width = 0, height = 0, bitrate, durationMs }) => ({
      name: `${Math.min(width, height)}p`,
      width,
      height,
      maxBitrate: bitrate ?? Math.round(bitrateOf(Math.min(width, height))),
      durationMs: positive(durationMs),
    }))
    .filter((rung) => rung.width > 0 && rung.height > 0)
    .toSorted((a, b) => a.width * a.height - b.width * b.height || a.maxBitrate - b.maxBitrate);
  // The same size may be made at several bitrates.
  return sorted.map((rung, index) => {
    const earlier = sorted.slice(0, index).filter(({ name }) => name === rung.name).length;
    return earlier === 0 ? rung : { ...rung, name: `${rung.name}-${earlier + 1}` };
  });
}

export const madeDurationMs = (outputs: ReportedOutputs | undefined): number | null =>
  positive(Math.max(0, ...(outputs?.streams ?? []).map((stream) => stream.durationMs ?? 0)));

const positive = (value: number | undefined): number | null =>
  value !== undefined && value > 0 ? Math.round(value) : null;

/** The reason a creator is given for an error of the encoder. 1404: the input does not exist. */
export const failureOfError = (code: string | undefined): FailureCode =>
  code === '1404' ? 'source_missing' : code === 'lost' ? 'encode_lost' : 'encode_failed';
