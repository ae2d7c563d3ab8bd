import { z } from 'zod';

/** One picture size of the ladder. */
export interface Rung {
  /** `720p`, by the short side. */
  readonly name: string;
  readonly width: number;
  readonly height: number;
  /** Bits per second the encoder may not exceed. */
  readonly maxBitrate: number;
}

/** What the ladder is chosen from: the picture as it is shown, after rotation, in square pixels. */
export interface SourcePicture {
  readonly width: number;
  readonly height: number;
  /** Frames per second, null when unknown. */
  readonly frameRate: number | null;
}

// Short side in pixels and peak bitrate at up to 30 frames per second, H.264. In the range of the ladders Apple publishes
// (https://developer.apple.com/documentation/http-live-streaming/hls-authoring-specification-for-apple-devices).
const ladder = [
  { shortSide: 240, maxBitrate: 400_000 },
  { shortSide: 360, maxBitrate: 800_000 },
  { shortSide: 480, maxBitrate: 1_400_000 },
  { shortSide: 720, maxBitrate: 3_000_000 },
  { shortSide: 1080, maxBitrate: 5_500_000 },
  { shortSide: 1440, maxBitrate: 10_000_000 },
  { shortSide: 2160, maxBitrate: 18_000_000 },
] as const;

/** MediaConvert's smallest side of an output, and the longest its H.264 encoder takes. */
const minSide = 32;
const maxLongSide = 4_096;
/** Between two rungs this far apart, a source is worth a rung of its own size. */
const ownRungRatio = 1.25;
const highFrameRate = 40;
const highFrameRateFactor = 1.5;

/**
 * The picture sizes to encode, smallest first: the standard ones by the short side (so that portrait film is treated as
 * landscape is), none above the source, and the source's own size when it lies well above the last or below the first.
 * Empty when no size of this shape can be encoded.
 */
export function planLadder(source: SourcePicture): Rung[] {
  const long = Math.max(source.width, source.height);
  const short = Math.min(source.width, source.height);
  const tallest = Math.min(short, Math.floor((short * maxLongSide) / long), 2160);
  const shortSides: number[] = ladder.map((rung) => rung.shortSide).filter((side) => side <= tallest);
  const top = shortSides.at(-1);
  if (top === undefined || tallest / top >= ownRungRatio) shortSides.push(tallest - (tallest % 2));
  const factor = (source.frameRate ?? 30) > highFrameRate ? highFrameRateFactor : 1;
  return shortSides
    .map((side) => ({
      name: `${side}p`,
      width: sideOf(source.width, side / short),
      height: sideOf(source.height, side / short),
      maxBitrate: Math.round((bitrateOf(side) * factor) / 1_000) * 1_000,
    }))
    .filter((rung) => Math.min(rung.width, rung.height) >= minSide);
}

/** H.264 with 4:2:0 colour needs even sides; rounding never goes above the source. */
const sideOf = (side: number, scale: number): number =>
  Math.min(2 * Math.round((side * scale) / 2), 2 * Math.floor(side / 2));

/** Between rungs, by area. */
function bitrateOf(shortSide: number): number {
  const exact = ladder.find((rung) => rung.shortSide === shortSide);
  if (exact !== undefined) return exact.maxBitrate;
  const above = ladder.find((rung) => rung.shortSide > shortSide) ?? ladder[ladder.length - 1];
  return above === undefined ? 0 : Math.max(100_000, above.maxBitrate * (shortSide / above.shortSide) ** 2);
}

/** Everything an encode job is built from. Kept with the job, so that a new attempt is the same work. */
export const encodePlanSchema = z.object({
  videoId: z.uuid(),
  revision: z.int().positive(),
  sourceKey: z.string(),
  durationMs: z.int().positive(),
  frameRate: z.number().nullable(),
  hasAudio: z.boolean(),
  rungs: z.array(z.object({ name: z.string(), width: z.int(), height: z.int(), maxBitrate: z.int() })).min(1),
});

export type EncodePlan = z.infer<typeof encodePlanSchema>;

/** Folder of everything a video's revision has in the media bucket. A new revision is a new address, so caches never lie. */
export const mediaPrefix = (videoId: string, revision: number): string => `media/${videoId}/v${revision}/`;

/** Base name of manifests and segments. */
export const mediaBaseName = 'video';

/** Keys of the two manifests an encode of this plan writes. */
export const manifestKeys = (plan: Pick<EncodePlan, 'videoId' | 'revision'>) => ({
  hlsKey: `${mediaPrefix(plan.videoId, plan.revision)}${mediaBaseName}.m3u8`,
  dashKey: `${mediaPrefix(plan.videoId, plan.revision)}${mediaBaseName}.mpd`,
});

/** Prefix of the still pictures of a plan. */
export const thumbnailPrefix = (plan: Pick<EncodePlan, 'videoId' | 'revision'>): string =>
  `${mediaPrefix(plan.videoId, plan.revision)}thumbnails/`;

export const thumbnailCount = 5;
