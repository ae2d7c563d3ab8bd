import { z } from 'zod';
import { imageInserter } from './input.ts';
import { accepted, int } from './primitives.ts';

const bitrate = int(1000, 1_152_000_000);

export const h264Settings = z.strictObject({
  rateControlMode: z.enum(['QVBR', 'VBR', 'CBR']),
  bitrate: bitrate.optional(),
  maxBitrate: bitrate.optional(),
  qvbrSettings: z
    .strictObject({
      qvbrQualityLevel: int(1, 10).optional(),
      qvbrQualityLevelFineTune: z.number().min(0).max(1).optional(),
      maxAverageBitrate: bitrate.optional(),
    })
    .optional(),
  hrdBufferSize: int(0, 1_152_000_000).optional(),
  codecProfile: z.enum(['BASELINE', 'MAIN', 'HIGH']).optional(),
  codecLevel: z
    .string()
    .regex(/^(AUTO|LEVEL_[1-5](_[1-3])?)$/, 'must be AUTO or LEVEL_1 to LEVEL_5_2')
    .optional(),
  entropyEncoding: z.enum(['CABAC', 'CAVLC']).optional(),
  gopSize: z.number().positive().max(3600).optional(),
  gopSizeUnits: z.enum(['SECONDS', 'FRAMES', 'AUTO']).optional(),
  numberBFramesBetweenReferenceFrames: int(0, 7).optional(),
  numberReferenceFrames: int(1, 6).optional(),
  slices: int(1, 32).optional(),
  framerateControl: z.enum(['INITIALIZE_FROM_SOURCE', 'SPECIFIED']).optional(),
  framerateNumerator: int(1, 2_147_483_647).optional(),
  framerateDenominator: int(1, 2_147_483_647).optional(),
  framerateConversionAlgorithm: accepted('DUPLICATE_DROP'),
  parControl: accepted('INITIALIZE_FROM_SOURCE', 'SPECIFIED'),
  parNumerator: z.literal(1).optional(),
  parDenominator: z.literal(1).optional(),
  interlaceMode: accepted('PROGRESSIVE'),
  scanTypeConversionMode: accepted('INTERLACED', 'INTERLACED_OPTIMIZE'),
  telecine: accepted('NONE'),
  slowPal: accepted('DISABLED'),
  syntax: accepted('DEFAULT'),
  fieldEncoding: accepted('PAFF'),
  qualityTuningLevel: z.enum(['SINGLE_PASS', 'SINGLE_PASS_HQ', 'MULTI_PASS_HQ']).optional(),
  sceneChangeDetect: accepted('DISABLED', 'ENABLED', 'TRANSITION_DETECTION'),
  adaptiveQuantization: accepted('AUTO', 'OFF', 'LOW', 'MEDIUM', 'HIGH', 'HIGHER', 'MAX'),
  spatialAdaptiveQuantization: accepted('ENABLED', 'DISABLED'),
  temporalAdaptiveQuantization: accepted('ENABLED', 'DISABLED'),
  flickerAdaptiveQuantization: accepted('ENABLED', 'DISABLED'),
  dynamicSubGop: accepted('ADAPTIVE', 'STATIC'),
  gopBReference: accepted('ENABLED', 'DISABLED'),
  gopClosedCadence: int(0, 1).optional(),
  minIInterval: int(0, 30).optional(),
  softness: int(0, 128).optional(),
  repeatPps: accepted('DISABLED'),
  unregisteredSeiTimecode: accepted('DISABLED'),
});

export const frameCaptureSettings = z.strictObject({
  framerateNumerator: int(1, 2_147_483_647).optional(),
  framerateDenominator: int(1, 2_147_483_647).optional(),
  maxCaptures: int(1, 10_000_000).optional(),
  quality: int(1, 100).optional(),
});

export const gifSettings = z.strictObject({
  framerateControl: z.enum(['INITIALIZE_FROM_SOURCE', 'SPECIFIED']).optional(),
  framerateNumerator: int(1, 2_147_483_647).optional(),
  framerateDenominator: int(1, 2_147_483_647).optional(),
  framerateConversionAlgorithm: accepted('DUPLICATE_DROP'),
});

const colorCorrector = z.strictObject({
  colorSpaceConversion: z.enum(['NONE', 'FORCE_709']).optional(),
  hdrToSdrToneMapper: z.enum(['PRESERVE_DETAILS', 'VIBRANT']).optional(),
  sampleRangeConversion: z.enum(['NONE', 'LIMITED_RANGE_SQUEEZE']).optional(),
});

const codecSettings = z.discriminatedUnion('codec', [
  z.strictObject({ codec: z.literal('H_264'), h264Settings }),
  z.strictObject({ codec: z.literal('FRAME_CAPTURE'), frameCaptureSettings }),
  z.strictObject({ codec: z.literal('GIF'), gifSettings: gifSettings.optional() }),
]);

export const videoDescription = z.strictObject({
  width: int(32, 8192).optional(),
  height: int(32, 8192).optional(),
  scalingBehavior: z.enum(['DEFAULT', 'STRETCH_TO_OUTPUT', 'FIT', 'FIT_NO_UPSCALE', 'FILL']).optional(),
  codecSettings,
  videoPreprocessors: z
    .strictObject({ colorCorrector: colorCorrector.optional(), imageInserter: imageInserter.optional() })
    .optional(),
  antiAlias: accepted('DISABLED', 'ENABLED'),
  sharpness: int(0, 100).optional(),
  afdSignaling: accepted('NONE'),
  respondToAfd: accepted('NONE'),
  colorMetadata: accepted('INSERT', 'IGNORE'),
  dropFrameTimecode: accepted('ENABLED', 'DISABLED'),
  timecodeInsertion: accepted('DISABLED'),
});
