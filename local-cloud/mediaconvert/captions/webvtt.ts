import type { Cue } from './cues.ts';

/** A whole WebVTT document. Cue text is escaped, so captions can carry no markup. */
export function writeWebVtt(cues: readonly Cue[]): string {
  return `WEBVTT\n\n${cues.map(writeCue).join('')}`;
}

/**
 * WebVTT cut into segments of `segmentSeconds` that cover `durationSeconds`, as RFC 8216 §3.5 wants them: a cue that
 * crosses a border is repeated in both, and the timestamp map ties cue time to the start of the presentation.
 */
export function writeWebVttSegments(
  cues: readonly Cue[],
  segmentSeconds: number,
  durationSeconds: number,
): string[] {
  const count = Math.max(1, Math.ceil(durationSeconds / segmentSeconds - 1e-6));
  return Array.from({ length: count }, (_, index) => {
    const start = index * segmentSeconds;
    const end = start + segmentSeconds;
    const inside = cues.filter((cue) => cue.startSeconds < end && cue.endSeconds > start);
    return `WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n\n${inside.map(writeCue).join('')}`;
  });
}

function writeCue(cue: Cue): string {
  const text = cue.lines.map((line) =>
    line.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;'),
  );
  return `${timestamp(cue.startSeconds)} --> ${timestamp(cue.endSeconds)}\n${text.join('\n')}\n\n`;
}

function timestamp(totalSeconds: number): string {
  const milliseconds = Math.round(totalSeconds * 1000);
  const pad = (value: number, digits: number): string => String(value).padStart(digits, '0');
  const hours = Math.floor(milliseconds / 3_600_000);
  const minutes = Math.floor(milliseconds / 60_000) % 60;
  const seconds = Math.floor(milliseconds / 1000) % 60;
  return `${pad(hours, 2)}:${pad(minutes, 2)}:${pad(seconds, 2)}.${pad(milliseconds % 1000, 3)}`;
}
