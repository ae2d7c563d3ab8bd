import type { AudioStream, DataStream, MediaProbe, VideoStream } from './types.ts';

type ReportedProbe = Omit<MediaProbe, 'durationSeconds'> & { durationSeconds: number | undefined };

/**
 * Parses the description of the first input that `ffmpeg -i file` writes to stderr. `durationSeconds` is undefined
 * when ffmpeg says `N/A` or admits to guessing. Returns undefined when the text describes no input.
 */
export function parseInputReport(report: string): ReportedProbe | undefined {
  const lines = report.split(/\r?\n/);
  const first = lines.findIndex((line) => /^Input #0, /.test(line));
  if (first < 0) return undefined;
  const container = /^Input #0, (.+?), from /.exec(lines[first] ?? '')?.[1] ?? '';
  const probe: ReportedProbe = {
    container,
    majorBrand: undefined,
    durationSeconds: undefined,
    bitrate: undefined,
    streams: [],
  };
  for (const line of lines.slice(first + 1)) {
    if (/^\S/.test(line)) break;
    readLine(line, probe);
  }
  if (/^\[[^\]]+\] Estimating duration from bitrate/m.test(report)) probe.durationSeconds = undefined;
  return probe;
}

function readLine(line: string, probe: ReportedProbe): void {
  const stream =
    /^ {2}Stream #0:(\d+)(?:\[0x[0-9a-f]+\])?(?:\((\w+)\))?: (Video|Audio|Subtitle|Data): (.*)$/.exec(line);
  if (stream) {
    const [, index = '0', language, kind, description = ''] = stream;
    const parsed = parseStream(Number(index), kind ?? '', language, description);
    if (parsed) probe.streams.push(parsed);
    return;
  }
  const duration = /^ {2}Duration: (?:(\d+):(\d\d):(\d\d(?:\.\d+)?)|N\/A)/.exec(line);
  if (duration) {
    const [, hours, minutes, seconds] = duration;
    if (hours !== undefined) {
      probe.durationSeconds = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
    }
    probe.bitrate = kilobits(line);
    return;
  }
  const brand = /^ {4}major_brand\s*: (\S+)/.exec(line);
  if (brand && probe.streams.length === 0) probe.majorBrand = brand[1];
  const rotation = /^ {6,}display ?matrix: rotation of (-?[\d.]+) degrees/i.exec(line);
  const last = probe.streams.at(-1);
  if (rotation && last?.kind === 'video') last.rotationDegrees = clockwise(Number(rotation[1]));
}

function parseStream(
  index: number,
  kind: string,
  language: string | undefined,
  description: string,
): VideoStream | AudioStream | DataStream | undefined {
  const parts = splitTopLevel(description);
  const codec = /^(\w+)/.exec(parts[0] ?? '')?.[1] ?? 'unknown';
  const profile = /^\w+ \(([^/)]+)\)/.exec(parts[0] ?? '')?.[1];
  if (kind === 'Audio') return parseAudio(index, codec, profile, language, parts);
  if (kind !== 'Video') return { kind: 'data', index, codec, language: knownLanguage(language) };
  if (description.includes('(attached pic)')) return { kind: 'data', index, codec, language: undefined };
  return parseVideo(index, codec, profile, description, parts);
}

function parseVideo(
  index: number,
  codec: string,
  profile: string | undefined,
  description: string,
  parts: string[],
): VideoStream | undefined {
  const size = /(?:^|, )(\d+)x(\d+)/.exec(parts.slice(1).join(', '));
  if (!size) return undefined;
  const aspect = /SAR (\d+):(\d+)/.exec(description);
  const colors = parseColors(parts[1] ?? '');
  const rate = parts.find((part) => / fps$/.test(part)) ?? parts.find((part) => / tbr$/.test(part));
  const numerator = Number(aspect?.[1] ?? 1);
  const denominator = Number(aspect?.[2] ?? 1);
  return {
    kind: 'video',
    index,
    codec,
    profile,
    pixelFormat: /^(\w+)/.exec(parts[1] ?? '')?.[1],
    width: Number(size[1]),
    height: Number(size[2]),
    sampleAspect:
      numerator > 0 && denominator > 0 ? { numerator, denominator } : { numerator: 1, denominator: 1 },
    rotationDegrees: 0,
    framesPerSecond: rationalRate(rate),
    bitrate: kilobits(parts.slice(2).join(', ')),
    dynamicRange: /^(smpte2084|arib-std-b67)$/.test(colors.transfer ?? '') ? 'high' : 'standard',
    colors,
    interlaced: /top (first|coded)|bottom (first|coded)/.test(parts[1] ?? ''),
  };
}

