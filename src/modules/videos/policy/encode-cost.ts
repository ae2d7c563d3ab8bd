import type { EncodePrices } from '../../../config/encode-prices.ts';
import type { EncodePlan } from './encode-plan.ts';

interface Picture {
  readonly width: number;
  readonly height: number;
  readonly durationMs: number;
}

const hdFrom = 720;
const uhdFrom = 1_081;
// 29.97 and 59.94 are whole rates to a bill; a little above them is how cameras measure.
const rateSlack = 0.5;

export const resolutionFactor = (prices: EncodePrices, picture: Omit<Picture, 'durationMs'>): number => {
  const short = Math.min(picture.width, picture.height);
  const { sd, hd, uhd } = prices.resolution;
  return short < hdFrom ? sd : short < uhdFrom ? hd : uhd;
};

const frameRateFactor = (prices: EncodePrices, frameRate: number | null): number => {
  const { to_30, to_60, above } = prices.frame_rate;
  // Faster film is brought down to 60.
  const made = Math.min(60, frameRate ?? 30);
  return made <= 30 + rateSlack ? to_30 : made <= 60 + rateSlack ? to_60 : above;
};

/** Several passes and accelerated transcoding make every output of a job one of the professional tier. */
export const tierOf = (plan: EncodePlan, accelerated: boolean): 'basic' | 'professional' =>
  accelerated || plan.mode === 'automated_abr' ? 'professional' : 'basic';

/** Millionths of a cent never matter: parts of a micro are rounded up. */
const charge = (
  prices: EncodePrices,
  durationMs: number,
  microsPerMinute: number,
  factors: number,
): bigint => {
  const seconds = Math.max(prices.minimum_seconds, Math.ceil(durationMs / 1_000));
  const hundredths = BigInt(Math.round(factors * 10_000));
  const dividend = BigInt(seconds) * BigInt(microsPerMinute) * hundredths;
  return (dividend + 599_999n) / 600_000n;
};

function cost(
  plan: EncodePlan,
  prices: EncodePrices,
  made: {
    readonly pictures: readonly Picture[];
    readonly soundMs: number | undefined;
    readonly accelerated: boolean;
  },
): bigint {
  const perMinute = prices[tierOf(plan, made.accelerated)];
  const shown = made.pictures.map((picture) =>
    charge(
      prices,
      picture.durationMs,
      perMinute,
      resolutionFactor(prices, picture) *
        frameRateFactor(prices, plan.kind === 'preview' ? null : plan.frameRate),
    ),
  );
  const { soundMs } = made;
  // In a file with pictures the sound is part of that output.
  const apart = soundMs !== undefined && (plan.kind === 'stream' || shown.length === 0);
  const heard =
    soundMs === undefined
      ? []
      : [
          charge(prices, soundMs, prices.normalization, 1),
          ...(apart ? [charge(prices, soundMs, prices.audio, 1)] : []),
        ];
  return [...shown, ...heard].reduce((sum, part) => sum + part, 0n);
}

/** What the job of a plan will cost, in micros of the prices' currency. Stills are not billed. */
export const estimateCost = (plan: EncodePlan, prices: EncodePrices): bigint =>
  cost(plan, prices, {
    pictures: plan.rungs.map((rung) => ({ ...rung, durationMs: plan.durationMs })),
    soundMs: plan.hasAudio ? plan.durationMs : undefined,
    accelerated: plan.acceleration !== 'DISABLED',
  });

/** What it did cost, by what was made. Where the encoder did not say whether it accelerated, it did as it was asked. */
export const actualCost = (
  plan: EncodePlan,
  prices: EncodePrices,
  made: {
    readonly outputs: readonly {
      readonly durationMs: number | undefined;
      readonly width: number | undefined;
      readonly height: number | undefined;
    }[];
    readonly accelerated: boolean | undefined;
  },
): bigint => {
  const pictures = made.outputs.flatMap(({ width, height, durationMs = plan.durationMs }) =>
    width === undefined || height === undefined ? [] : [{ width, height, durationMs }],
  );
  const sound = made.outputs.find((output) => output.width === undefined);
  return cost(plan, prices, {
    pictures:
      pictures.length > 0 ? pictures : plan.rungs.map((rung) => ({ ...rung, durationMs: plan.durationMs })),
    soundMs: plan.hasAudio ? (sound?.durationMs ?? pictures[0]?.durationMs ?? plan.durationMs) : undefined,
    accelerated: made.accelerated ?? plan.acceleration !== 'DISABLED',
  });
};
