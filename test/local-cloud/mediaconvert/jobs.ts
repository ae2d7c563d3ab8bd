import {
  type CreateJobCommandInput,
  GetJobCommand,
  type Input,
  type Job,
  type Output,
  type OutputGroup,
} from '@aws-sdk/client-mediaconvert';
import { ACCOUNT, type Cloud, until } from './harness.ts';

export const ROLE = `arn:aws:iam::${ACCOUNT}:role/MediaConvertRole`;

export function videoOutput(nameModifier: string, width: number, height: number, captions?: string): Output {
  return {
    NameModifier: nameModifier,
    ContainerSettings: { Container: 'CMFC' },
    VideoDescription: {
      Width: width,
      Height: height,
      ScalingBehavior: 'FIT_NO_UPSCALE',
      CodecSettings: {
        Codec: 'H_264',
        H264Settings: {
          RateControlMode: 'QVBR',
          MaxBitrate: 1_500_000,
          QvbrSettings: { QvbrQualityLevel: 7 },
          QualityTuningLevel: 'SINGLE_PASS_HQ',
          SceneChangeDetect: 'TRANSITION_DETECTION',
          GopSize: 1,
          GopSizeUnits: 'SECONDS',
          FramerateControl: 'INITIALIZE_FROM_SOURCE',
        },
      },
    },
    ...(captions
      ? {
          CaptionDescriptions: [
            {
              CaptionSelectorName: captions,
              LanguageCode: 'ENG',
              DestinationSettings: {
                DestinationType: 'BURN_IN',
                BurninDestinationSettings: {
                  FontSize: 0,
                  FontColor: 'WHITE',
                  BackgroundColor: 'BLACK',
                  BackgroundOpacity: 128,
                  OutlineColor: 'BLACK',
                  OutlineSize: 2,
                  Alignment: 'CENTERED',
                },
              },
            },
          ],
        }
      : {}),
  };
}

export function audioOutput(nameModifier = '_aud'): Output {
  return {
    NameModifier: nameModifier,
    ContainerSettings: { Container: 'CMFC' },
    AudioDescriptions: [
      {
        AudioSourceName: 'Audio Selector 1',
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
}

export function cmafGroup(destination: string, outputs: Output[]): OutputGroup {
  return {
    Name: 'abr',
    OutputGroupSettings: {
      Type: 'CMAF_GROUP_SETTINGS',
      CmafGroupSettings: {
        Destination: destination,
        SegmentLength: 2,
        FragmentLength: 1,
        SegmentControl: 'SEGMENTED_FILES',
        SegmentLengthControl: 'GOP_MULTIPLE',
        WriteHlsManifest: 'ENABLED',
        WriteDashManifest: 'ENABLED',
        CodecSpecification: 'RFC_6381',
        StreamInfResolution: 'INCLUDE',
      },
    },
    Outputs: outputs,
  };
}

export function captureGroup(destination: string, numerator: number, denominator: number): OutputGroup {
  return {
    Name: 'thumbs',
    OutputGroupSettings: { Type: 'FILE_GROUP_SETTINGS', FileGroupSettings: { Destination: destination } },
    Outputs: [
      {
        ContainerSettings: { Container: 'RAW' },
        Extension: 'jpg',
        VideoDescription: {
          Width: 160,
          Height: 90,
          CodecSettings: {
            Codec: 'FRAME_CAPTURE',
            FrameCaptureSettings: {
              FramerateNumerator: numerator,
              FramerateDenominator: denominator,
              MaxCaptures: 5,
              Quality: 80,
            },
          },
        },
      },
    ],
  };
}

/** A ladder of two rungs, one audio track and five thumbnails over one input of two seconds. */
export function ladderJob(input: Partial<Input> = {}, groups?: OutputGroup[]): CreateJobCommandInput {
  return {
    Role: ROLE,
    Queue: `arn:aws:mediaconvert:us-east-1:${ACCOUNT}:queues/Default`,
    AccelerationSettings: { Mode: 'PREFERRED' },
    StatusUpdateInterval: 'SECONDS_20',
    UserMetadata: { videoId: 'vid_1', attempt: '1' },
    Tags: { app: 'social-flow' },
    Settings: {
      TimecodeConfig: { Source: 'ZEROBASED' },
      Inputs: [
        {
          FileInput: 's3://raw/uploads/film.mp4',
          TimecodeSource: 'ZEROBASED',
          VideoSelector: { Rotate: 'AUTO', ColorSpace: 'FOLLOW' },
          AudioSelectors: { 'Audio Selector 1': { DefaultSelection: 'DEFAULT' } },
          ...input,
        },
      ],
      OutputGroups: groups ?? [
        cmafGroup('s3://vod/vid_1/v1/', [
          videoOutput('_180', 320, 180),
          videoOutput('_90', 160, 90),
          audioOutput(),
        ]),
        captureGroup('s3://vod/vid_1/v1/thumbs/t', 5, 2),
      ],
    },
  };
}

/** Waits for a job to end, one way or the other. */
export function finished(cloud: Cloud, id: string | undefined): Promise<Job> {
  return until(async () => {
    const { Job: job } = await cloud.client.send(new GetJobCommand({ Id: id }));
    return job?.Status === 'SUBMITTED' || job?.Status === 'PROGRESSING' ? undefined : job;
  });
}

/** Waits for a job to end and for the event that tells of it. */
export async function ended(cloud: Cloud, id: string | undefined): Promise<Job> {
  const job = await finished(cloud, id);
  await until(() => cloud.statuses(id ?? '').find((status) => status === job.Status));
  return job;
}
