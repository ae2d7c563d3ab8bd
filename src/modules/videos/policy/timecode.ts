/** The part of a film between two times, in milliseconds; `endMs` is no longer part of it. */
export interface Clip {
  readonly startMs: number;
  readonly endMs: number;
}

/** The frames of a second a timecode can count. */
const maxFramesPerSecond = 60;

/**
 * The first and the last frame of a clip as zero-based `HH:MM:SS:FF` timecodes, which is how MediaConvert cuts: both frames
 * are part of it, and they are never the same. Timecodes count frames, so at 29.97 frames per second they run slower than the clock. Where the rate is
 * not known or too high, the clip is widened to whole seconds.
 * https://docs.aws.amazon.com/mediaconvert/latest/ug/assembling-multiple-inputs-and-input-clips.html
 */
export function clipTimecodes(
  { startMs, endMs }: Clip,
  frameRate: number | null,
): { readonly start: string; readonly end: string } {
  const perSecond = frameRate === null ? 0 : Math.max(1, Math.round(frameRate));
  if (frameRate === null || perSecond > maxFramesPerSecond)
    return {
      start: timecode(Math.floor(startMs / 1_000), 1),
      end: timecode(Math.max(Math.floor(startMs / 1_000) + 1, Math.ceil(endMs / 1_000)), 1),
    };
  const first = Math.round((startMs * frameRate) / 1_000);
  const last = Math.max(first + 1, Math.round((endMs * frameRate) / 1_000) - 1);
  return { start: timecode(first, perSecond), end: timecode(last, perSecond) };
}

function timecode(frame: number, perSecond: number): string {
  const seconds = Math.floor(frame / perSecond);
  return [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60, frame % perSecond]
    .map((field) => String(field).padStart(2, '0'))
    .join(':');
}
