/** One caption: when it shows, in seconds of output time, and its lines as plain text. */
export type Cue = { startSeconds: number; endSeconds: number; lines: string[] };

/** A stretch of the input that is kept, in seconds of input time. */
export type ClipRange = { startSeconds: number; endSeconds: number };

const MAX_LINE_CHARS = 1000;
const TIMING =
  /^\s*(\d{1,3}:)?(\d{1,2}):(\d{2})[.,](\d{1,3})\s*-->\s*(\d{1,3}:)?(\d{1,2}):(\d{2})[.,](\d{1,3})/;

/**
 * Reads SubRip or WebVTT text. Markup is dropped, cues without text or with an end before their start are skipped.
 * @throws Error when the text holds no cue at all.
 */
export function parseCues(text: string): Cue[] {
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\r|\n/);
  const cues: Cue[] = [];
  for (let index = 0; index < lines.length; index += 1) {
    const timing = TIMING.exec(lines[index] ?? '');
    if (!timing) continue;
    const startSeconds = seconds(timing.slice(1, 5));
    const endSeconds = seconds(timing.slice(5, 9));
    const textLines: string[] = [];
    while (index + 1 < lines.length && (lines[index + 1] ?? '').trim() !== '') {
      index += 1;
      const plain = plainText(lines[index] ?? '');
      if (plain !== '') textLines.push(plain);
    }
    if (textLines.length > 0 && endSeconds > startSeconds)
      cues.push({ startSeconds, endSeconds, lines: textLines });
  }
  if (cues.length === 0) throw new Error('the caption file holds no cue');
  return cues.sort((a, b) => a.startSeconds - b.startSeconds);
}

/** Shifts cues by `deltaSeconds` and re-times them to an output made of `clips` (undefined: the whole input). */
export function retimeCues(
  cues: readonly Cue[],
  deltaSeconds: number,
  clips: readonly ClipRange[] | undefined,
): Cue[] {
  const shifted = cues.map((cue) => ({
    ...cue,
    startSeconds: cue.startSeconds + deltaSeconds,
    endSeconds: cue.endSeconds + deltaSeconds,
  }));
  const ranges = clips ?? [{ startSeconds: 0, endSeconds: Number.POSITIVE_INFINITY }];
  const retimed: Cue[] = [];
  let outputSeconds = 0;
  for (const range of ranges) {
    for (const cue of shifted) {
      const startSeconds = Math.max(cue.startSeconds, range.startSeconds);
      const endSeconds = Math.min(cue.endSeconds, range.endSeconds);
      if (endSeconds <= startSeconds) continue;
      const offset = outputSeconds - range.startSeconds;
      retimed.push({ ...cue, startSeconds: startSeconds + offset, endSeconds: endSeconds + offset });
    }
    outputSeconds += range.endSeconds - range.startSeconds;
  }
  return retimed;
}

function seconds(parts: (string | undefined)[]): number {
  const [hours, minutes, wholeSeconds, fraction = '0'] = parts;
  return (
    Number((hours ?? '0').replace(':', '')) * 3600 +
    Number(minutes) * 60 +
    Number(wholeSeconds) +
    Number(fraction.padEnd(3, '0')) / 1000
  );
}

function plainText(line: string): string {
  return line
    .slice(0, MAX_LINE_CHARS)
    .replace(/<[^>]*>/g, '')
    .replace(/\{\\[^}]*\}/g, '')
    .replace(/&nbsp;/g, ' ')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&amp;/g, '&')
    .trim();
}
