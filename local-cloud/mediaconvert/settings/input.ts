import { z } from 'zod';
import { accepted, customLanguageCode, int, languageCode, s3File, s3Url, timecode } from './primitives.ts';

const insertableImage = z.strictObject({
  imageInserterInput: s3File('picture', 'png', 'bmp'),
  imageX: int(0, 8192),
  imageY: int(0, 8192),
  width: int(1, 8192).optional(),
  height: int(1, 8192).optional(),
  layer: int(0, 99),
  opacity: int(0, 100).optional(),
});

export const imageInserter = z.strictObject({
  insertableImages: z.array(insertableImage).min(1).max(10),
});

const audioSelector = z.strictObject({
  defaultSelection: z.enum(['DEFAULT', 'NOT_DEFAULT']).optional(),
  selectorType: z.enum(['TRACK', 'LANGUAGE_CODE']).optional(),
  tracks: z.array(int(1, 150)).length(1).optional(),
  languageCode: languageCode.optional(),
  customLanguageCode: customLanguageCode.optional(),
  offset: z.literal(0).optional(),
  programSelection: int(0, 8).optional(),
});

const captionSelector = z.strictObject({
  languageCode: languageCode.optional(),
  customLanguageCode: customLanguageCode.optional(),
  sourceSettings: z.strictObject({
    sourceType: z.enum(['SRT', 'WEBVTT']),
    fileSourceSettings: z.strictObject({
      sourceFile: s3File('caption', 'srt', 'vtt', 'webvtt'),
      timeDelta: int(-2_147_483_648, 2_147_483_647).optional(),
      timeDeltaUnits: z.enum(['SECONDS', 'MILLISECONDS']).optional(),
    }),
  }),
});

export const inputClipping = z.strictObject({
  startTimecode: timecode.optional(),
  endTimecode: timecode.optional(),
});

export const input = z.strictObject({
  fileInput: s3Url,
  timecodeSource: accepted('ZEROBASED', 'EMBEDDED'),
  inputClippings: z.array(inputClipping).max(150).optional(),
  videoSelector: z
    .strictObject({
      rotate: z.enum(['AUTO', 'DEGREE_0', 'DEGREES_90', 'DEGREES_180', 'DEGREES_270']).optional(),
      colorSpace: accepted('FOLLOW'),
      alphaBehavior: accepted('DISCARD'),
    })
    .optional(),
  audioSelectors: z.record(z.string().min(1).max(255), audioSelector).optional(),
  captionSelectors: z.record(z.string().min(1).max(255), captionSelector).optional(),
  imageInserter: imageInserter.optional(),
  filterEnable: accepted('AUTO', 'DISABLE'),
  filterStrength: z.literal(0).optional(),
  deblockFilter: accepted('DISABLED'),
  denoiseFilter: accepted('DISABLED'),
  psiControl: accepted('USE_PSI', 'IGNORE_PSI'),
});
