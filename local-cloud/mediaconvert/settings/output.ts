import { z } from 'zod';
import { automatedEncodingSettings } from './automated-abr.ts';
import { accepted, customLanguageCode, destination, int, languageCode, onOff } from './primitives.ts';
import { videoDescription } from './video.ts';

const audioNormalizationSettings = z.strictObject({
  algorithm: z.enum(['ITU_BS_1770_2', 'ITU_BS_1770_3', 'ITU_BS_1770_4']),
  algorithmControl: z.enum(['CORRECT_AUDIO', 'MEASURE_ONLY']).optional(),
  correctionGateLevel: int(-70, 0).optional(),
  targetLkfs: z.number().min(-59).max(0).optional(),
  peakCalculation: z.enum(['TRUE_PEAK', 'NONE']).optional(),
  truePeakLimiterThreshold: z.number().min(-8).max(0).optional(),
  loudnessLogging: accepted('DONT_LOG'),
});

const aacSettings = z.strictObject({
  bitrate: int(6000, 1_024_000).optional(),
  codingMode: z.enum(['CODING_MODE_1_0', 'CODING_MODE_2_0', 'CODING_MODE_5_1']),
  sampleRate: z.literal([8000, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 88_200, 96_000]),
  codecProfile: accepted('LC'),
  rateControlMode: accepted('CBR'),
  rawFormat: accepted('NONE'),
  specification: accepted('MPEG4'),
  audioDescriptionBroadcasterMix: accepted('NORMAL'),
});

const audioDescription = z.strictObject({
  audioSourceName: z.string().max(2048).optional(),
  audioNormalizationSettings: audioNormalizationSettings.optional(),
  codecSettings: z.strictObject({ codec: z.literal('AAC'), aacSettings }),
  languageCode: languageCode.optional(),
  customLanguageCode: customLanguageCode.optional(),
  languageCodeControl: z.enum(['FOLLOW_INPUT', 'USE_CONFIGURED']).optional(),
  streamName: z.string().max(255).optional(),
  audioTypeControl: accepted('FOLLOW_INPUT', 'USE_CONFIGURED'),
  audioType: z.literal(0).optional(),
});

const captionColor = z.enum(['WHITE', 'BLACK', 'YELLOW', 'RED', 'GREEN', 'BLUE']);

export const burninDestinationSettings = z.strictObject({
  alignment: z.enum(['CENTERED', 'LEFT', 'AUTO']).optional(),
  fontColor: captionColor.optional(),
  fontOpacity: int(0, 255).optional(),
  fontSize: int(0, 96).optional(),
  fontResolution: accepted('96'),
  fontScript: accepted('AUTOMATIC'),
  backgroundColor: z.enum(['NONE', 'BLACK', 'WHITE']).optional(),
  backgroundOpacity: int(0, 255).optional(),
  outlineColor: captionColor.optional(),
  outlineSize: int(0, 10).optional(),
  shadowColor: accepted('NONE'),
  shadowOpacity: z.literal(0).optional(),
  stylePassthrough: accepted('DISABLED'),
  teletextSpacing: accepted('FIXED_GRID', 'PROPORTIONAL'),
});

const captionDescription = z.strictObject({
  captionSelectorName: z.string().min(1),
  languageCode: languageCode.optional(),
  customLanguageCode: customLanguageCode.optional(),
  languageDescription: z.string().max(255).optional(),
  destinationSettings: z.discriminatedUnion('destinationType', [
    z.strictObject({
      destinationType: z.literal('BURN_IN'),
      burninDestinationSettings: burninDestinationSettings.optional(),
    }),
    z.strictObject({
      destinationType: z.literal('WEBVTT'),
      webvttDestinationSettings: z
        .strictObject({
          accessibility: onOff.optional(),
          stylePassthrough: accepted('DISABLED'),
        })
        .optional(),
    }),
  ]),
});

