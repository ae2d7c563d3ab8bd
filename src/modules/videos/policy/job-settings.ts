import type { CreateJobRequest, JobSettings } from '../../../integrations/aws/index.ts';
import {
  type EncodePlan,
  mediaBaseName,
  mediaPrefix,
  type Rung,
  thumbnailCount,
  thumbnailPrefix,
} from './encode-plan.ts';

type OutputGroup = NonNullable<JobSettings['OutputGroups']>[number];
type Output = NonNullable<OutputGroup['Outputs']>[number];

export interface EncodeTarget {
  readonly jobId: string;
  readonly attempt: number;
  readonly environment: string;
  readonly roleArn: string;
  readonly queueArn: string;
  readonly uploadsBucket: string;
  readonly mediaBucket: string;
}

const audioSelector = 'Audio Selector 1';
const segmentSeconds = 6;
const gopSeconds = 2;
const maxFrameRate = 60;
const thumbnailMaxShortSide = 720;
const accelerateFromMs = 600_000;

/**
 * The MediaConvert job for a plan: one CMAF group read as HLS and as DASH, with a video output for each rung and sound, if
 * there is any, in an output of its own; and a group of still pictures.
 * Rules: https://docs.aws.amazon.com/mediaconvert/latest/ug/creating-streaming-output.html
 */
export function buildJobRequest(plan: EncodePlan, target: EncodeTarget): CreateJobRequest {
  return {
    ClientRequestToken: target.jobId,
    Role: target.roleArn,
    Queue: target.queueArn,
    StatusUpdateInterval: 'SECONDS_10',
    AccelerationSettings: { Mode: plan.durationMs >= accelerateFromMs ? 'PREFERRED' : 'DISABLED' },
    UserMetadata: {
      video_id: plan.videoId,
      job_id: target.jobId,
      attempt: String(target.attempt),
      environment: target.environment,
    },
    Tags: { application: 'social-flow', environment: target.environment },
    Settings: {
      TimecodeConfig: { Source: 'ZEROBASED' },
      Inputs: [
        {
          FileInput: `s3://${target.uploadsBucket}/${plan.sourceKey}`,
          TimecodeSource: 'ZEROBASED',
          VideoSelector: { Rotate: 'AUTO', ColorSpace: 'FOLLOW' },
          ...(plan.hasAudio ? { AudioSelectors: { [audioSelector]: { DefaultSelection: 'DEFAULT' } } } : {}),
        },
      ],
      OutputGroups: [streamGroup(plan, target), thumbnailGroup(plan, target)],
    },
  };
}

const streamGroup = (plan: EncodePlan, target: EncodeTarget): OutputGroup => ({
  Name: 'stream',
  OutputGroupSettings: {
    Type: 'CMAF_GROUP_SETTINGS',
    CmafGroupSettings: {
      Destination: `s3://${target.mediaBucket}/${mediaPrefix(plan.videoId, plan.revision)}${mediaBaseName}`,
      SegmentLength: segmentSeconds,
      FragmentLength: gopSeconds,
      SegmentControl: 'SEGMENTED_FILES',
      SegmentLengthControl: 'GOP_MULTIPLE',
      WriteHlsManifest: 'ENABLED',
      WriteDashManifest: 'ENABLED',
      CodecSpecification: 'RFC_6381',
      StreamInfResolution: 'INCLUDE',
    },
  },
  Outputs: [
    ...plan.rungs.map((rung) => videoOutput(rung, plan.frameRate)),
    ...(plan.hasAudio ? [audioOutput] : []),
  ],
});

const videoOutput = (rung: Rung, frameRate: number | null): Output => ({
  NameModifier: `_${rung.name}`,
  ContainerSettings: { Container: 'CMFC' },
  VideoDescription: {
    Width: rung.width,
    Height: rung.height,
    ScalingBehavior: 'FIT_NO_UPSCALE',
    CodecSettings: {
      Codec: 'H_264',
      H264Settings: {
        RateControlMode: 'QVBR',
        MaxBitrate: rung.maxBitrate,
        QvbrSettings: { QvbrQualityLevel: 7 },
        QualityTuningLevel: 'SINGLE_PASS_HQ',
        SceneChangeDetect: 'TRANSITION_DETECTION',
        GopSize: gopSeconds,
        GopSizeUnits: 'SECONDS',
        ...(frameRate !== null && frameRate > maxFrameRate + 1
          ? { FramerateControl: 'SPECIFIED', FramerateNumerator: maxFrameRate, FramerateDenominator: 1 }
          : { FramerateControl: 'INITIALIZE_FROM_SOURCE' }),
      },
    },
  },
});

/** Loudness as streaming services do it: ITU-R BS.1770-4 at -16 LKFS with true peaks below -1 dB. */
const audioOutput: Output = {
  NameModifier: '_audio',
  ContainerSettings: { Container: 'CMFC' },
  AudioDescriptions: [
    {
      AudioSourceName: audioSelector,
      AudioNormalizationSettings: {
        Algorithm: 'ITU_BS_1770_4',
        AlgorithmControl: 'CORRECT_AUDIO',
        TargetLkfs: -16,
        PeakCalculation: 'TRUE_PEAK',
        TruePeakLimiterThreshold: -1,
      },
      CodecSettings: {
        Codec: 'AAC',
        AacSettings: {
          Bitrate: 128_000,
          CodingMode: 'CODING_MODE_2_0',
          SampleRate: 48_000,
          CodecProfile: 'LC',
        },
      },
    },
  ],
};

/** A picture at the start of each fifth of the film: a frame is captured first, then one each `denominator/numerator` seconds. */
const thumbnailGroup = (plan: EncodePlan, target: EncodeTarget): OutputGroup => {
  const rung =
    plan.rungs.findLast(({ width, height }) => Math.min(width, height) <= thumbnailMaxShortSide) ??
    plan.rungs[0];
  return {
    Name: 'thumbnails',
    OutputGroupSettings: {
      Type: 'FILE_GROUP_SETTINGS',
      FileGroupSettings: {
        Destination: `s3://${target.mediaBucket}/${thumbnailPrefix(plan)}t`,
      },
    },
    Outputs: [
      {
        ContainerSettings: { Container: 'RAW' },
        Extension: 'jpg',
        VideoDescription: {
          ...(rung === undefined ? {} : { Width: rung.width, Height: rung.height }),
          ScalingBehavior: 'FIT_NO_UPSCALE',
          CodecSettings: {
            Codec: 'FRAME_CAPTURE',
            FrameCaptureSettings: {
              FramerateNumerator: thumbnailCount * 1_000,
              FramerateDenominator: plan.durationMs,
              MaxCaptures: thumbnailCount,
              Quality: 80,
            },
          },
        },
      },
    ],
  };
};
