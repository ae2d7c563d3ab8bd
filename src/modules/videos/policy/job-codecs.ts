import type { JobSettings } from '../../../integrations/aws/mediaconvert-wire.ts';
import { toBt709 } from './colour.ts';
import type { EncodePlan, Rung } from './encode-plan.ts';

type OutputGroup = NonNullable<JobSettings['OutputGroups']>[number];
type Output = NonNullable<OutputGroup['Outputs']>[number];
type H264Settings = NonNullable<
  NonNullable<NonNullable<Output['VideoDescription']>['CodecSettings']>['H264Settings']
>;

export const audioSelector = 'Audio Selector 1';
export const captionSelector = 'Captions Selector 1';
export const gopSeconds = 2;
const maxFrameRate = 60;

export const h264Of = (rung: Rung, plan: EncodePlan): NonNullable<Output['VideoDescription']> => ({
  Width: rung.width,
  Height: rung.height,
  ScalingBehavior: 'FIT_NO_UPSCALE',
  ...toBt709(plan.colour),
  CodecSettings: {
    Codec: 'H_264',
    H264Settings: {
      RateControlMode: 'QVBR',
      MaxBitrate: rung.maxBitrate,
      QvbrSettings: { QvbrQualityLevel: 7 },
      QualityTuningLevel: 'SINGLE_PASS_HQ',
      ...h264Common(plan.frameRate),
    },
  },
});

export const h264Common = (frameRate: number | null): H264Settings => ({
  SceneChangeDetect: 'TRANSITION_DETECTION',
  GopSize: gopSeconds,
  GopSizeUnits: 'SECONDS',
  ...(frameRate !== null && frameRate > maxFrameRate + 1
    ? { FramerateControl: 'SPECIFIED', FramerateNumerator: maxFrameRate, FramerateDenominator: 1 }
    : { FramerateControl: 'INITIALIZE_FROM_SOURCE' }),
});

/** Captions drawn into the picture, in every output that has one. An accelerated job cannot, so such plans never ask for it. */
export const burnedIn = (plan: EncodePlan): Pick<Output, 'CaptionDescriptions'> =>
  plan.burnIn === null
    ? {}
    : {
        CaptionDescriptions: [
          {
            CaptionSelectorName: captionSelector,
            DestinationSettings: {
              DestinationType: 'BURN_IN',
              BurninDestinationSettings: {
                Alignment: 'CENTERED',
                FontColor: 'WHITE',
                FontSize: 0,
                BackgroundColor: 'BLACK',
                BackgroundOpacity: 128,
                OutlineColor: 'BLACK',
                OutlineSize: 2,
              },
            },
          },
        ],
      };

/** Loudness as streaming services do it: ITU-R BS.1770-4 at -16 LKFS with true peaks below -1 dB. */
export const audioDescription: NonNullable<Output['AudioDescriptions']>[number] = {
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
    AacSettings: { Bitrate: 128_000, CodingMode: 'CODING_MODE_2_0', SampleRate: 48_000, CodecProfile: 'LC' },
  },
};