const containerSettings = z.discriminatedUnion('container', [
  z.strictObject({
    container: z.literal('CMFC'),
    cmfcSettings: z
      .strictObject({
        audioGroupId: z.string().min(1).max(255).optional(),
        audioRenditionSets: z.string().min(1).max(255).optional(),
        audioTrackType: z
          .enum([
            'ALTERNATE_AUDIO_AUTO_SELECT_DEFAULT',
            'ALTERNATE_AUDIO_AUTO_SELECT',
            'ALTERNATE_AUDIO_NOT_AUTO_SELECT',
          ])
          .optional(),
        iFrameOnlyManifest: z.enum(['INCLUDE', 'EXCLUDE']).optional(),
        scte35Esam: accepted('NONE'),
        scte35Source: accepted('NONE'),
      })
      .optional(),
  }),
  z.strictObject({
    container: z.literal('MP4'),
    mp4Settings: z
      .strictObject({
        moovPlacement: z.enum(['PROGRESSIVE_DOWNLOAD', 'NORMAL']).optional(),
        cslgAtom: accepted('INCLUDE', 'EXCLUDE'),
        freeSpaceBox: accepted('EXCLUDE'),
        cttsVersion: int(0, 1).optional(),
      })
      .optional(),
  }),
  z.strictObject({ container: z.literal('RAW') }),
  z.strictObject({ container: z.literal('GIF') }),
]);

export const output = z.strictObject({
  nameModifier: z
    .string()
    .min(1)
    .max(256)
    .refine((value) => !/\$[a-z]+\$/i.test(value), 'format identifiers such as $dt$ are not supported')
    .refine((value) => !value.includes('/'), 'must not contain a slash')
    .optional(),
  extension: z
    .string()
    .regex(/^[A-Za-z0-9]{1,10}$/)
    .optional(),
  containerSettings,
  videoDescription: videoDescription.optional(),
  audioDescriptions: z.array(audioDescription).max(20).optional(),
  captionDescriptions: z.array(captionDescription).max(20).optional(),
});

const imageBasedTrickPlaySettings = z.strictObject({
  intervalCadence: z.enum(['FOLLOW_CUSTOM', 'FOLLOW_IFRAME']).optional(),
  thumbnailInterval: z.number().positive().max(2_147_483_647).optional(),
  thumbnailWidth: int(8, 4096).multipleOf(8).optional(),
  thumbnailHeight: int(2, 4096).multipleOf(2).optional(),
  tileWidth: int(1, 512).optional(),
  tileHeight: int(1, 2048).optional(),
});

const cmafGroupSettings = z.strictObject({
  destination,
  segmentLength: int(1, 600).optional(),
  fragmentLength: int(1, 600).optional(),
  segmentControl: z.enum(['SEGMENTED_FILES']).optional(),
  segmentLengthControl: z.enum(['EXACT', 'GOP_MULTIPLE']).optional(),
  minFinalSegmentLength: z.literal(0).optional(),
  writeHlsManifest: onOff.optional(),
  writeDashManifest: onOff.optional(),
  codecSpecification: accepted('RFC_6381', 'RFC_4281'),
  streamInfResolution: z.enum(['INCLUDE', 'EXCLUDE']).optional(),
  clientCache: z.enum(['ENABLED', 'DISABLED']).optional(),
  manifestCompression: accepted('NONE'),
  manifestDurationFormat: z.enum(['FLOATING_POINT', 'INTEGER']).optional(),
  minBufferTime: int(0, 2_147_483_647).optional(),
  mpdProfile: accepted('MAIN_PROFILE'),
  mpdManifestBandwidthType: z.enum(['MAX', 'AVERAGE']).optional(),
  targetDurationCompatibilityMode: z.enum(['LEGACY', 'SPEC_COMPLIANT']).optional(),
  writeSegmentTimelineInRepresentation: accepted('ENABLED'),
  dashManifestStyle: accepted('BASIC'),
  ptsOffsetHandlingForBFrames: accepted('ZERO_BASED'),
  videoCompositionOffsets: accepted('SIGNED', 'UNSIGNED'),
  imageBasedTrickPlay: z.enum(['NONE', 'THUMBNAIL', 'THUMBNAIL_AND_FULLFRAME', 'ADVANCED']).optional(),
  imageBasedTrickPlaySettings: imageBasedTrickPlaySettings.optional(),
});

export const outputGroup = z.strictObject({
  name: z.string().max(2048).optional(),
  customName: z.string().max(2048).optional(),
  outputGroupSettings: z.discriminatedUnion('type', [
    z.strictObject({ type: z.literal('CMAF_GROUP_SETTINGS'), cmafGroupSettings }),
    z.strictObject({
      type: z.literal('FILE_GROUP_SETTINGS'),
      fileGroupSettings: z.strictObject({ destination }),
    }),
  ]),
  automatedEncodingSettings: automatedEncodingSettings.optional(),
  outputs: z.array(output).min(1).max(100),
});