/** Of `yuv420p10le(tv, bt2020nc/bt2020/smpte2084, progressive)`; one name stands for three that are the same. */
function parseColors(format: string): VideoStream['colors'] {
  const details = /\(([^)]*)\)/.exec(format)?.[1]?.split(', ') ?? [];
  const named = details.find((detail) => !NOT_COLORS.test(detail));
  const [matrix, primaries = matrix, transfer = matrix] = named?.split('/') ?? [];
  const known = (name: string | undefined) => (name === 'unknown' ? undefined : name);
  return { matrix: known(matrix), primaries: known(primaries), transfer: known(transfer) };
}

/** The range, the fields and where chroma samples lie. */
const NOT_COLORS =
  /^(tv|pc|progressive|(top|bottom) .*|left|center|topleft|top|bottomleft|bottom|unspecified|\d+ bpc)$/;

const CHANNELS_BY_LAYOUT: Record<string, number> = {
  mono: 1,
  stereo: 2,
  quad: 4,
  hexagonal: 6,
  octagonal: 8,
};

function parseAudio(
  index: number,
  codec: string,
  profile: string | undefined,
  language: string | undefined,
  parts: string[],
): AudioStream {
  const rateAt = parts.findIndex((part) => /^\d+ Hz$/.test(part));
  const channelLayout = (parts[rateAt + 1] ?? 'mono').replace(/ \(.*$/, '');
  return {
    kind: 'audio',
    index,
    codec,
    profile,
    sampleRate: Number(/^\d+/.exec(parts[rateAt] ?? '')?.[0] ?? 0),
    channels: channelCount(channelLayout),
    channelLayout,
    language: knownLanguage(language),
    bitrate: kilobits(parts.slice(rateAt + 2).join(', ')),
  };
}

function channelCount(layout: string): number {
  const named = CHANNELS_BY_LAYOUT[layout.replace(/\(.*$/, '')];
  if (named !== undefined) return named;
  const counted = /^(\d+) channels/.exec(layout);
  if (counted) return Number(counted[1]);
  // Layouts such as 5.1, 7.1.4 or 5.1(side): the numbers add up to the channels.
  const digits = /^(\d+)\.(\d+)(?:\.(\d+))?/.exec(layout);
  return digits ? Number(digits[1]) + Number(digits[2]) + Number(digits[3] ?? 0) : 1;
}

/** Splits at commas that are not inside brackets: `yuv420p(tv, bt709), 320x180 [SAR 1:1 DAR 16:9], 25 fps`. */
function splitTopLevel(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let current = '';
  for (const character of text) {
    if (character === '(' || character === '[') depth += 1;
    if (character === ')' || character === ']') depth -= 1;
    if (character === ',' && depth === 0) {
      parts.push(current.trim());
      current = '';
    } else {
      current += character;
    }
  }
  parts.push(current.trim());
  return parts;
}

/** ffmpeg prints rates with two decimals; the NTSC family is given back its exact fraction. */
function rationalRate(text: string | undefined): { numerator: number; denominator: number } | undefined {
  const match = /^([\d.]+)(k?) /.exec(text ?? '');
  if (!match) return undefined;
  const rate = Number(match[1]) * (match[2] === 'k' ? 1000 : 1);
  if (!Number.isFinite(rate) || rate <= 0) return undefined;
  const ntsc = Math.round(rate) * (1000 / 1001);
  if (!Number.isInteger(rate) && Math.abs(ntsc - rate) < 0.006) {
    return { numerator: Math.round(rate) * 1000, denominator: 1001 };
  }
  return Number.isInteger(rate)
    ? { numerator: rate, denominator: 1 }
    : { numerator: Math.round(rate * 100), denominator: 100 };
}

function kilobits(text: string): number | undefined {
  const match = /(\d+) kb\/s/.exec(text);
  return match ? Number(match[1]) * 1000 : undefined;
}

function knownLanguage(language: string | undefined): string | undefined {
  return language === undefined || language === 'und' ? undefined : language.toLowerCase();
}

/** ffmpeg reports how far the picture is turned counter-clockwise. */
function clockwise(counterClockwiseDegrees: number): VideoStream['rotationDegrees'] {
  const turned = (((-Math.round(counterClockwiseDegrees / 90) * 90) % 360) + 360) % 360;
  return turned === 90 || turned === 180 || turned === 270 ? turned : 0;
}
