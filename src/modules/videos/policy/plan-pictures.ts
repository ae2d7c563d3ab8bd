import type { EncodePlan, Rung } from './encode-plan.ts';
import type { Clip } from './timecode.ts';

interface Size {
  readonly width: number;
  readonly height: number;
}

/** Scrub pictures lie in sheets of this many: rows must be even (MediaConvert's `TileHeight`). */
export const sheet = { columns: 5, rows: 4 } as const;

const scrubLongSide = 312;
const scrubIntervalSeconds = 10;
const scrubPictures = 100;

/**
 * Small pictures for the scrub bar: about a hundred, at most one a second and at least one every 10 s. MediaConvert wants
 * widths in eights and even heights.
 */
export function planStoryboard(
  picture: Size | undefined,
  durationMs: number,
): NonNullable<EncodePlan['storyboard']> | null {
  if (picture === undefined) return null;
  const scale = scrubLongSide / Math.max(picture.width, picture.height);
  const wanted = Math.ceil(durationMs / 1_000 / scrubPictures);
  return {
    intervalSeconds: Math.min(scrubIntervalSeconds, Math.max(1, wanted)),
    width: Math.max(8, 8 * Math.round((picture.width * scale) / 8)),
    height: Math.max(8, 2 * Math.round((picture.height * scale) / 2)),
  };
}

const previewClips = 3;
const previewClipMs = 1_000;
/** Shorter films are their own preview. */
const wholePreviewMs = 4_000;
const previewShortSide = 180;
export const previewFramesPerSecond = 8;

/** What a moving preview shows: a second each from three places, or all of a very short film.. */
export function planPreview(plan: EncodePlan): EncodePlan | undefined {
  const smallest = plan.rungs[0];
  if (smallest === undefined) return undefined;
  const [offset] = plan.clips;
  const offsetMs = offset?.startMs ?? 0;
  const clips: Clip[] =
    plan.durationMs <= wholePreviewMs
      ? [{ startMs: offsetMs, endMs: offsetMs + plan.durationMs }]
      : Array.from({ length: previewClips }, (_, index) => {
          const startMs =
            offsetMs +
            Math.floor((plan.durationMs * (2 * index + 1)) / (2 * previewClips)) -
            previewClipMs / 2;
          return { startMs, endMs: startMs + previewClipMs };
        });
  return {
    ...plan,
    kind: 'preview',
    clips,
    durationMs: clips.reduce((sum, clip) => sum + clip.endMs - clip.startMs, 0),
    hasAudio: false,
    rungs: [shrunk(smallest)],
    mode: 'ladder',
    burnIn: null,
    storyboard: null,
    acceleration: 'DISABLED',
  };
}

function shrunk(rung: Rung): Rung {
  const scale = Math.min(1, previewShortSide / Math.min(rung.width, rung.height));
  const even = (side: number): number => Math.max(32, 2 * Math.round((side * scale) / 2));
  return { ...rung, name: 'preview', width: even(rung.width), height: even(rung.height) };
}

const downloadShortSide = 1_080;

/** A film as one file to keep: the largest size up to 1080p, with its sound. */
export function planDownload(plan: EncodePlan): EncodePlan {
  const rung =
    plan.rungs.findLast(({ width, height }) => Math.min(width, height) <= downloadShortSide) ?? plan.rungs[0];
  return {
    ...plan,
    kind: 'download',
    rungs: rung === undefined ? [] : [rung],
    mode: 'ladder',
    storyboard: null,
    acceleration: 'DISABLED',
  };
}

export const corners = ['top_left', 'top_right', 'bottom_left', 'bottom_right'] as const;
export type Corner = (typeof corners)[number];

/** A creator's watermark as they set it. */
export interface Watermark {
  readonly key: string;
  readonly width: number;
  readonly height: number;
  readonly corner: Corner;
  /** 1 to 100. */
  readonly opacityPercent: number;
  /** Of the width of the picture, 1 to 50. */
  readonly widthPercent: number;
}

const marginShare = 0.03;
const maxHeightShare = 0.5;

/** Where a watermark stands in the picture as it is shown, in its pixels: in its corner, whole, and in its own shape. */
export function placeWatermark(
  watermark: Watermark | undefined,
  picture: Size | undefined,
): EncodePlan['watermark'] {
  if (watermark === undefined || picture === undefined) return null;
  const margin = Math.round(Math.min(picture.width, picture.height) * marginShare);
  const scale = Math.min(
    (picture.width * watermark.widthPercent) / 100 / watermark.width,
    (picture.height * maxHeightShare) / watermark.height,
  );
  const width = Math.max(1, Math.floor(watermark.width * scale));
  const height = Math.max(1, Math.floor(watermark.height * scale));
  const right = watermark.corner.endsWith('right');
  const bottom = watermark.corner.startsWith('bottom');
  return {
    key: watermark.key,
    x: right ? Math.max(0, picture.width - width - margin) : margin,
    y: bottom ? Math.max(0, picture.height - height - margin) : margin,
    width,
    height,
    opacity: watermark.opacityPercent,
  };
}
