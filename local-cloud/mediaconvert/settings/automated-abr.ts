import { z } from 'zod';
import { int } from './primitives.ts';

const side = int(32, 8192);
const bitrate = int(100_000, 100_000_000);
const size = z.strictObject({ width: side, height: side });

const rule = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('MIN_TOP_RENDITION_SIZE'), minTopRenditionSize: size }),
  z.strictObject({ type: z.literal('MIN_BOTTOM_RENDITION_SIZE'), minBottomRenditionSize: size }),
  z.strictObject({
    type: z.literal('FORCE_INCLUDE_RENDITIONS'),
    forceIncludeRenditions: z.array(size).min(1).max(15),
  }),
  z.strictObject({
    type: z.literal('ALLOWED_RENDITIONS'),
    allowedRenditions: z
      .array(z.strictObject({ ...size.shape, required: z.enum(['ENABLED', 'DISABLED']).optional() }))
      .min(1)
      .max(50),
  }),
]);

const abrSettings = z.strictObject({
  maxAbrBitrate: bitrate.optional(),
  minAbrBitrate: bitrate.optional(),
  maxRenditions: int(3, 15).optional(),
  rules: z.array(rule).max(4).optional(),
});

export const automatedEncodingSettings = z.strictObject({ abrSettings });

export type AbrSettings = z.infer<typeof abrSettings>;

export const DEFAULT_MAX_ABR_BITRATE = 8_000_000;
export const DEFAULT_MIN_ABR_BITRATE = 600_000;
export const DEFAULT_MAX_RENDITIONS = 15;
