import { z } from 'zod';
import { colours } from './colour.ts';

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

/** Peak bitrate for a short side in pixels, at up to 30 frames per second; between rungs by area. */
export function bitrateOf(shortSide: number): number {
  const exact = ladder.find((rung) => rung.shortSide === shortSide);
  if (exact !== undefined) return exact.maxBitrate;
  const above = ladder.find((rung) => rung.shortSide > shortSide) ?? ladder[ladder.length - 1];
  return above === undefined ? 0 : Math.max(100_000, above.maxBitrate * (shortSide / above.shortSide) ** 2);
}

/** What one job makes: everything that is played, a short moving picture, or a file to keep. */
export const jobKinds = ['stream', 'preview', 'download'] as const;
export type JobKind = (typeof jobKinds)[number];

const rungSchema = z.object({ name: z.string(), width: z.int(), height: z.int(), maxBitrate: z.int() });

/**
 * Everything an encode job is built from. Kept with the job, so that a new attempt is the same work; what came later than
 * the first jobs has a default that means what they did.
 */
export const encodePlanSchema = z
  .object({
    kind: z.enum(jobKinds).default('stream'),
    videoId: z.uuid(),
    revision: z.int().positive(),
    /** Folder in the media bucket, ending in a slash; null is that of the revision. */
    prefix: z.string().nullable().default(null),
    sourceKey: z.string(),
    /** Of what is made: of the clips together, where there are any. */
    durationMs: z.int().positive(),
    frameRate: z.number().nullable(),
    /** Of the source. */
    colour: z.enum(colours).default('plain'),
    hasAudio: z.boolean(),
    /** Empty for a film without pictures. */
    rungs: z.array(rungSchema),
    /** `automated_abr` leaves sizes and bitrates to the encoder, up to the rungs' largest. */
    mode: z.enum(['ladder', 'automated_abr']).default('ladder'),
    /** Parts of the source to take, one after the other; none is all of it. */
    clips: z.array(z.object({ startMs: z.int().min(0), endMs: z.int().positive() })).default([]),
    burnIn: z.object({ language: z.string(), key: z.string() }).nullable().default(null),
    watermark: z
      .object({
        key: z.string(),
        x: z.int().min(0),
        y: z.int().min(0),
        width: z.int().positive(),
        height: z.int().positive(),
        opacity: z.int().min(1).max(100),
      })
      .nullable()
      .default(null),
    storyboard: z
      .object({ intervalSeconds: z.int().positive(), width: z.int().positive(), height: z.int().positive() })
      .nullable()
      .default(null),
    acceleration: z.enum(['DISABLED', 'PREFERRED']).default('DISABLED'),
    /** `priority` is for what is soon done. */
    lane: z.enum(['standard', 'priority']).default('standard'),
  })
  .refine((plan) => plan.rungs.length > 0 || plan.hasAudio, 'a plan needs pictures or sound');

export type EncodePlan = z.infer<typeof encodePlanSchema>;

/** Folder of everything a video's revision has in the media bucket. A new revision is a new address, so caches never lie. */
export const mediaPrefix = (videoId: string, revision: number): string => `media/${videoId}/v${revision}/`;

type Placed = Pick<EncodePlan, 'videoId' | 'revision'> & { readonly prefix?: string | null };

/** Where a plan's files go. */
export const prefixOf = (plan: Placed): string => plan.prefix ?? mediaPrefix(plan.videoId, plan.revision);

/** Base name of manifests and segments. */
export const mediaBaseName = 'video';

/** Keys of the two manifests an encode of this plan writes. */
export const manifestKeys = (plan: Placed) => ({
  hlsKey: `${prefixOf(plan)}${mediaBaseName}.m3u8`,
  dashKey: `${prefixOf(plan)}${mediaBaseName}.mpd`,
});

/** Prefix of the still pictures of a plan. */
export const thumbnailPrefix = (plan: Placed): string => `${prefixOf(plan)}thumbnails/`;

export const thumbnailCount = 5;

/** Keys of the single files the small jobs write, and of the scrub pictures' index, which we write ourselves. */
export const previewKey = (plan: Placed): string => `${prefixOf(plan)}preview/animated.gif`;
export const downloadKey = (plan: Placed): string => `${prefixOf(plan)}download/video.mp4`;
export const storyboardKey = (plan: Placed): string => `${prefixOf(plan)}storyboard.vtt`;
