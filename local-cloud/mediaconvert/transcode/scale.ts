import type { VideoDescription } from '../settings/create-job.ts';

export type Size = { width: number; height: number };

export type Framing = Size & {
  /** Filter chain that turns a source picture into exactly this size with square pixels. */
  filters: string;
};

/**
 * Output size and scaling filters for one output, from the size the source has on screen.
 *
 * DEFAULT keeps the aspect ratio and pads to the requested size, STRETCH_TO_OUTPUT ignores it, FIT keeps it without
 * padding, FIT_NO_UPSCALE does the same but never enlarges, FILL keeps it and crops. With one of width and height
 * the other follows; with neither the source size is kept. Sizes are even, as 4:2:0 video needs.
 */
export function frameFor(description: VideoDescription, source: Size): Framing {
  const wanted = requestedSize(description, source);
  const target = evenWithin(wanted, wanted);
  const fit = Math.min(wanted.width / source.width, wanted.height / source.height);
  switch (description.scalingBehavior ?? 'DEFAULT') {
    case 'FIT':
      return plain(evenWithin(times(source, fit), wanted));
    case 'FIT_NO_UPSCALE':
      return plain(evenWithin(times(source, Math.min(1, fit)), lesser(wanted, source)));
    case 'STRETCH_TO_OUTPUT':
      return plain(target);
    case 'FILL': {
      const cover = Math.max(wanted.width / source.width, wanted.height / source.height);
      return {
        ...target,
        filters: `${scale(evenAbove(times(source, cover)))},crop=${target.width}:${target.height},setsar=1`,
      };
    }
    case 'DEFAULT':
      return {
        ...target,
        filters: `${scale(evenWithin(times(source, fit), wanted))},pad=${target.width}:${target.height}:(ow-iw)/2:(oh-ih)/2,setsar=1`,
      };
  }
}

function requestedSize(description: VideoDescription, source: Size): Size {
  const { width, height } = description;
  if (width !== undefined && height !== undefined) return { width, height };
  if (width !== undefined) return { width, height: (width * source.height) / source.width };
  if (height !== undefined) return { width: (height * source.width) / source.height, height };
  return source;
}

function plain(size: Size): Framing {
  return { ...size, filters: `${scale(size)},setsar=1` };
}

function scale(size: Size): string {
  return `scale=${size.width}:${size.height}:flags=bicubic`;
}

const times = (size: Size, factor: number): Size => ({
  width: size.width * factor,
  height: size.height * factor,
});

const lesser = (a: Size, b: Size): Size => ({
  width: Math.min(a.width, b.width),
  height: Math.min(a.height, b.height),
});

/** The nearest even size that does not exceed a limit. */
function evenWithin(size: Size, limit: Size): Size {
  const nearest = (value: number, most: number): number =>
    Math.max(2, Math.min(2 * Math.round(value / 2), 2 * Math.floor(most / 2)));
  return { width: nearest(size.width, limit.width), height: nearest(size.height, limit.height) };
}

/** The next even size that is large enough; a hair of tolerance keeps 180.0001 from becoming 182. */
function evenAbove(size: Size): Size {
  const next = (value: number): number => Math.max(2, 2 * Math.ceil(value / 2 - 1e-6));
  return { width: next(size.width), height: next(size.height) };
}
