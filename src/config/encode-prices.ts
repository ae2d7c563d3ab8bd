import { z } from 'zod';

const factor = z.number().min(0).max(100);
const rate = z.int().min(0).max(1_000_000_000);

/**
 * What an encode costs, as MediaConvert bills on-demand queues: the seconds of each output, at least `minimum_seconds`, times
 * the rate of its tier, times factors for its resolution and frame rate. Rates are millionths of the currency for a minute.
 * https://aws.amazon.com/mediaconvert/pricing/
 */
export const encodePricesSchema = z.strictObject({
  currency: z.string().regex(/^[A-Z]{3}$/),
  minimum_seconds: z.int().min(0).max(3_600),
  basic: rate,
  professional: rate,
  /** An output with sound and no picture. */
  audio: rate,
  /** Added for each output whose loudness is corrected. */
  normalization: rate,
  /** Below 720 lines, to 1080, and above. */
  resolution: z.strictObject({ sd: factor, hd: factor, uhd: factor }),
  /** To 30 frames per second, to 60, and above. */
  frame_rate: z.strictObject({ to_30: factor, to_60: factor, above: factor }),
});

export type EncodePrices = z.infer<typeof encodePricesSchema>;

/** List prices of us-east-1. They change: a deployment states its own. */
export const defaultEncodePrices: EncodePrices = {
  currency: 'USD',
  minimum_seconds: 10,
  basic: 7_500,
  professional: 12_000,
  audio: 2_250,
  normalization: 1_000,
  resolution: { sd: 1, hd: 2, uhd: 4 },
  frame_rate: { to_30: 1, to_60: 1.25, above: 1.5 },
};
