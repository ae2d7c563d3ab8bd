import type { JobSettings } from '../../../integrations/aws/mediaconvert-wire.ts';
import { toBt709 } from './colour.ts';
import {
  downloadKey,
  type EncodePlan,
  mediaBaseName,
  prefixOf,
  previewKey,
  type Rung,
  thumbnailCount,
  thumbnailPrefix,
} from './encode-plan.ts';
import { audioDescription, burnedIn, gopSeconds, h264Common, h264Of } from './job-codecs.ts';
import { previewFramesPerSecond, sheet } from './plan-pictures.ts';

type OutputGroup = NonNullable<JobSettings['OutputGroups']>[number];
type Output = NonNullable<OutputGroup['Outputs']>[number];

const segmentSeconds = 6;
const thumbnailMaxShortSide = 720;

/** What the job of a plan writes, and where. */
export function outputGroups(plan: EncodePlan, mediaBucket: string): OutputGroup[] {
  const bucket = `s3://${mediaBucket}/`;
  switch (plan.kind) {
    case 'stream':
      return plan.rungs.length === 0
        ? [streamGroup(plan, bucket)]
        : [streamGroup(plan, bucket), thumbnailGroup(plan, bucket)];
    case 'preview':
      return [
        fileGroup(
          'preview',
          bucket + previewKey(plan),
          plan.rungs.map((rung) => animatedOutput(rung, plan)),
        ),
      ];
    case 'download':
      return [fileGroup('download', bucket + downloadKey(plan), [downloadOutput(plan)])];
  }
}

/**
 * One CMAF group read as HLS and as DASH, with a video output for each rung and sound, if there is any, in an output of its
 * own. With `automated_abr` the one video output is the pattern of those MediaConvert chooses
 * (https://docs.aws.amazon.com/mediaconvert/latest/ug/auto-abr.html).
 */
function streamGroup(plan: EncodePlan, bucket: string): OutputGroup {
  const { storyboard } = plan;
  const automated = plan.mode === 'automated_abr';
  return {
    Name: 'stream',
    OutputGroupSettings: {
      Type: 'CMAF_GROUP_SETTINGS',
      CmafGroupSettings: {
        Destination: `${bucket}${prefixOf(plan)}${mediaBaseName}`,
        SegmentLength: segmentSeconds,
        FragmentLength: gopSeconds,
        SegmentControl: 'SEGMENTED_FILES',
        SegmentLengthControl: 'GOP_MULTIPLE',
        WriteHlsManifest: 'ENABLED',
        WriteDashManifest: 'ENABLED',
        CodecSpecification: 'RFC_6381',
        StreamInfResolution: 'INCLUDE',
        ...(storyboard === null
          ? {}
          : {
              ImageBasedTrickPlay: 'ADVANCED',
              ImageBasedTrickPlaySettings: {
                IntervalCadence: 'FOLLOW_CUSTOM',
                ThumbnailInterval: storyboard.intervalSeconds,
                ThumbnailWidth: storyboard.width,
                ThumbnailHeight: storyboard.height,
                TileWidth: sheet.columns,
                TileHeight: sheet.rows,
              },
            }),
      },
    },
    ...(automated ? { AutomatedEncodingSettings: { AbrSettings: abrSettings(plan.rungs) } } : {}),
    Outputs: [
      ...(automated ? [automatedOutput(plan)] : plan.rungs.map((rung) => rungOutput(rung, plan))),
      ...(plan.hasAudio ? [audioOutput] : []),
    ],
  };
}

const minAbrBitrate = 100_000;

const abrSettings = (rungs: readonly Rung[]) => {
  const rates = rungs.map((rung) => rung.maxBitrate);
  return {
    MaxRenditions: Math.min(15, Math.max(3, rungs.length)),
    MaxAbrBitrate: Math.max(...rates),
    MinAbrBitrate: Math.max(minAbrBitrate, Math.min(...rates)),
  };
};

const automatedOutput = (plan: EncodePlan): Output => ({
  NameModifier: '_auto',
  ContainerSettings: { Container: 'CMFC' },
  VideoDescription: {
    ...toBt709(plan.colour),
    CodecSettings: {
      Codec: 'H_264',
      H264Settings: {
        RateControlMode: 'QVBR',
        QualityTuningLevel: 'MULTI_PASS_HQ',
        ...h264Common(plan.frameRate),
      },
    },
  },
  ...burnedIn(plan),
});

const rungOutput = (rung: Rung, plan: EncodePlan): Output => ({
  NameModifier: `_${rung.name}`,
  ContainerSettings: { Container: 'CMFC' },
  VideoDescription: h264Of(rung, plan),
  ...burnedIn(plan),
});

const audioOutput: Output = {
  NameModifier: '_audio',
  ContainerSettings: { Container: 'CMFC' },
  AudioDescriptions: [audioDescription],
};

/** A picture at the start of each fifth of the film: a frame is captured first, then one each `denominator/numerator` seconds. */
function thumbnailGroup(plan: EncodePlan, bucket: string): OutputGroup {
  const rung =
    plan.rungs.findLast(({ width, height }) => Math.min(width, height) <= thumbnailMaxShortSide) ??
    plan.rungs[0];
  return {
    Name: 'thumbnails',
    OutputGroupSettings: {
      Type: 'FILE_GROUP_SETTINGS',
      FileGroupSettings: { Destination: `${bucket}${thumbnailPrefix(plan)}t` },
    },
    Outputs: [
      {
        ContainerSettings: { Container: 'RAW' },
        Extension: 'jpg',
        VideoDescription: {
          ...(rung === undefined ? {} : { Width: rung.width, Height: rung.height }),
          ScalingBehavior: 'FIT_NO_UPSCALE',
          ...toBt709(plan.colour),
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
}

const fileGroup = (name: string, path: string, outputs: Output[]): OutputGroup => ({
  Name: name,
  OutputGroupSettings: {
    Type: 'FILE_GROUP_SETTINGS',
    // MediaConvert adds the extension.
    FileGroupSettings: { Destination: path.replace(/\.\w+$/, '') },
  },
  Outputs: outputs,
});

const animatedOutput = (rung: Rung, plan: EncodePlan): Output => ({
  ContainerSettings: { Container: 'GIF' },
  Extension: 'gif',
  VideoDescription: {
    Width: rung.width,
    Height: rung.height,
    ScalingBehavior: 'FIT_NO_UPSCALE',
    ...toBt709(plan.colour),
    CodecSettings: {
      Codec: 'GIF',
      GifSettings: {
        FramerateControl: 'SPECIFIED',
        FramerateNumerator: previewFramesPerSecond,
        FramerateDenominator: 1,
      },
    },
  },
});

function downloadOutput(plan: EncodePlan): Output {
  const [rung] = plan.rungs;
  return {
    ContainerSettings: { Container: 'MP4', Mp4Settings: { MoovPlacement: 'PROGRESSIVE_DOWNLOAD' } },
    Extension: 'mp4',
    ...(rung === undefined ? {} : { VideoDescription: h264Of(rung, plan) }),
    ...(plan.hasAudio ? { AudioDescriptions: [audioDescription] } : {}),
    ...burnedIn(plan),
  };
}
