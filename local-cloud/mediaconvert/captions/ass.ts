import type { z } from 'zod';
import { FONT_FAMILY } from '../../ffmpeg/index.ts';
import type { burninDestinationSettings } from '../settings/output.ts';
import type { Cue } from './cues.ts';

type BurnIn = z.infer<typeof burninDestinationSettings>;

/** Colours in ASS order: blue, green, red. */
const COLORS: Record<string, string> = {
  WHITE: 'FFFFFF',
  BLACK: '000000',
  YELLOW: '00FFFF',
  RED: '0000FF',
  GREEN: '008000',
  BLUE: 'FF0000',
};

/**
 * Captions as an Advanced SubStation document drawn at the output's own resolution, so that font size and outline are
 * in output pixels. `fontSize` 0 sizes the text for the picture, as MediaConvert does.
 */
export function writeAss(cues: readonly Cue[], style: BurnIn, width: number, height: number): string {
  const fontSize = style.fontSize || Math.max(10, Math.round(height / 15));
  const background = style.backgroundColor ?? 'NONE';
  const boxed = background !== 'NONE';
  const outline = boxed ? Math.max(2, Math.round(fontSize / 6)) : (style.outlineSize ?? 2);
  const outlineColor = boxed
    ? color(background, style.backgroundOpacity ?? 255)
    : color(style.outlineColor ?? 'BLACK', 255);
  const fields = [
    'Caption',
    FONT_FAMILY,
    fontSize,
    color(style.fontColor ?? 'WHITE', style.fontOpacity ?? 255),
    '&H00FFFFFF',
    outlineColor,
    outlineColor,
    ...[0, 0, 0, 0],
    ...[100, 100, 0, 0],
    boxed ? 3 : 1,
    outline,
    0,
    style.alignment === 'LEFT' ? 1 : 2,
    ...[Math.round(width / 20), Math.round(width / 20), Math.round(height / 20)],
    1,
  ];
  return [
    '[Script Info]',
    'ScriptType: v4.00+',
    `PlayResX: ${width}`,
    `PlayResY: ${height}`,
    'WrapStyle: 0',
    '',
    '[V4+ Styles]',
    'Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding',
    `Style: ${fields.join(',')}`,
    '',
    '[Events]',
    'Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text',
    ...cues.map(
      (cue) =>
        `Dialogue: 0,${timestamp(cue.startSeconds)},${timestamp(cue.endSeconds)},Caption,,0,0,0,,${cue.lines.map(escapeText).join('\\N')}`,
    ),
    '',
  ].join('\n');
}

/** `&HAABBGGRR`, where 00 is opaque. */
function color(name: string, opacity: number): string {
  const transparency = (255 - opacity).toString(16).toUpperCase().padStart(2, '0');
  return `&H${transparency}${COLORS[name] ?? COLORS.WHITE}`;
}

/** Braces open ASS override blocks and backslashes start escapes: neither may come from caption text. */
function escapeText(text: string): string {
  return text.replace(/\{/g, '(').replace(/\}/g, ')').replace(/\\/g, '/');
}

function timestamp(totalSeconds: number): string {
  const centiseconds = Math.max(0, Math.round(totalSeconds * 100));
  const pad = (value: number): string => String(value).padStart(2, '0');
  return `${Math.floor(centiseconds / 360_000)}:${pad(Math.floor(centiseconds / 6000) % 60)}:${pad(Math.floor(centiseconds / 100) % 60)}.${pad(centiseconds % 100)}`;
}
