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
  const behavior = description.scalingBehavior ?? 'DEFAULT';
  const fit = Math.min(wanted.width / source.width, wanted.height / source.height);
  switch (behavior) {
    case 'FIT':
      return plain(scaled(source, fit));
    case 'FIT_NO_UPSCALE':
      return plain(scaled(source, Math.min(1, fit)));
    case 'STRETCH_TO_OUTPUT':
      return plain(even(wanted));
    case 'FILL': {
      const target = even(wanted);
      const cover = Math.max(wanted.width / source.width, wanted.height / source.height);
      const inner = scaled(source, cover, Math.ceil);
      return {
        ...target,
        filters: `${scale(inner)},crop=${target.width}:${target.height},setsar=1`,
      };
    }
    case 'DEFAULT': {
      const target = even(wanted);
      const inner = scaled(source, fit);
      return {
        ...target,
        filters: `${scale(inner)},pad=${target.width}:${target.height}:(ow-iw)/2:(oh-ih)/2,setsar=1`,
      };
    }
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

function scaled(source: Size, factor: number, round: (value: number) => number = Math.floor): Size {
  return even({ width: source.width * factor, height: source.height * factor }, round);
}

/** Rounds to even pixel counts; a hair of tolerance keeps 179.9999 from becoming 178. */
function even(size: Size, round: (value: number) => number = Math.floor): Size {
  const toEven = (value: number): number =>
    Math.max(2, 2 * round(value / 2 + (round === Math.floor ? 1e-6 : -1e-6)));
  return { width: toEven(size.width), height: toEven(size.height) };
}
