import {
  type AbrSettings,
  DEFAULT_MAX_ABR_BITRATE,
  DEFAULT_MAX_RENDITIONS,
  DEFAULT_MIN_ABR_BITRATE,
} from '../settings/automated-abr.ts';
import type { Output, OutputGroup, VideoDescription } from '../settings/create-job.ts';
import type { Rational } from './codecs.ts';
import type { Size } from './scale.ts';

export type Rendition = Size & { maxBitrate: number };

type Candidate = Size & { required: boolean };

/** Short sides tried from the top down. */
const SHORT_SIDES = [2160, 1440, 1080, 720, 540, 432, 360, 288, 240];
/** Bits per second of a 1920x1080 picture at 30 frames per second; other pictures by the power law of pixel rates. */
const REFERENCE_BITRATE = 5_000_000;
const REFERENCE_PIXEL_RATE = 1920 * 1080 * 30;
const PIXEL_RATE_POWER = 0.75;

/**
 * Replaces the one video output of a group under automated ABR by an output for each rendition. MediaConvert looks at the
 * picture to choose them; here size and frame rate decide, within the same limits: never larger than the source or the
 * size of the base output, never more than `maxRenditions`, bit rates between `minAbrBitrate` and `maxAbrBitrate`.
 */
export function expandAutomatedAbr(
  group: OutputGroup,
  source: Size | undefined,
  rateOf: (description: VideoDescription) => Rational,
): OutputGroup {
  const settings = group.automatedEncodingSettings?.abrSettings;
  if (!settings || !source) return group;
  return {
    ...group,
    outputs: group.outputs.flatMap((output) => {
      const description = output.videoDescription;
      if (!description) return [output];
      const rate = rateOf(description);
      const most = { width: description.width ?? source.width, height: description.height ?? source.height };
      return chooseRenditions(settings, source, most, rate.numerator / rate.denominator).map((rendition) =>
        renditionOutput(output, description, rendition),
      );
    }),
  };
}

function renditionOutput(output: Output, description: VideoDescription, rendition: Rendition): Output {
  if (description.codecSettings.codec !== 'H_264') return output;
  const { width, height, maxBitrate } = rendition;
  return {
    ...output,
    nameModifier: `${output.nameModifier ?? ''}_${width}x${height}`,
    videoDescription: {
      ...description,
      width,
      height,
      scalingBehavior: 'STRETCH_TO_OUTPUT',
      codecSettings: {
        ...description.codecSettings,
        h264Settings: { ...description.codecSettings.h264Settings, maxBitrate },
      },
    },
  };
}

/** The renditions of a stack, largest first. */
export function chooseRenditions(
  settings: AbrSettings,
  source: Size,
  most: Size,
  framesPerSecond: number,
): Rendition[] {
  const { maxAbrBitrate = DEFAULT_MAX_ABR_BITRATE, minAbrBitrate = DEFAULT_MIN_ABR_BITRATE } = settings;
  const fit = Math.min(1, most.width / source.width, most.height / source.height);
  const largest = evenSize(source, fit, source);
  const bitrateOf = (size: Size): number =>
    Math.round(
      REFERENCE_BITRATE *
        ((size.width * size.height * framesPerSecond) / REFERENCE_PIXEL_RATE) ** PIXEL_RATE_POWER,
    );
  const candidates = candidatesFor(settings, source, largest)
    .filter((size) => size.required || size === largest || bitrateOf(size) >= minAbrBitrate / 2)
    .sort((a, b) => b.width * b.height - a.width * a.height);
  return thinOut(candidates, settings.maxRenditions ?? DEFAULT_MAX_RENDITIONS).map(({ width, height }) => ({
    width,
    height,
    maxBitrate: Math.min(maxAbrBitrate, Math.max(minAbrBitrate, bitrateOf({ width, height }))),
  }));
}

function candidatesFor(settings: AbrSettings, source: Size, largest: Size): Candidate[] {
  const rules = settings.rules ?? [];
  const bottom = rules.find((rule) => rule.type === 'MIN_BOTTOM_RENDITION_SIZE')?.minBottomRenditionSize;
  const allowed = rules.find((rule) => rule.type === 'ALLOWED_RENDITIONS')?.allowedRenditions;
  const forced = rules.find((rule) => rule.type === 'FORCE_INCLUDE_RENDITIONS')?.forceIncludeRenditions ?? [];
  const fits = (size: Size): boolean => size.width <= largest.width && size.height <= largest.height;
  const isLarge = (size: Size): boolean =>
    !bottom || (size.width >= bottom.width && size.height >= bottom.height);
  const top = { ...largest, required: true };
  if (allowed) {
    const chosen = allowed
      .filter(fits)
      .filter(isLarge)
      .map((size) => ({ ...size, required: size.required === 'ENABLED' }));
    return chosen.length > 0 ? distinct(chosen) : [top];
  }
  const short = Math.min(source.width, source.height);
  const standard = SHORT_SIDES.map((side) => ({ ...evenSize(source, side / short, source), required: false }))
    .filter(fits)
    .filter(isLarge);
  return distinct([top, ...forced.filter(fits).map((size) => ({ ...size, required: true })), ...standard]);
}

/** One candidate of each size; what is required stays so. */
function distinct(candidates: readonly Candidate[]): Candidate[] {
  const bySize = new Map<string, Candidate>();
  for (const candidate of candidates) {
    const key = `${candidate.width}x${candidate.height}`;
    const earlier = bySize.get(key);
    bySize.set(key, { ...candidate, required: candidate.required || earlier?.required === true });
  }
  return [...bySize.values()];
}

/** Drops the optional rendition closest to its larger neighbour until few enough are left. */
function thinOut(sorted: readonly Candidate[], most: number): Candidate[] {
  const kept = [...sorted];
  while (kept.length > most) {
    const ratios = kept.map((size, index) => {
      const larger = kept[index - 1];
      const isEnd = index === 0 || index === kept.length - 1;
      if (!larger || isEnd || size.required) return Number.POSITIVE_INFINITY;
      return (larger.width * larger.height) / (size.width * size.height);
    });
    const closest = ratios.indexOf(Math.min(...ratios));
    kept.splice(ratios[closest] === Number.POSITIVE_INFINITY ? kept.length - 1 : closest, 1);
  }
  return kept;
}

function evenSize(source: Size, scale: number, limit: Size): Size {
  const side = (value: number, most: number): number =>
    Math.max(2, Math.min(2 * Math.round((value * scale) / 2), 2 * Math.floor(most / 2)));
  return { width: side(source.width, limit.width), height: side(source.height, limit.height) };
}
