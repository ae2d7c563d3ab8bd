import type { CreateJobRequest, JobSettings } from '../../../integrations/aws/mediaconvert-wire.ts';
import type { EncodePlan } from './encode-plan.ts';
import { audioSelector, captionSelector } from './job-codecs.ts';
import { outputGroups } from './job-outputs.ts';
import { sourceBucketOf } from './recordings.ts';
import { clipTimecodes } from './timecode.ts';

type Input = NonNullable<JobSettings['Inputs']>[number];

export interface EncodeTarget {
  readonly jobId: string;
  readonly attempt: number;
  readonly environment: string;
  readonly roleArn: string;
  readonly queueArn: string;
  /** Queue of what is soon done; empty for none. */
  readonly priorityQueueArn: string;
  /** Queue a job moves to that has waited too long; empty for none. */
  readonly overflowQueueArn: string;
  readonly overflowAfterMinutes: number;
  readonly uploadsBucket: string;
  readonly recordingsBucket: string;
  readonly mediaBucket: string;
}

/**
 * The MediaConvert job for a plan.
 * Rules: https://docs.aws.amazon.com/mediaconvert/latest/ug/creating-streaming-output.html
 */
export function buildJobRequest(plan: EncodePlan, target: EncodeTarget): CreateJobRequest {
  const queue =
    plan.lane === 'priority' && target.priorityQueueArn !== '' ? target.priorityQueueArn : target.queueArn;
  // A job cannot hop to the queue it is in.
  const hops = target.overflowQueueArn !== '' && target.overflowQueueArn !== queue;
  return {
    ClientRequestToken: target.jobId,
    Role: target.roleArn,
    Queue: queue,
    Priority: plan.kind === 'stream' ? (plan.lane === 'priority' ? 10 : 0) : -10,
    ...(hops
      ? {
          HopDestinations: [
            { Queue: target.overflowQueueArn, WaitMinutes: target.overflowAfterMinutes, Priority: 0 },
          ],
        }
      : {}),
    StatusUpdateInterval: 'SECONDS_10',
    AccelerationSettings: { Mode: plan.acceleration },
    UserMetadata: {
      video_id: plan.videoId,
      job_id: target.jobId,
      kind: plan.kind,
      attempt: String(target.attempt),
      environment: target.environment,
    },
    Tags: { application: 'social-flow', environment: target.environment },
    Settings: {
      TimecodeConfig: { Source: 'ZEROBASED' },
      Inputs: [inputOf(plan, target)],
      OutputGroups: outputGroups(plan, target.mediaBucket),
    },
  };
}

function inputOf(plan: EncodePlan, target: EncodeTarget): Input {
  const { watermark, burnIn } = plan;
  return {
    FileInput: `s3://${sourceBucketOf(plan.sourceKey, target)}/${plan.sourceKey}`,
    TimecodeSource: 'ZEROBASED',
    ...(plan.clips.length === 0
      ? {}
      : {
          InputClippings: plan.clips.map((clip) => {
            const { start, end } = clipTimecodes(clip, plan.frameRate);
            return { StartTimecode: start, EndTimecode: end };
          }),
        }),
    ...(plan.rungs.length === 0 ? {} : { VideoSelector: { Rotate: 'AUTO', ColorSpace: 'FOLLOW' } }),
    ...(plan.hasAudio ? { AudioSelectors: { [audioSelector]: { DefaultSelection: 'DEFAULT' } } } : {}),
    ...(burnIn === null
      ? {}
      : {
          CaptionSelectors: {
            [captionSelector]: {
              SourceSettings: {
                SourceType: 'WEBVTT',
                FileSourceSettings: { SourceFile: `s3://${target.mediaBucket}/${burnIn.key}`, TimeDelta: 0 },
              },
            },
          },
        }),
    ...(watermark === null
      ? {}
      : {
          ImageInserter: {
            InsertableImages: [
              {
                ImageInserterInput: `s3://${target.uploadsBucket}/${watermark.key}`,
                ImageX: watermark.x,
                ImageY: watermark.y,
                Width: watermark.width,
                Height: watermark.height,
                Layer: 1,
                Opacity: watermark.opacity,
              },
            ],
          },
        }),
  };
}
