/** One caption: when it shows, in milliseconds, how it is placed, and its WebVTT text. */
export interface Cue {
  readonly startMs: number;
  readonly endMs: number;
  /** WebVTT cue settings, normalised; empty for none. */
  readonly settings: string;
  readonly text: string;
}

export type CaptionProblem =
  | 'not_captions'
  | 'no_cues'
  | 'too_many_cues'
  | 'timing_malformed'
  | 'ends_before_start'
  | 'line_too_long'
  | 'cue_too_long';

export type ReadCaptions =
  | { readonly ok: true; readonly cues: readonly Cue[] }
  /** `line` counts from 1. */
  | { readonly ok: false; readonly problem: CaptionProblem; readonly line: number };

export const maxCues = 20_000;
const maxLineLength = 1_000;
const maxCueLines = 20;
const maxTimeMs = 172_800_000;

const vttHeader = /^WEBVTT(?:[ \t].*)?$/;
const vttTiming =
  /^[ \t]*(?:(\d{1,3}):)?(\d{2}):(\d{2})\.(\d{3})[ \t]*-->[ \t]*(?:(\d{1,3}):)?(\d{2}):(\d{2})\.(\d{3})(?:[ \t](.*))?$/;
const srtTiming =
  /^[ \t]*(\d{1,3}):(\d{1,2}):(\d{1,2})[,.](\d{1,3})[ \t]*-->[ \t]*(\d{1,3}):(\d{1,2}):(\d{1,2})[,.](\d{1,3})(?:[ \t].*)?$/;

/**
 * Reads WebVTT or SubRip, whichever it is, and normalises it: styles, regions, notes and names of cues are left out, unknown
 * tags taken away, and what is no markup escaped. Linear in the length of the text.
 * WebVTT: https://www.w3.org/TR/webvtt1/; SubRip has no standard, this is what players read.
 */
export function readCaptions(text: string): ReadCaptions {
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  const long = lines.findIndex((line) => line.length > maxLineLength);
  if (long !== -1) return { ok: false, problem: 'line_too_long', line: long + 1 };
  const isVtt = vttHeader.test(lines[0] ?? '');
  if (!isVtt && !lines.some((line) => srtTiming.test(line)))
    return { ok: false, problem: 'not_captions', line: 1 };
  const cues: Cue[] = [];
  for (let index = isVtt ? endOfBlock(lines, 0) : 0; index < lines.length; ) {
    if (isBlank(lines[index])) {
      index += 1;
      continue;
    }
    const end = endOfBlock(lines, index);
    const read = isVtt ? readBlock(lines, index, end, vttTiming) : readBlock(lines, index, end, srtTiming);
    if (read !== undefined && 'problem' in read) return { ok: false, ...read };
    if (read !== undefined) cues.push(read);
    if (cues.length > maxCues) return { ok: false, problem: 'too_many_cues', line: index + 1 };
    index = end;
  }
  if (cues.length === 0) return { ok: false, problem: 'no_cues', line: lines.length };
  return { ok: true, cues: cues.toSorted((a, b) => a.startMs - b.startMs || a.endMs - b.endMs) };
}

const isBlank = (line: string | undefined): boolean => line === undefined || line.trim() === '';

function endOfBlock(lines: readonly string[], from: number): number {
  let end = from;
  while (end < lines.length && !isBlank(lines[end])) end += 1;
  return end;
}

const notCues = /^(?:NOTE|STYLE|REGION)(?:[ \t]|$)/;

function readBlock(
  lines: readonly string[],
  from: number,
  end: number,
  timing: RegExp,
): Cue | { readonly problem: CaptionProblem; readonly line: number } | undefined {
  const first = lines[from] ?? '';
  const at = first.includes('-->') ? from : from + 1;
  const times = lines[at] ?? '';
  if (at >= end || !times.includes('-->'))
    // A number without a caption, a comment, or text after a blank line within a caption: nothing that is shown.
    return timing === vttTiming && !notCues.test(first) && at < end
      ? { problem: 'timing_malformed', line: at + 1 }
      : undefined;
  const match = timing.exec(times);
  if (match === null) return { problem: 'timing_malformed', line: at + 1 };
  const startMs = timeOf(match[1], match[2], match[3], match[4]);
  const endMs = timeOf(match[5], match[6], match[7], match[8]);
  if (startMs === undefined || endMs === undefined) return { problem: 'timing_malformed', line: at + 1 };
  if (endMs <= startMs) return { problem: 'ends_before_start', line: at + 1 };
  if (end - at - 1 > maxCueLines) return { problem: 'cue_too_long', line: at + 1 };
  const text = cleanText(lines.slice(at + 1, end).join('\n'));
  if (text === '') return undefined;
  return { startMs, endMs, settings: timing === vttTiming ? cleanSettings(match[9] ?? '') : '', text };
}

/** Undefined for times that do not exist. */
function timeOf(hours = '0', minutes = '', seconds = '', fraction = ''): number | undefined {
  if (Number(minutes) > 59 || Number(seconds) > 59) return undefined;
  const ms =
    (Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds)) * 1_000 +
    Number(fraction.padEnd(3, '0'));
  return ms > maxTimeMs ? undefined : ms;
}

const settingForms: Readonly<Record<string, RegExp>> = {
  vertical: /^(?:rl|lr)$/,
  line: /^(?:-?\d{1,4}|\d{1,3}(?:\.\d{1,6})?%)(?:,(?:start|center|end))?$/,
  position: /^\d{1,3}(?:\.\d{1,6})?%(?:,(?:line-left|center|line-right))?$/,
  size: /^\d{1,3}(?:\.\d{1,6})?%$/,
  align: /^(?:start|center|end|left|right)$/,
};

const cleanSettings = (settings: string): string =>
  [
    ...new Map(
      settings
        .split(/[ \t]+/)
        .map((setting) => setting.split(':', 2))
        .filter(
          ([name = '', value = '']) => Object.hasOwn(settingForms, name) && settingForms[name]?.test(value),
        )
        .map(([name = '', value = '']) => [name, `${name}:${value}`] as const),
    ).values(),
  ].join(' ');

const maxTagLength = 200;
const tag = /^\/?(?:b|i|u|c|v|ruby|rt|lang)(?:\.[\p{L}\p{N}_-]{1,40})*(?:[ \t][^\n<>&]*)?$/u;
const timestamp = /^(?:\d{2,3}:)?\d{2}:\d{2}\.\d{3}$/;
const entity = /^&(?:amp|lt|gt|nbsp|lrm|rlm);/;
/** Placements of Advanced SubStation that SubRip files carry along: `{\an8}`. */
const substation = /\{\\[^}\n]{1,40}\}/g;

/** The markup WebVTT has, and everything else as text. */
function cleanText(raw: string): string {
  const source = raw.replace(substation, '');
  let text = '';
  for (let index = 0; index < source.length; ) {
    const character = source.charAt(index);
    if (character === '<') {
      const close = source.slice(index + 1, index + 1 + maxTagLength).search(/[<>]/);
      if (close === -1 || source.charAt(index + 1 + close) === '<') text += '&lt;';
      else {
        const inside = source.slice(index + 1, index + 1 + close);
        if (!inside.includes('--') && (tag.test(inside) || timestamp.test(inside))) text += `<${inside}>`;
        index += close + 1;
      }
    } else if (character === '>') text += '&gt;';
    else if (character === '&') text += entity.test(source.slice(index, index + 7)) ? '&' : '&amp;';
    else text += character;
    index += 1;
  }
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join('\n');
}

/** The captions as a WebVTT file. */
export const writeWebVtt = (cues: readonly Cue[]): string =>
  `WEBVTT\n\n${cues
    .map(({ startMs, endMs, settings, text }) => {
      const placed = settings === '' ? '' : ` ${settings}`;
      return `${clockTime(startMs)} --> ${clockTime(endMs)}${placed}\n${text}\n`;
    })
    .join('\n')}`;

/** Milliseconds as WebVTT writes them. */
export function clockTime(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  const fields = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  return `${fields.map((field) => String(field).padStart(2, '0')).join(':')}.${String(ms % 1_000).padStart(3, '0')}`;
}

const inlineTimestamp = /<((?:(\d{2,3}):)?(\d{2}):(\d{2})\.(\d{3}))>/g;

/** The captions of a part of the film, on its own clock: their times, and those within their text (WebVTT §3.3). */
export const cutCues = (
  cues: readonly Cue[],
  clip: { readonly startMs: number; readonly endMs: number },
): Cue[] =>
  cues.flatMap((cue) => {
    const startMs = Math.max(cue.startMs, clip.startMs) - clip.startMs;
    const endMs = Math.min(cue.endMs, clip.endMs) - clip.startMs;
    if (endMs <= startMs) return [];
    const text = cue.text.replace(
      inlineTimestamp,
      (_, __, hours: string | undefined, minutes: string, seconds: string, fraction: string) => {
        const atMs = (timeOf(hours, minutes, seconds, fraction) ?? 0) - clip.startMs;
        // Times within a caption must lie between its ends.
        return atMs > startMs && atMs < endMs ? `<${clockTime(atMs)}>` : '';
      },
    );
    return [{ ...cue, startMs, endMs, text }];
  });
